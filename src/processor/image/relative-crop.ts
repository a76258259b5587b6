import { type CentreRule, cropStart } from './crop.ts';
import { canvasPixels, cutoutUnderCanvas, placeOnCanvas } from './picture.ts';
import type { StepKind } from './step.ts';

/**
 * Cuts the centre, whose sides are shares of the image's shorter side, rounded down:
 * `PerceiverImageProcessor.center_crop` of transformers (image_processing_perceiver.py).
 */
export interface RelativeCropStep {
  readonly kind: 'relativeCrop';
  /** Height ÷ the image's shorter side. */
  readonly heightShare: number;
  /** Width ÷ the image's shorter side. */
  readonly widthShare: number;
  readonly origin: CentreRule;
}

export const relativeCrop: StepKind<RelativeCropStep> = {
  inWords: ({ heightShare, widthShare }) =>
    `crop from the centre ${widthShare} of the shorter side in width and ${heightShare} of it in height`,
  place({ heightShare, widthShare, origin }, input) {
    const shorter = Math.min(input.width, input.height);
    const [width, height] = [Math.trunc(widthShare * shorter), Math.trunc(heightShare * shorter)];
    // + 0 turns −0 into 0.
    const left = -cropStart(input.width, width, origin) + 0;
    const top = -cropStart(input.height, height, origin) + 0;
    return { width, height, colours: input.colours, left, top };
  },
  fixedSize: () => undefined,
  inputCutout: cutoutUnderCanvas,
  newPixels: canvasPixels,
  run: (picture, placed) => placeOnCanvas(picture, placed),
};
