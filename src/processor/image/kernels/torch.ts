import { sizeUpright } from '../../codecs/orient.ts';
import { type Cutout, cutUpright, sizeOfCutout, wholeOf } from '../cutout.ts';
import type { Pixels } from '../pixels.ts';
import type { Size } from '../shortest-edge.ts';
import { pickPixels } from './pick.ts';
import { checkIntermediate, checkSide, copyOf, maxSide, type Target } from './resample.ts';
import type { PlainTorchFilterName, WeighingTorchFilterName } from './torch-weights.ts';
import { resampleStored } from './upright.ts';
import { isPicking, type PickingFilterName, reachedPixels } from './weights.ts';

/** torchvision's interpolations of uint8 by the names of our filters. */
export type TorchFilterName = WeighingTorchFilterName | PickingFilterName;

/** The target of a resize by torch. */
export type TorchTarget = Omit<Target, 'filter' | 'box'> & {
  readonly filter: TorchFilterName;
  /**
   * The part of the upright source that is resampled, in whole pixels; no pixel outside of it counts. Unset: all of it.
   */
  readonly part?: Cutout | undefined;
};

/**
 * The cutout of torchvision's `functional.resize(image[..., part], (height, width), filter, antialias=True)` of uint8
 * on a CPU, byte for byte. The horizontal pass always runs first, rounded to uint8 before the second. Alpha is treated
 * as any other channel.
 *
 * Fails as {@link checkTorchWork} does.
 *
 * @param stored - [height, width, channels] uint8, as stored
 * @param orientation - EXIF's, 1…8
 * @returns [height, width, channels] uint8, upright, in an ArrayBuffer of its own
 */
export function resampleAsTorch(stored: Pixels, orientation: number, target: TorchTarget): Pixels {
  const source = sizeUpright(stored, orientation);
  const { width, height, filter, part = wholeOf(source), cutout = wholeOf(target) } = target;
  const partSize = sizeOfCutout(part);
  if (partSize.width === width && partSize.height === height) {
    return copyOf(cutUpright(stored, orientation, within(part, cutout)), stored);
  }
  checkTorchWork(source, target);
  if (isPicking(filter)) {
    const upright = cutUpright(stored, orientation, part);
    const pixelOf = picking(filter, { width, height });
    const columns = pickedPixels(pixelOf, partSize.width, width, cutout.left, cutout.right);
    const rows = pickedPixels(pixelOf, partSize.height, height, cutout.top, cutout.bottom);
    return pickPixels(upright, columns, rows, sizeOfCutout(cutout));
  }
  return resampleStored(
    stored,
    orientation,
    ['torch', source.width, part.left, part.right, width, filter, cutout.left, cutout.right],
    ['torch', source.height, part.top, part.bottom, height, filter, cutout.top, cutout.bottom],
    { verticalFirst: false, premultiplies: false, toLuma: false },
  );
}

/**
 * The cutout of torchvision's `functional.resize(image[..., part], (height, width), filter, antialias=False)` of uint8 on
 * a CPU with AVX2, byte for byte, and of `interpolate` of uint8 on any CPU.
 *
 * @param source - [height, width, channels] uint8
 * @returns [height, width, channels] uint8, in an ArrayBuffer of its own
 */
export function resampleAsPlainTorch(
  source: Pixels,
  target: Omit<TorchTarget, 'filter'> & { readonly filter: PlainTorchFilterName },
): Pixels {
  const { width, height, filter, part = wholeOf(source), cutout = wholeOf(target) } = target;
  const partSize = sizeOfCutout(part);
  if (partSize.width === width && partSize.height === height) {
    return copyOf(cutUpright(source, 1, within(part, cutout)), source);
  }
  checkTorchWork(source, target);
  return resampleStored(
    source,
    1,
    ['plainTorch', source.width, part.left, part.right, width, filter, cutout.left, cutout.right],
    ['plainTorch', source.height, part.top, part.bottom, height, filter, cutout.top, cutout.bottom],
    { verticalFirst: false, premultiplies: false, toLuma: false },
  );
}

/**
 * Fails with OUTPUT_PIXELS_OVER_LIMIT if resampling would: the source or the whole result has a side over 2²⁰ pixels,
 * or there are over 2²⁸ pixels between the passes.
 *
 * @param source - its size, upright
 */
export function checkTorchWork(source: Size, target: TorchTarget): void {
  const { width, height, filter, part = wholeOf(source), cutout = wholeOf(target) } = target;
  const partSize = sizeOfCutout(part);
  if (partSize.width === width && partSize.height === height) return;
  checkSide(Math.max(source.width, source.height, width, height), maxSide);
  if (isPicking(filter)) return;
  const rows = reachedPixels(partSize.height, 0, partSize.height, height, filter, cutout.top, cutout.bottom);
  checkIntermediate(source, target, rows * sizeOfCutout(cutout).width);
}

/** Width and height together up to which torch has another kernel for small results, `_use_vectorized_kernel_cond_2d`. */
export const largestSmallResult = 128;

/** Where a result pixel is in the source, in source pixels; its whole part is the source pixel. */
type PixelOf = (result: number, scale: number) => number;

/**
 * torch's modes "nearest" and "nearest-exact", which are torchvision's `InterpolationMode.NEAREST` and `NEAREST_EXACT`:
 * the source pixel of result pixel i is ⌊i · scale⌋ or ⌊(i + ½) · scale⌋ in single precision. Large results by
 * "nearest-exact" are ⌊((i + ½) · scale − ½) + ½⌋, with a rounding at the parenthesis (HelperInterpNearestExact).
 */
function picking(filter: PickingFilterName, { width, height }: Size): PixelOf {
  if (filter === 'nearest') return (result, scale) => Math.fround(result * scale);
  if (width + height <= largestSmallResult) return (result, scale) => Math.fround((result + 0.5) * scale);
  return (result, scale) => Math.fround(Math.fround((result + 0.5) * scale - 0.5) + 0.5);
}

function pickedPixels(
  pixelOf: PixelOf,
  sourceSize: number,
  size: number,
  firstResult: number,
  endResult: number,
): Int32Array {
  const scale = Math.fround(sourceSize / size);
  return Int32Array.from({ length: endResult - firstResult }, (_, i) =>
    Math.min(sourceSize - 1, Math.floor(pixelOf(firstResult + i, scale))),
  );
}

/** A part of a part, in the coordinates of the outer part. */
function within(outer: Cutout, inner: Cutout): Cutout {
  return {
    left: outer.left + inner.left,
    top: outer.top + inner.top,
    right: outer.left + inner.right,
    bottom: outer.top + inner.bottom,
  };
}
