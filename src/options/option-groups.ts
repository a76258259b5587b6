import type { OptionName } from './image-options.ts';

/** The options by their purpose, for documents and for the client's help. Each option is in one group. */
export const optionGroups = {
  model: { title: 'A model', names: ['preset', 'preprocessor_config', 'imgsz', 'stride', 'rect'] },
  page: { title: 'A page of a document', names: ['page', 'dpi', 'page_box', 'annotations'] },
  size: {
    title: 'Size',
    names: ['scale', 'width', 'height', 'shortest_edge', 'fit', 'filter', 'crop_width', 'crop_height'],
  },
  colour: { title: 'Colour and orientation', names: ['grayscale', 'alpha', 'background', 'orientation'] },
  arithmetic: { title: 'Arithmetic', names: ['numerics'] },
  response: { title: 'Response', names: ['format', 'quality'] },
  tensor: {
    title: 'Tensor',
    names: ['datatype', 'pixels', 'layout', 'channel_order', 'rescale', 'mean', 'std'],
  },
  store: { title: 'Object storage', names: ['store', 'store_link'] },
} as const satisfies Readonly<
  Record<string, { readonly title: string; readonly names: readonly OptionName[] }>
>;

/** The name of a group. */
export type OptionGroup = keyof typeof optionGroups;

type Missing = Exclude<OptionName, (typeof optionGroups)[OptionGroup]['names'][number]>;
/** Fails to compile with the names of options that are in no group. */
const _complete: Missing extends never ? true : Missing = true;
