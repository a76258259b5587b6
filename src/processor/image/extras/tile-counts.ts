import type { Size } from '../shortest-edge.ts';
import { sizeInWords } from '../words.ts';
import type { ExtraKind } from './extra.ts';

/** Numbers of the processed picture's tiles: rows and columns: [1, 2]. */
export interface TileCountsExtra {
  readonly kind: 'tileCounts';
  readonly tile: Size;
}

export const tileCounts: ExtraKind<TileCountsExtra> = {
  inWords: ({ tile }) => `the rows and columns of tiles of ${sizeInWords(tile)}`,
  datatype: () => 'INT64',
  batchRule: () => 'concatenate',
  shape: () => [1, 2],
  values: ({ tile }, { picture }) => [picture.height / tile.height, picture.width / tile.width],
};
