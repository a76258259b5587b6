/** The views of a response, in the order of their tabs. */
export const views = ['stack', 'skew', 'slider', 'sides', 'channels', 'presets'] as const;

export type View = (typeof views)[number];
