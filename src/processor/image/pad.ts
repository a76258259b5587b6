import { canvasPixels, cutoutUnderCanvas, placeOnCanvas } from './picture.ts';
import { grayToRgb } from './pixels.ts';
import type { Colour } from './plan.ts';
import { roundHalfToEven } from './shortest-edge.ts';
import type { StepKind } from './step.ts';

/**
 * Places an image in the centre of width × height pixels, as Pillow's `ImageOps.pad` does. The bars have a colour;
 * without one they are black, or transparent if there is alpha.
 */
export interface PadStep {
  readonly kind: 'pad';
  /** In pixels, at least those of the image. */
  readonly width: number;
  readonly height: number;
  readonly colour: Colour | undefined;
}

export const pad: StepKind<PadStep> = {
  place({ width, height, colour }, input) {
    const left = roundHalfToEven((width - input.width) * 0.5);
    const top = roundHalfToEven((height - input.height) * 0.5);
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
