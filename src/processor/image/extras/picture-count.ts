import type { ExtraKind } from './extra.ts';

/** Number of the pictures in the tensor of pixels: [1]. */
export interface PictureCountExtra {
  readonly kind: 'pictureCount';
  /** The first pictures, which are not counted. Unset: 0. */
  readonly skip?: number | undefined;
  /** Axes of length 1. 0: a batch has only the largest number. Unset: 1. */
  readonly axes?: number | undefined;
}

export const pictureCount: ExtraKind<PictureCountExtra> = {
  inWords: ({ skip = 0 }) =>
    skip === 0 ? 'the number of pictures' : `the number of pictures after the first ${skip}`,
  datatype: () => 'INT64',
  batchRule: ({ axes }) => (axes === 0 ? 'largest' : 'concatenate'),
  shape: ({ axes = 1 }) => new Array(axes).fill(1),
  values: ({ skip = 0 }, { pictures }) => [pictures.length - skip],
};
