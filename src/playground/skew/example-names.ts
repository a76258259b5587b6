/** The wrong tensors that the page can make. */
export const examples = {
  'opencv-bgr': { label: 'OpenCV, channels in BGR', resize: 'opencv', isBgr: true },
  bgr: { label: 'Channels in BGR', resize: 'exact', isBgr: true },
  opencv: { label: 'OpenCV’s default resize', resize: 'opencv', isBgr: false },
} as const satisfies Readonly<
  Record<string, { readonly label: string; readonly resize: 'opencv' | 'exact'; readonly isBgr: boolean }>
>;

export type ExampleName = keyof typeof examples;

export const exampleNames = Object.keys(examples) as ExampleName[];
