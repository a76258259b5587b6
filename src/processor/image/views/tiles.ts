import { Failure } from '../../../failures.ts';
import type { Size } from '../shortest-edge.ts';

/** The most tiles of a picture. They are listed for each image before it is decoded; real models stay below 200. */
const mostTiles = 4096;

/** A tile's position in its picture, and its size, in pixels. */
export interface Tile extends Size {
  readonly left: number;
  readonly top: number;
}

/**
 * The tiles of a picture, row by row. The last ones of a row or column may be smaller.
 *
 * @throws Failure OUTPUT_PIXELS_OVER_LIMIT for more than 4096 tiles
 */
export function tilesOf({ width, height }: Size, tile: Size): readonly Tile[] {
  const [columns, rows] = [Math.ceil(width / tile.width), Math.ceil(height / tile.height)];
  const actual = columns * rows;
  if (actual > mostTiles) {
    throw new Failure(
      'OUTPUT_PIXELS_OVER_LIMIT',
      `The picture of ${width} × ${height} pixels has ${actual} tiles of ${tile.width} × ${tile.height}; the limit is ${mostTiles}. Choose larger tiles or a smaller picture.`,
      { limit: mostTiles, actual },
    );
  }
  return Array.from({ length: actual }, (_, index): Tile => {
    const left = (index % columns) * tile.width;
    const top = Math.floor(index / columns) * tile.height;
    return {
      left,
      top,
      width: Math.min(tile.width, width - left),
      height: Math.min(tile.height, height - top),
    };
  });
}
