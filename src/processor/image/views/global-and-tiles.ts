import type { Colour } from '../pixels.ts';
import type { Size } from '../shortest-edge.ts';
import type { Step } from '../steps.ts';
import { colourInWords, kernelInWords } from '../words.ts';
import { closestRatio } from './grids.ts';
import { type Branch, fitLongerSide, type Resampling, resizeTo, squareOf, type ViewsKind } from './view.ts';

/**
 * The whole image in a square, then, if a side is longer than a tile, the tiles of the image resized to a grid:
 * DeepseekOcr2ImageProcessor and UnlimitedOcrImageProcessor of transformers (image_processing_deepseek_ocr2.py).
 */
export interface GlobalAndTilesViews extends Resampling {
  readonly kind: 'globalAndTiles';
  /** Side of the square, in pixels. */
  readonly square: number;
  /** The padding around the image, which keeps its proportions. Unset: it is stretched to the square. */
  readonly colour: Colour | undefined;
  /** Unset: there are none. */
  readonly tiles: GridOfTiles | undefined;
}

interface GridOfTiles {
  /** Side of a tile, in pixels. */
  readonly side: number;
  readonly min: number;
  readonly max: number;
}

export const globalAndTiles: ViewsKind<GlobalAndTilesViews> = {
  inWords({ square, colour, tiles, ...kernel }) {
    const whole =
      colour === undefined
        ? `the whole image at ${square} × ${square}`
        : `the whole image, its longer side ${square}, in the centre of a square of ${colourInWords(colour)}`;
    const grid =
      tiles === undefined
        ? ''
        : `, then, if a side is longer than ${tiles.side}, the ${tiles.min} to ${tiles.max} tiles of ${tiles.side} × ${tiles.side} of the grid that GotOcr2's rule chooses`;
    return `make pictures: ${whole}${grid} (${kernelInWords(kernel)})`;
  },
  branches(views, source) {
    const whole: Branch = { steps: wholeSteps(views) };
    const { tiles } = views;
    if (tiles === undefined || Math.max(source.width, source.height) <= tiles.side) return [whole];
    return [whole, tilesBranch(source, tiles, views)];
  },
};

function wholeSteps({ square, colour, ...resampling }: GlobalAndTilesViews): readonly Step[] {
  if (colour === undefined) return [resizeTo(squareOf(square), resampling)];
  return fitLongerSide(square, resampling, colour);
}

function tilesBranch(source: Size, { side, min, max }: GridOfTiles, resampling: Resampling): Branch {
  const tile = squareOf(side);
  const { columns, rows } = closestRatio(source, tile, min, max);
  return { steps: [resizeTo({ width: side * columns, height: side * rows }, resampling)], tiles: tile };
}
