import type { ExtraKind } from './extra.ts';

/**
 * Rows or columns of the tiles that an image is split into, 0 if it is one picture: [1, 1]. `rows` and `cols` of
 * Idefics3ImageProcessor.
 */
export interface SplitCountExtra {
  readonly kind: 'splitCount';
  readonly of: 'rows' | 'columns';
  /** Side of a tile, in pixels. */
  readonly tile: number;
}

export const splitCount: ExtraKind<SplitCountExtra> = {
  inWords: ({ of }) => `the ${of} of tiles, 0 for one picture`,
  datatype: () => 'INT64',
  batchRule: () => 'concatenate',
  shape: () => [1, 1],
  values({ of, tile }, { picture, pictures }) {
    if (pictures.length === 1) return [0];
    return [(of === 'rows' ? picture.height : picture.width) / tile];
  },
};
