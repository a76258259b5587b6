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
}

/**
 * A fixed size, to which a larger image is cut; sides of at least those of a size; the least multiples that are not less
 * than the sides; or the square of the longer side.
 */
export type PaddedSize = Size | { readonly atLeast: Size } | { readonly multipleOf: number } | 'square';

export const padTo: StepKind<PadToStep> = {
  inWords({ to, at, colour }) {
    const size = paddedSizeInWords(to);
    const place = at === 'centre' ? 'in the centre' : 'at the top left';
    return `pad to ${size} with ${colourInWords(colour)}, the image ${place}`;
  },
  place({ to, at, colour }, input) {
    const { width, height } = paddedSize(to, input);
    const isCovered = input.width === width && input.height === height;
    const left = at === 'centre' ? Math.floor((width - input.width) / 2) : 0;
    const top = at === 'centre' ? Math.floor((height - input.height) / 2) : 0;
    const colours = colour === undefined || isCovered ? input.colours : 3;
    return { width, height, colours, left, top };
  },
  fixedSize: ({ to }) => (typeof to === 'object' && 'width' in to ? to : undefined),
  inputCutout: cutoutUnderCanvas,
  newPixels: canvasPixels,
  run(picture, placed) {
    const { colour } = placed.step;
    const pixels = placed.output.colours === 3 ? grayToRgb(picture.pixels) : picture.pixels;
    return placeOnCanvas({ ...picture, pixels }, placed, colour);
  },
};

function paddedSize(to: PaddedSize, { width, height }: Size): Size {
  if (to === 'square') return { width: Math.max(width, height), height: Math.max(width, height) };
  if ('width' in to) return to;
  if ('atLeast' in to) {
    return { width: Math.max(width, to.atLeast.width), height: Math.max(height, to.atLeast.height) };
  }
  const side = (length: number) => Math.ceil(length / to.multipleOf) * to.multipleOf;
  return { width: side(width), height: side(height) };
}

function paddedSizeInWords(to: PaddedSize): string {
  if (to === 'square') return 'the square of the longer side';
  if ('width' in to) return sizeInWords(to);
  return 'atLeast' in to ? `at least ${sizeInWords(to.atLeast)}` : `multiples of ${to.multipleOf}`;
}
