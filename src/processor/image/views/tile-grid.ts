import type { Size } from '../shortest-edge.ts';
import { kernelInWords, sizeInWords } from '../words.ts';
import { closestRatio, coveringGrid, leastUpscaling, perceptionGrid } from './grids.ts';
import { type DensePages, mostTilesOf, pageGrid } from './page-grid.ts';
import { type Resampling, resizeTo, type ViewsKind } from './view.ts';

/**
 * The tiles of an image that is resized to a grid of them without keeping its proportions, and the whole image as
 * one more tile if there are several.
 */
export interface TileGridViews extends Resampling {
  readonly kind: 'tileGrid';
  readonly tile: Size;
  /** Numbers of tiles to choose from. */
  readonly minTiles: number;
  readonly maxTiles: number;
  /** Images that may have more tiles. Unset: none. */
  readonly dense?: DensePages | undefined;
  readonly rule: GridRule;
  /** Position of the whole image. `alwaysFirst`: also where there is one tile. */
  readonly whole: 'first' | 'last' | 'alwaysFirst';
}

/** The rule that chooses the grid, by the image processor of transformers that has it; grids.ts and page-grid.ts compute them. */
export type GridRule = keyof typeof gridRules;

const gridRules = {
  GotOcr2: closestRatio,
  Cohere2Vision: leastUpscaling,
  GraniteDocling: pageGrid,
  Ovis2: coveringGrid,
  PerceptionLM: perceptionGrid,
} as const;

export const tileGrid: ViewsKind<TileGridViews> = {
  inWords({ tile, minTiles, maxTiles, dense, rule, whole, ...kernel }) {
    const place = {
      first: 'before them if there are several',
      last: 'after them if there are several',
      alwaysFirst: 'before them',
    };
    const most = dense === undefined ? maxTiles : `${maxTiles} (${denseInWords(dense)})`;
    return `make pictures of ${sizeInWords(tile)}: the tiles of the image resized to a grid of ${minTiles} to ${most} that ${rule}'s rule chooses, and the whole image ${place[whole]} (${kernelInWords(kernel)})`;
  },
  branches(views, source) {
    const { tile, minTiles, maxTiles, dense, rule } = views;
    const most = dense === undefined ? maxTiles : mostTilesOf(source, tile, minTiles, maxTiles, dense);
    const { columns, rows } = gridRules[rule](source, tile, minTiles, most);
    const canvas = { width: tile.width * columns, height: tile.height * rows };
    const tiles = { steps: [resizeTo(canvas, views)], tiles: tile };
    const whole = { steps: [resizeTo(tile, views)] };
    if (views.whole === 'alwaysFirst') return [whole, tiles];
    if (columns * rows === 1) return [tiles];
    return views.whole === 'first' ? [whole, tiles] : [tiles, whole];
  },
};

function denseInWords({ maxTiles, maxScale, minRatio, maxRatio }: DensePages): string {
  const conditions = [
    ...(minRatio > 0 ? [`over ${minRatio} times as wide as high`] : []),
    ...(maxRatio > 0 ? [`at most ${maxRatio} times as wide as high`] : []),
    ...(maxScale > 0 ? [`whose width the grid reduces below ${maxScale}`] : []),
  ];
  return `${maxTiles} for images ${conditions.join(', ')}`;
}
