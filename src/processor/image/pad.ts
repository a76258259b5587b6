import { canvasPixels, cutoutUnderCanvas, placeOnCanvas } from './picture.ts';
import type { Colour } from './pixels.ts';
import { grayToRgb } from './pixels.ts';
import { roundHalfToEven } from './shortest-edge.ts';
import type { StepKind } from './step.ts';
import { colourInWords, sizeInWords } from './words.ts';

/**
 * Places an image on width × height pixels. The bars have a colour; without one they are black, or transparent if there
 * is alpha.
 */
export interface PadStep {
  readonly kind: 'pad';
  /** In pixels, at least those of the image. */
  readonly width: number;
  readonly height: number;
  /** Column of the image. Unset: centred, as in Pillow's `ImageOps.pad`. */
  readonly left?: number | undefined;
  /** Row of the image. Unset: centred, as in Pillow's `ImageOps.pad`. */
  readonly top?: number | undefined;
  readonly colour: Colour | undefined;
}

export const pad: StepKind<PadStep> = {
  inWords(step) {
    const { left, top, colour } = step;
    const place = left === undefined || top === undefined ? 'in the centre' : `at column ${left}, row ${top}`;
    return `pad to ${sizeInWords(step)} with ${colourInWords(colour)}, the image ${place}`;
  },
  place({ width, height, colour, ...at }, input) {
    const left = at.left ?? roundHalfToEven((width - input.width) * 0.5);
    const top = at.top ?? roundHalfToEven((height - input.height) * 0.5);
    const isCovered = input.width === width && input.height === height;
    return { width, height, colours: colour === undefined || isCovered ? input.colours : 3, left, top };
  },
  fixedSize: ({ width, height }) => ({ width, height }),
  inputCutout: cutoutUnderCanvas,
  newPixels: canvasPixels,
  run(picture, placed) {
    const { colour } = placed.step;
    const pixels = placed.output.colours === 3 ? grayToRgb(picture.pixels) : picture.pixels;
    return placeOnCanvas({ ...picture, pixels }, placed, colour);
  },
};
