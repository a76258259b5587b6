import { gridsWithin } from '../views/grids.ts';
import type { ExtraKind } from './extra.ts';

/**
 * Mllama's number of the grid of tiles: its position, from 1, among all grids of at most `maxTiles` tiles, by rows,
 * then by columns: [1, 1]. `convert_aspect_ratios_to_ids` (image_processing_mllama.py of transformers).
 */
export interface AspectRatioIdExtra {
  readonly kind: 'aspectRatioId';
  /** Side of a tile, in pixels. */
  readonly tile: number;
  readonly maxTiles: number;
}

export const aspectRatioId: ExtraKind<AspectRatioIdExtra> = {
  inWords: ({ maxTiles }) =>
    `the number of the grid of tiles among those of at most ${maxTiles} tiles, from 1`,
  datatype: () => 'INT64',
  batchRule: () => 'concatenate',
  shape: () => [1, 1],
  values({ tile, maxTiles }, { picture }) {
    const [rows, columns] = [picture.height / tile, picture.width / tile];
    // gridsWithin lists by columns, then by rows.
    const index = gridsWithin(1, maxTiles).findIndex(
      (grid) => grid.columns === rows && grid.rows === columns,
    );
    return [index + 1];
  },
};
