import type { Size } from '../shortest-edge.ts';
import { sizeInWords } from '../words.ts';
import type { ExtraKind } from './extra.ts';

/** Numbers of the processed picture's tiles: rows and columns, [1, 2]; one of each if the image is one picture. */
export interface TileCountsExtra {
  readonly kind: 'tileCounts';
  /** Unset: the picture is one tile, of any size. */
  readonly tile?: Size | undefined;
  /** Whether the columns come first. */
  readonly columnsFirst?: true | undefined;
}

export const tileCounts: ExtraKind<TileCountsExtra> = {
  inWords: ({ tile, columnsFirst }) =>
    `the ${columnsFirst ? 'columns and rows' : 'rows and columns'} of tiles${tile ? ` of ${sizeInWords(tile)}` : ': one of each'}`,
  datatype: () => 'INT64',
  batchRule: () => 'concatenate',
  shape: () => [1, 2],
  values({ tile, columnsFirst }, { picture, pictures }) {
    const { width, height } = pictures.length === 1 || tile === undefined ? picture : tile;
    const [rows, columns] = [picture.height / height, picture.width / width];
    return columnsFirst ? [columns, rows] : [rows, columns];
  },
};
