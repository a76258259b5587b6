import { sizeUpright } from '../../codecs/orient.ts';
import { cutUpright, wholeOf } from '../cutout.ts';
import type { Pixels } from '../pixels.ts';
import { roundHalfToEven, type Size } from '../shortest-edge.ts';
import { checkSide, copyOf, maxSide } from './resample.ts';
import type { TorchTarget } from './torch.ts';
import { resampleFloatsAsTorch } from './torch-float.ts';

/** The target of a bilinear resize by torch without antialiasing. */
export type TorchLinearTarget = Omit<TorchTarget, 'filter'>;

/**
 * The cutout of torchvision's `functional.resize(image[..., part], (height, width), BILINEAR, antialias=False)` of uint8
 * on a CPU without AVX2, byte for byte: torch interpolates the pixels as floats, and torchvision rounds half to even.
 * With a single thread torch chooses another kernel, whose bytes differ in a few pixels of a million.
 *
 * @param stored - [height, width, channels] uint8, as stored
 * @param orientation - EXIF's, 1…8
 * @returns [height, width, channels] uint8, upright, in an ArrayBuffer of its own
 * @throws OUTPUT_PIXELS_OVER_LIMIT as {@link checkTorchLinearWork}
 */
export function resampleAsTorchLinear(
  stored: Pixels,
  orientation: number,
  target: TorchLinearTarget,
): Pixels {
  const size = sizeUpright(stored, orientation);
  const { width, height, part = wholeOf(size), cutout = wholeOf(target) } = target;
  checkTorchLinearWork(size, target);
  const pixels = cutUpright(stored, orientation, part);
  if (pixels.width === width && pixels.height === height) {
    return copyOf(cutUpright(pixels, 1, cutout), stored);
  }
  const samples = { pixels, values: levels };
  const floats = resampleFloatsAsTorch(samples, wholeOf(pixels), target, cutout, 'bilinear', false);
  return { ...floats, data: Uint8Array.from(floats.data, roundHalfToEven) };
}

const levels = Float32Array.from({ length: 256 }, (_, level) => level);

/** Fails with OUTPUT_PIXELS_OVER_LIMIT if the source or the whole result has a side over 2²⁰ pixels. */
export function checkTorchLinearWork(source: Size, { width, height }: TorchLinearTarget): void {
  checkSide(Math.max(source.width, source.height, width, height), maxSide);
}
