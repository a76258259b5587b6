import { Failure } from '../../failures.ts';
import { areaOf, cutUpright, wholeOf } from './cutout.ts';
import { pickPixels } from './kernels/pick.ts';
import { upright } from './picture.ts';
import type { Pixels } from './pixels.ts';
import type { Size } from './shortest-edge.ts';
import type { StepKind } from './step.ts';

/**
 * Pads each side of an image by 3 · √(length / 2) pixels, rounded down: the image mirrored at its outermost pixels, which
 * are not repeated. ZoeDepthImageProcessor of transformers (image_processing_zoedepth.py).
 */
export interface ReflectPadStep {
  readonly kind: 'reflectPad';
  /** Whether the padding may be as long as the image, as in NumPy. PyTorch refuses such an image. */
  readonly repeats: boolean;
}

export const reflectPad: StepKind<ReflectPadStep> = {
  inWords: () => 'pad each side by 3 · √(length / 2) pixels with the image mirrored at its outermost pixels',
  place: (_, { width, height, colours }) => ({
    width: width + 2 * paddingOf(width),
    height: height + 2 * paddingOf(height),
    colours,
  }),
  fixedSize: () => undefined,
  checkInput({ repeats }, { width, height }) {
    const actual = Math.min(width, height);
    if (repeats || paddingOf(actual) < actual) return;
    throw new Failure(
      'IMAGE_TOO_SMALL',
      `The image has ${width} × ${height} pixels; the model's processor mirrors more of a side than these have. Send an image with sides of at least ${leastSide}.`,
      { limit: leastSide, actual },
    );
  },
  inputCutout: wholeOf,
  newPixels: ({ output }) => areaOf(output),
  run: (picture, { output, cutout }) => cutUpright(reflected(upright(picture), output), 1, cutout),
};

/** The shortest side that is longer than its padding. */
const leastSide = 5;

function paddingOf(length: number): number {
  return Math.trunc(Math.sqrt(length / 2) * 3);
}

function reflected(image: Pixels, size: Size): Pixels {
  return pickPixels(image, sourceIndices(image.width), sourceIndices(image.height), size);
}

/** The pixel of the image for each pixel of the result, along one axis. */
function sourceIndices(length: number): Int32Array {
  const padding = paddingOf(length);
  const period = Math.max(1, 2 * (length - 1));
  return Int32Array.from({ length: length + 2 * padding }, (_, at) => {
    const inPeriod = (((at - padding) % period) + period) % period;
    return inPeriod < length ? inPeriod : period - inPeriod;
  });
}
