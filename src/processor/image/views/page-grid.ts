import type { Size } from '../shortest-edge.ts';
import { byTiles, closestOf, type Grid, gridsWithin } from './grids.ts';

/*
 * The grid of tiles that GraniteDoclingImageProcessor of transformers chooses for a page
 * (image_processing_granite_docling.py).
 */

/** The pages that may have more tiles than others: wide ones, or those that the grid reduces. */
export interface DensePages {
  readonly maxTiles: number;
  /** The grid's width ÷ the page's below which a page is dense. 0: every page. */
  readonly maxScale: number;
  /** The ratio of width to height that a page has to exceed. 0: none. */
  readonly minRatio: number;
  /** The ratio of width to height that a page may not exceed. 0: none. */
  readonly maxRatio: number;
}

/** Tiles in a row or column: the model has names for as many. */
const mostOfSide = 16;

/** `get_optimal_tiled_canvas`: as GotOcr2 chooses it, with at most 16 tiles a side. */
export function pageGrid(source: Size, tile: Size, minTiles: number, maxTiles: number): Grid {
  const grids = gridsWithin(minTiles, maxTiles).filter(
    ({ columns, rows }) => columns <= mostOfSide && rows <= mostOfSide,
  );
  return closestOf(source, tile, byTiles(grids));
}

/** `get_tile_budget`: the most tiles of a page. */
export function mostTilesOf(
  source: Size,
  tile: Size,
  minTiles: number,
  maxTiles: number,
  dense: DensePages,
): number {
  const ratio = source.width / source.height;
  if (dense.minRatio > 0 && !(ratio > dense.minRatio)) return maxTiles;
  if (dense.maxRatio > 0 && ratio > dense.maxRatio) return maxTiles;
  if (dense.maxScale > 0) {
    const { columns } = pageGrid(source, tile, minTiles, maxTiles);
    if (!((columns * tile.width) / source.width < dense.maxScale)) return maxTiles;
  }
  return dense.maxTiles;
}
