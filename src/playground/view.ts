/** The views of a response, in the order of their tabs. */
export const views = ['slider', 'sides', 'channels', 'difference'] as const;

export type View = (typeof views)[number];
