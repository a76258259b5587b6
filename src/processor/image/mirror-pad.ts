import { Failure } from '../../failures.ts';
import { areaOf, cutUpright, wholeOf } from './cutout.ts';
import { pickPixels } from './kernels/pick.ts';
import { upright } from './picture.ts';
import type { Pixels } from './pixels.ts';
import type { Size } from './shortest-edge.ts';
import type { StepKind } from './step.ts';

/**
 * Pads an image to the right and below until its sides are the next multiples, which exceed sides that are multiples
 * already. The padding is the image from its last pixel back, as often as needed: `Swin2SRImageProcessor.pad` of
 * transformers (image_processing_swin2sr.py).
 */
export interface MirrorPadStep {
  readonly kind: 'mirrorPad';
  /** In pixels. */
  readonly multiple: number;
  /** Whether the padding may be longer than the image, as in NumPy. torchvision refuses such an image. */
  readonly repeats: boolean;
}

export const mirrorPad: StepKind<MirrorPadStep> = {
  inWords: ({ multiple }) =>
    `pad at the right and bottom with the mirrored image to the next multiples of ${multiple}`,
  place: ({ multiple }, { width, height, colours }) => ({
    width: next(width, multiple),
    height: next(height, multiple),
    colours,
  }),
  fixedSize: () => undefined,
  checkInput({ multiple, repeats }, { width, height }) {
    const shortest = Math.min(...[width, height].filter((side) => 2 * side < next(side, multiple)));
    if (repeats || shortest === Number.POSITIVE_INFINITY) return;
    throw new Failure(
      'IMAGE_TOO_SMALL',
      `The image has ${width} × ${height} pixels; the model's processor mirrors a side to multiples of ${multiple}, which takes at least half of that. Send a larger image.`,
      { limit: Math.ceil(multiple / 2), actual: shortest },
    );
  },
  inputCutout: wholeOf,
  newPixels: ({ output }) => areaOf(output),
  run: (picture, { output, cutout }) => cutUpright(mirrored(upright(picture), output), 1, cutout),
};

function mirrored(image: Pixels, size: Size): Pixels {
  const columns = Int32Array.from({ length: size.width }, (_, x) => mirroredIndex(x, image.width));
  const rows = Int32Array.from({ length: size.height }, (_, y) => mirroredIndex(y, image.height));
  return pickPixels(image, columns, rows, size);
}

function next(side: number, multiple: number): number {
  return (Math.floor(side / multiple) + 1) * multiple;
}

function mirroredIndex(index: number, length: number): number {
  const inPeriod = index % (2 * length);
  return inPeriod < length ? inPeriod : 2 * length - 1 - inPeriod;
}
