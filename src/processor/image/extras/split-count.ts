import type { Size } from '../shortest-edge.ts';
import type { ExtraKind } from './extra.ts';

/**
 * Rows or columns of the tiles that an image is split into: [1, 1]. `rows` and `cols` of Idefics3ImageProcessor and
 * GraniteDoclingImageProcessor.
 */
export interface SplitCountExtra {
  readonly kind: 'splitCount';
  readonly of: 'rows' | 'columns';
  /** In pixels. */
  readonly tile: Size;
  /** The number for an image that is one picture. */
  readonly ofOne: 0 | 1;
}

export const splitCount: ExtraKind<SplitCountExtra> = {
  inWords: ({ of, ofOne }) => `the ${of} of tiles, ${ofOne} for one picture`,
  datatype: () => 'INT64',
  batchRule: () => 'concatenate',
  shape: () => [1, 1],
  values({ of, tile, ofOne }, { picture, pictures }) {
    if (pictures.length === 1) return [ofOne];
    return [of === 'rows' ? picture.height / tile.height : picture.width / tile.width];
  },
};
