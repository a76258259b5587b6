import { orient } from '../codecs/orient.ts';
import { areaOf, cutUpright, wholeOf } from './cutout.ts';
import { upright } from './picture.ts';
import type { Size } from './shortest-edge.ts';
import type { StepKind } from './step.ts';
import { sizeInWords } from './words.ts';

/**
 * Turns an image by 90° clockwise if its longer side is not that of a size: `DonutImageProcessor.align_long_axis` of
 * transformers (image_processing_donut.py).
 */
export interface TurnLongAxisStep extends Size {
  readonly kind: 'turnLongAxis';
}

export const turnLongAxis: StepKind<TurnLongAxisStep> = {
  inWords: (step) =>
    `turn by 90° clockwise if the longer side of the image is the shorter one of ${sizeInWords(step)}`,
  place: (step, { width, height, colours }) =>
    isTurned(step, { width, height })
      ? { width: height, height: width, colours }
      : { width, height, colours },
  fixedSize: () => undefined,
  inputCutout: wholeOf,
  newPixels: ({ step, input }) => (isTurned(step, input) ? areaOf(input) : 0),
  run(picture, { step, input, cutout }) {
    const pixels = upright(picture);
    return cutUpright(isTurned(step, input) ? orient(pixels, turnedClockwise) : pixels, 1, cutout);
  },
};

/** EXIF's orientation of an image that has to be turned by 90° clockwise. */
const turnedClockwise = 6;

function isTurned(to: Size, image: Size): boolean {
  return to.width < to.height
    ? image.width > image.height
    : to.width > to.height && image.width < image.height;
}
