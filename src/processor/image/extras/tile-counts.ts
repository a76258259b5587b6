import type { Size } from '../shortest-edge.ts';
import { sizeInWords } from '../words.ts';
import type { ExtraKind } from './extra.ts';

/** Numbers of the processed picture's tiles: rows and columns: [1, 2]. */
export interface TileCountsExtra {
  readonly kind: 'tileCounts';
  /** Unset: the picture is one tile, of any size. */
  readonly tile?: Size | undefined;
}

export const tileCounts: ExtraKind<TileCountsExtra> = {
  inWords: ({ tile }) =>
    `the rows and columns of tiles${tile ? ` of ${sizeInWords(tile)}` : ': one of each'}`,
  datatype: () => 'INT64',
  batchRule: () => 'concatenate',
  shape: () => [1, 2],
  values: ({ tile }, { picture }) => {
    const { width, height } = tile ?? picture;
    return [picture.height / height, picture.width / width];
  },
};
