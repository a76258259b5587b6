/** Limits of a page of the list of presets. */
export const presetPages = {
  /** Presets of a page. */
  maxLimit: 1000,
  defaultLimit: 100,
  /** In characters. */
  maxQuery: 200,
} as const;
