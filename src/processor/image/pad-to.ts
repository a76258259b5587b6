import { Failure } from '../../failures.ts';
import { canvasPixels, cutoutUnderCanvas, placeOnCanvas } from './picture.ts';
import type { Colour } from './pixels.ts';
import { grayToRgb } from './pixels.ts';
import type { Size } from './shortest-edge.ts';
import type { StepKind } from './step.ts';
import { colourInWords, sizeInWords } from './words.ts';

/** Pads an image to a size that depends on its own. */
export interface PadToStep {
  readonly kind: 'padTo';
  readonly to: PaddedSize;
  /** Position of the image: the pixels around it are halved, rounded down, or follow it to the right and below. */
  readonly at: 'centre' | 'topLeft';
  /** Of the padding. Unset: black, or transparent if there is alpha. */
  readonly colour?: Colour | undefined;
  /** Whether the library refuses an image that is larger than `to`, a size, instead of cutting it. */
  readonly refusesLarger?: true | undefined;
}

/**
 * The size of the result, in pixels:
 *
 * - a size, to which a larger image is cut;
 * - `square`: both sides are the longer side;
 * - `multipleOf`: both sides are rounded up to a multiple;
 * - `atLeast`: no side is shorter than that of a size.
 */
export type PaddedSize = Size | 'square' | { readonly multipleOf: number } | LeastSize;

export interface LeastSize {
  readonly atLeast: Size;
  /** Only images whose width + height is below it are padded. Unset: all. */
  readonly ifSumBelow?: number | undefined;
}

export const padTo: StepKind<PadToStep> = {
  inWords({ to, at, colour }) {
    const place = at === 'centre' ? 'in the centre' : 'at the top left';
    return `pad to ${paddedSizeInWords(to)} with ${colourInWords(colour)}, the image ${place}`;
  },
  place({ to, at, colour }, input) {
    const { width, height } = paddedSize(to, input);
    const isCovered = input.width === width && input.height === height;
    const left = at === 'centre' ? paddingBefore(width, input.width) : 0;
    const top = at === 'centre' ? paddingBefore(height, input.height) : 0;
    const colours = colour === undefined || isCovered ? input.colours : 3;
    return { width, height, colours, left, top };
  },
  fixedSize: ({ to }) => (typeof to === 'object' && 'width' in to ? to : undefined),
  inputCutout: cutoutUnderCanvas,
  checkInput({ to, refusesLarger }, input) {
    if (refusesLarger) checkFits(input, paddedSize(to, input));
  },
  newPixels: canvasPixels,
  run(picture, placed) {
    const { colour } = placed.step;
    const pixels = placed.output.colours === 3 ? grayToRgb(picture.pixels) : picture.pixels;
    return placeOnCanvas({ ...picture, pixels }, placed, colour);
  },
};

/** Libraries refuse negative padding. @throws Failure PADDED_SIZE_EXCEEDED */
export function checkFits(picture: Size, canvas: Size): void {
  if (picture.width <= canvas.width && picture.height <= canvas.height) return;
  throw new Failure(
    'PADDED_SIZE_EXCEEDED',
    `The preset resizes this image to ${sizeInWords(picture)} pixels and pads it to ${sizeInWords(canvas)}, which is smaller. Send an image of other proportions, or a config with a larger size to pad to.`,
    { limit: sizeInWords(canvas), actual: sizeInWords(picture) },
  );
}

/** The size of a padded image. */
export function paddedSize(to: PaddedSize, { width, height }: Size): Size {
  if (to === 'square') return { width: Math.max(width, height), height: Math.max(width, height) };
  if ('width' in to) return to;
  if ('multipleOf' in to) {
    const roundUp = (side: number) => Math.ceil(side / to.multipleOf) * to.multipleOf;
    return { width: roundUp(width), height: roundUp(height) };
  }
  const { atLeast, ifSumBelow = Number.POSITIVE_INFINITY } = to;
  if (width + height >= ifSumBelow) return { width, height };
  return { width: Math.max(width, atLeast.width), height: Math.max(height, atLeast.height) };
}

function paddedSizeInWords(to: PaddedSize): string {
  if (to === 'square') return 'the square of the longer side';
  if ('width' in to) return sizeInWords(to);
  if ('multipleOf' in to) return `multiples of ${to.multipleOf}`;
  const { atLeast, ifSumBelow } = to;
  const limit = ifSumBelow === undefined ? '' : ` if width + height is below ${ifSumBelow},`;
  return `at least ${sizeInWords(atLeast)}${limit}`;
}

/** The padding before an image in the centre, along one axis. */
export function paddingBefore(side: number, imageSide: number): number {
  return Math.floor((side - imageSide) / 2);
}
