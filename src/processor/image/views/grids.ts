import type { Size } from '../shortest-edge.ts';

/*
 * The rules by which image processors of transformers choose a grid of tiles for an image. Sizes are in pixels; the
 * arithmetic is that of Python's floats, which are doubles, if nothing else is stated.
 */

/** A number of tiles in each direction. */
export interface Grid {
  readonly columns: number;
  readonly rows: number;
}

/** All grids within a number of tiles, by columns, then by rows. */
export function gridsWithin(minTiles: number, maxTiles: number): readonly Grid[] {
  const grids: Grid[] = [];
  for (let columns = 1; columns <= maxTiles; columns++) {
    for (let rows = Math.ceil(minTiles / columns); columns * rows <= maxTiles; rows++) {
      if (rows >= 1) grids.push({ columns, rows });
    }
  }
  return grids;
}

function tilesOf({ columns, rows }: Grid): number {
  return columns * rows;
}

/** By number of tiles; grids of equal number keep their order. */
export function byTiles(grids: readonly Grid[]): readonly Grid[] {
  return grids.toSorted((a, b) => tilesOf(a) - tilesOf(b));
}

/**
 * The grid whose aspect ratio is closest to the image's. Of several, the last one whose tiles have less than twice the
 * image's pixels: `get_optimal_tiled_canvas` of GotOcr2ImageProcessor, which InternVL uses, too.
 */
export function closestRatio(source: Size, tile: Size, minTiles: number, maxTiles: number): Grid {
  return closestOf(source, tile, byTiles(gridsWithin(minTiles, maxTiles)));
}

/**
 * The grid of several whose aspect ratio is closest to the image's, as {@link closestRatio} chooses it.
 *
 * @param grids - by number of tiles
 */
export function closestOf(source: Size, tile: Size, grids: readonly Grid[]): Grid {
  const ratio = source.width / source.height;
  const area = source.width * source.height;
  let best: Grid = { columns: 1, rows: 1 };
  let least = Number.POSITIVE_INFINITY;
  for (const grid of grids) {
    const difference = Math.abs(ratio - grid.columns / grid.rows);
    if (difference < least) {
      least = difference;
      best = grid;
    } else if (difference === least && area > 0.5 * tile.height * tile.width * grid.columns * grid.rows) {
      best = grid;
    }
  }
  return best;
}

/**
 * The grid that enlarges the image least, or reduces it least if none enlarges it: `get_optimal_tiled_canvas` of
 * Cohere2VisionImageProcessor. It takes the tile's height for both sides, and ignores the least number of tiles.
 */
export function leastUpscaling(source: Size, tile: Size, _minTiles: number, maxTiles: number): Grid {
  const grids = byTiles(gridsWithin(1, maxTiles));
  const scales = grids.map(({ columns, rows }) =>
    Math.min((columns * tile.height) / source.width, (rows * tile.height) / source.height),
  );
  const isReduced = scales.every((scale) => scale < 1);
  const eligible = isReduced
    ? scales.map((scale) => -scale)
    : scales.map((scale) => (scale < 1 ? 10e9 : scale));
  return grids[eligible.indexOf(Math.min(...eligible))] as Grid;
}

/** The share of the image that the tiles of Ovis2's grid have to cover at their own resolution. */
const coveringShare = 0.9;

/**
 * The smallest grid whose tiles cover most of the image: `get_min_tile_covering_grid` of Ovis2ImageProcessor. There a
 * grid is (rows, columns) while the regions are computed and (columns, rows) afterwards; so it is here.
 */
export function coveringGrid(source: Size, tile: Size, _minTiles: number, maxTiles: number): Grid {
  const grids = byTiles(gridsWithin(1, maxTiles)).map((grid) => {
    const regions = regionsOf(source, { rows: grid.columns, columns: grid.rows });
    const covered = regions.reduce((sum, region) => sum + coveredArea(region, tile.height), 0);
    return { grid, share: covered / (source.width * source.height) };
  });
  const sufficient = grids.filter(({ share }) => share > coveringShare);
  const [best] =
    sufficient.length > 0
      ? sufficient.toSorted((a, b) => tilesOf(a.grid) - tilesOf(b.grid) || b.share - a.share)
      : grids.toSorted((a, b) => b.share - a.share || tilesOf(a.grid) - tilesOf(b.grid));
  return (best as { grid: Grid }).grid;
}

function regionsOf({ width, height }: Size, { columns, rows }: Grid): readonly Size[] {
  const [columnWidth, rowHeight] = [Math.floor(width / columns), Math.floor(height / rows)];
  const regions: Size[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      regions.push({
        width: column === columns - 1 ? width - column * columnWidth : columnWidth,
        height: row === rows - 1 ? height - row * rowHeight : rowHeight,
      });
    }
  }
  return regions;
}

/** `compute_patch_covering_area` of Ovis2ImageProcessor: the area of a region, reduced to the side of a tile. */
function coveredArea(region: Size, side: number): number {
  const long = Math.max(region.width, region.height);
  const short = Math.min(region.width, region.height);
  return long > side ? side * ((short / long) * side) : long * short;
}

/**
 * The largest grid into which the image fits without being reduced, else the one with the closest aspect ratio:
 * PerceptionLMImageProcessor.
 */
export function perceptionGrid(source: Size, tile: Size, _minTiles: number, maxTiles: number): Grid {
  if (maxTiles <= 1) return { columns: 1, rows: 1 };
  const byRatio = gridsByRatio(maxTiles);
  return fittingGrid(source, tile.width, [...byRatio.values()].flat()) ?? gridOfClosestRatio(source, byRatio);
}

/**
 * All grids of 1…`maxTiles` tiles, those of equal ratio together. The first number of each is a row of Llama 4 and a
 * column of PerceptionLM; here it is `columns`.
 */
export function gridsByRatio(maxTiles: number): ReadonlyMap<number, readonly Grid[]> {
  const byRatio = new Map<number, Grid[]>();
  for (let count = maxTiles; count > 0; count--) {
    for (let columns = 1; columns <= count; columns++) {
      if (count % columns !== 0) continue;
      const grid = { columns, rows: count / columns };
      const ratio = grid.columns / grid.rows;
      const others = byRatio.get(ratio);
      if (others === undefined) byRatio.set(ratio, [grid]);
      else others.push(grid);
    }
  }
  return byRatio;
}

function fittingGrid(source: Size, tile: number, grids: readonly Grid[]): Grid | undefined {
  const ratio = source.width / source.height;
  let best: { readonly grid: Grid; readonly shorter: number } | undefined;
  for (const grid of grids) {
    const canvas = { width: grid.columns * tile, height: grid.rows * tile };
    if (canvas.width < source.width || canvas.height < source.height) continue;
    const scale = Math.min(canvas.width / source.width, canvas.height / source.height);
    const shorter =
      ratio > 1
        ? Math.floor((scale * source.width) / ratio)
        : ratio < 1
          ? Math.floor(scale * source.height * ratio)
          : scale * source.height;
    if (best === undefined || shorter >= best.shorter) best = { grid, shorter };
  }
  return best?.grid;
}

function gridOfClosestRatio(source: Size, byRatio: ReadonlyMap<number, readonly Grid[]>): Grid {
  const ratio = source.width / source.height;
  const isWide = ratio >= 1;
  const ratios = [...byRatio.keys()].filter((each) => (isWide ? each <= ratio : each > ratio));
  const distance = (each: number) => Math.abs(isWide ? each - ratio : 1 / each - 1 / ratio);
  const closest = ratios.reduce((best, each) => (distance(each) < distance(best) ? each : best));
  const sideOf = ({ columns, rows }: Grid) => (isWide ? columns : rows);
  return (byRatio.get(closest) ?? []).reduce((best, each) => (sideOf(each) > sideOf(best) ? each : best));
}
