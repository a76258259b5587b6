import type { Size } from '../shortest-edge.ts';
import type { Step } from '../steps.ts';
import { kernelInWords, sizeInWords } from '../words.ts';
import { bestResolution, paddedInto } from './any-resolution.ts';
import { tilesOf } from './tiles.ts';
import { type Branch, cropTo, type Resampling, resizeTo, squareOf, type ViewsKind } from './view.ts';

/**
 * An image, or its tiles in the best of some resolutions, each resized to a longest edge at the top left of a black
 * square: AriaImageProcessor of transformers (image_processing_aria.py).
 */
export interface AriaViews extends Resampling {
  readonly kind: 'aria';
  /** Side of the square, and of a tile, in pixels. */
  readonly square: number;
  /** Least side of the resized picture, in pixels. */
  readonly minSide: number;
  /** The resolutions to choose from, in pixels. Unset: the image is not cut. */
  readonly resolutions: readonly Size[] | undefined;
}

export const aria: ViewsKind<AriaViews> = {
  inWords({ square, minSide, resolutions, ...kernel }) {
    const sizes = resolutions?.map(sizeInWords).join(', ');
    const pictures =
      sizes === undefined ? 'the image' : `tiles of the image inside the best of ${sizes}, each`;
    return `make pictures: ${pictures} with a longer side of ${square} and a shorter one of at least ${minSide}, at the top left of a black square (${kernelInWords(kernel)})`;
  },
  branches(views, source) {
    const { square, resolutions } = views;
    const finish = (size: Size): readonly Step[] => [
      resizeTo(sizeInSquare(size, views), views),
      { kind: 'pad', ...squareOf(square), left: 0, top: 0, colour: undefined },
    ];
    if (resolutions === undefined) return [{ steps: finish(source) }];
    const best = bestResolution(source, resolutions);
    const padded = paddedInto(best, source, views);
    return tilesOf(best, squareOf(square)).map(
      (tile): Branch => ({ steps: [...padded, cropTo(tile), ...finish(tile)] }),
    );
  },
};

/** The longer side becomes the square's, the other one is in proportion, rounded down, and not below `minSide`. */
function sizeInSquare({ width, height }: Size, { square, minSide }: Omit<AriaViews, 'kind'>): Size {
  const scale = square / Math.max(height, width);
  return width >= height
    ? { width: square, height: Math.max(Math.trunc(height * scale), minSide) }
    : { width: Math.max(Math.trunc(width * scale), minSide), height: square };
}
