import { sizeUpright } from '../../codecs/orient.ts';
import { cutUpright, sizeOfCutout, wholeOf } from '../cutout.ts';
import type { Pixels } from '../pixels.ts';
import { roundHalfToEven, type Size } from '../shortest-edge.ts';
import { linearTaps, type Taps } from './float-bilinear.ts';
import { checkSide, copyOf, maxSide } from './resample.ts';
import type { TorchTarget } from './torch.ts';

/** The target of a bilinear resize by torch without antialiasing. */
export type TorchLinearTarget = Omit<TorchTarget, 'filter'>;

/**
 * The cutout of torchvision's `functional.resize(image[..., part], (height, width), BILINEAR, antialias=False)` of uint8
 * on a CPU, byte for byte: torch interpolates the pixels as floats, across before down, and torchvision rounds half to
 * even (aten/src/ATen/native/cpu/UpSampleKernel.cpp, InterpolateLinear). Each sum is a fused multiplication and addition.
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
  const source = cutUpright(stored, orientation, part);
  if (source.width === width && source.height === height) {
    return copyOf(cutUpright(source, 1, cutout), stored);
  }
  const across = tapsWithin(linearTaps(source.width, width, false), cutout.left, cutout.right);
  const down = tapsWithin(linearTaps(source.height, height, false), cutout.top, cutout.bottom);
  const { channels } = source;
  const { width: columns, height: rows } = sizeOfCutout(cutout);
  const result = new Uint8Array(rows * columns * channels);
  // Rows follow each other in the source, so the last two are those that are needed again.
  let [upper, lower] = [new Float32Array(columns * channels), new Float32Array(columns * channels)];
  let [upperRow, lowerRow] = [-1, -1];
  for (let y = 0; y < rows; y++) {
    const [first, second] = [down.first[y] as number, down.second[y] as number];
    if (first === lowerRow) {
      [upper, lower] = [lower, upper];
      [upperRow, lowerRow] = [lowerRow, upperRow];
    }
    if (first !== upperRow) weighRow(source, first, across, upper);
    if (second !== lowerRow) weighRow(source, second, across, lower);
    [upperRow, lowerRow] = [first, second];
    const weight = down.weight[y] as number;
    const start = y * columns * channels;
    for (let i = 0; i < upper.length; i++) {
      result[start + i] = roundHalfToEven(weighed(upper[i] as number, lower[i] as number, weight));
    }
  }
  return { data: result, width: columns, height: rows, channels };
}

/** Fails with OUTPUT_PIXELS_OVER_LIMIT if the source or the whole result has a side over 2²⁰ pixels. */
export function checkTorchLinearWork(source: Size, { width, height }: TorchLinearTarget): void {
  checkSide(Math.max(source.width, source.height, width, height), maxSide);
}

/** A row of the source, interpolated across. */
function weighRow({ data, width, channels }: Pixels, row: number, across: Taps, result: Float32Array): void {
  const start = row * width * channels;
  let to = 0;
  for (let x = 0; x < across.first.length; x++) {
    const left = start + (across.first[x] as number) * channels;
    const right = start + (across.second[x] as number) * channels;
    const weight = across.weight[x] as number;
    for (let channel = 0; channel < channels; channel++) {
      const [a, b] = [data[left + channel] as number, data[right + channel] as number];
      result[to++] = weighed(a, b, weight);
    }
  }
}

/** `fma(1 − weight, a, weight · b)` in FP32: the products of two FP32 numbers are exact in double. */
function weighed(a: number, b: number, weight: number): number {
  return Math.fround(Math.fround(1 - weight) * a + Math.fround(weight * b));
}

function tapsWithin({ first, second, weight }: Taps, begin: number, end: number): Taps {
  return {
    first: first.subarray(begin, end),
    second: second.subarray(begin, end),
    weight: weight.subarray(begin, end),
  };
}
