import type { Size } from '../shortest-edge.ts';
import { sizeInWords } from '../words.ts';
import type { ExtraKind } from './extra.ts';

/** Numbers of the processed picture's tiles: rows and columns, [1, 2]. */
export interface TileCountsExtra {
  readonly kind: 'tileCounts';
  /** `last`: the size of the last picture. Unset: the picture is one tile, of any size. */
  readonly tile?: Size | 'last' | undefined;
  /** The numbers of an image that is one picture. Unset: 1. */
  readonly ofOne?: 0 | undefined;
  /** Whether the columns come first. */
  readonly columnsFirst?: true | undefined;
}

export const tileCounts: ExtraKind<TileCountsExtra> = {
  inWords({ tile, ofOne = 1, columnsFirst }) {
    const order = columnsFirst ? 'columns and rows' : 'rows and columns';
    if (tile === undefined) return `the ${order} of tiles: ${ofOne} of each`;
    const size = tile === 'last' ? '' : ` of ${sizeInWords(tile)}`;
    return `the ${order} of tiles${size}, ${ofOne} of each for one picture`;
  },
  datatype: () => 'INT64',
  batchRule: () => 'concatenate',
  shape: () => [1, 2],
  values({ tile, ofOne = 1, columnsFirst }, { picture, pictures }) {
    if (pictures.length === 1 || tile === undefined) return [ofOne, ofOne];
    const { width, height } = tile === 'last' ? (pictures.at(-1) as Size) : tile;
    const [rows, columns] = [picture.height / height, picture.width / width];
    return columnsFirst ? [columns, rows] : [rows, columns];
  },
};
