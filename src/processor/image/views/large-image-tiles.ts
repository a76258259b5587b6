import { inSetOrder } from '../python-set.ts';
import { roundHalfToEven, type Size } from '../shortest-edge.ts';
import { type PixelBudgetRule, pixelBudget } from '../size-rules/pixel-budget.ts';
import { kernelInWords } from '../words.ts';
import { byTiles, closestOf, type Grid } from './grids.ts';
import { type Resampling, resizeTo, squareOf, type ViewsKind } from './view.ts';

/**
 * The image within a budget of pixels; or, if it has many more pixels, the tiles of the image resized to a grid of them
 * and then the image within the budget: Lfm2VlImageProcessor of transformers (image_processing_lfm2_vl.py).
 */
export interface LargeImageTilesViews extends Resampling {
  readonly kind: 'largeImageTiles';
  readonly budget: PixelBudgetRule;
  /** Side of a patch, in pixels. */
  readonly patch: number;
  /** Pixels above which an image is cut. */
  readonly largest: number;
  /** Side of a tile, in pixels. */
  readonly tile: number;
  readonly minTiles: number;
  readonly maxTiles: number;
  /** Whether the image within the budget follows several tiles. */
  readonly hasWhole: boolean;
}

export const largeImageTiles: ViewsKind<LargeImageTilesViews> = {
  inWords: ({ budget, largest, tile, minTiles, maxTiles, ...kernel }) =>
    `resize ${pixelBudget.inWords(budget)}; an image of more than ${largest} pixels is resized to a grid of ${minTiles} to ${maxTiles} tiles of ${tile} × ${tile} pixels, which come first (${kernelInWords(kernel)})`,
  branches(views, source) {
    const whole = { steps: [resizeTo(pixelBudget.size(views.budget, source), views)] };
    if (!isLarge(views, source)) return [whole];
    const { tile, minTiles, maxTiles, hasWhole } = views;
    const { columns, rows } = closestOf(source, squareOf(tile), byTiles(targetRatios(minTiles, maxTiles)));
    const canvas = { width: tile * columns, height: tile * rows };
    const tiles = { steps: [resizeTo(canvas, views)], tiles: squareOf(tile) };
    return hasWhole && columns * rows > 1 ? [tiles, whole] : [tiles];
  },
};

/** `_is_image_too_large`. */
function isLarge(
  { budget: { factor }, patch, largest }: LargeImageTilesViews,
  { width, height }: Size,
): boolean {
  const side = (length: number) => Math.max(patch, roundHalfToEven(length / factor) * factor);
  return side(height) * side(width) > largest;
}

/** `_target_ratios`: the order in which Python iterates over the set of grids decides between equals. */
function targetRatios(minTiles: number, maxTiles: number): readonly Grid[] {
  const pairs: [number, number][] = [];
  for (let longest = minTiles; longest <= maxTiles; longest++) {
    for (let columns = 1; columns <= longest; columns++) {
      for (let rows = 1; rows <= longest; rows++) {
        const isNew = longest === minTiles || Math.max(columns, rows) === longest;
        const tiles = columns * rows;
        if (isNew && tiles >= minTiles && tiles <= maxTiles) pairs.push([columns, rows]);
      }
    }
  }
  return inSetOrder(pairs).map(([columns, rows]) => ({ columns, rows }));
}
