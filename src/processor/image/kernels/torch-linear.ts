import { sizeUpright } from '../../codecs/orient.ts';
import { cutUpright, wholeOf } from '../cutout.ts';
import type { Pixels } from '../pixels.ts';
import { roundHalfToEven, type Size } from '../shortest-edge.ts';
import { checkSide, copyOf, maxSide } from './resample.ts';
import type { TorchTarget } from './torch.ts';

/** The target of a bilinear resize by torch without antialiasing. */
export type TorchLinearTarget = Omit<TorchTarget, 'filter'>;

/** The two samples of an axis that a value is computed from, and their weights. */
interface Taps {
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  readonly weights: readonly [ofFirst: Float32Array, ofSecond: Float32Array];
}

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
  const across = tapsOf(source.width, width, cutout.left, cutout.right);
  const down = tapsOf(source.height, height, cutout.top, cutout.bottom);
  const { channels } = source;
  const [columns, rows] = [across.first.length, down.first.length];
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
    const [ofUpper, ofLower] = [down.weights[0][y] as number, down.weights[1][y] as number];
    const start = y * columns * channels;
    for (let i = 0; i < upper.length; i++) {
      result[start + i] = roundHalfToEven(fusedSum(ofUpper, upper[i] as number, ofLower, lower[i] as number));
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
    const [ofLeft, ofRight] = [across.weights[0][x] as number, across.weights[1][x] as number];
    for (let channel = 0; channel < channels; channel++) {
      const [a, b] = [data[left + channel] as number, data[right + channel] as number];
      result[to++] = fusedSum(ofLeft, a, ofRight, b);
    }
  }
}

/** `fma(w0, a, w1 · b)` in FP32: the products of two FP32 numbers are exact in double. */
function fusedSum(w0: number, a: number, w1: number, b: number): number {
  return Math.fround(w0 * a + Math.fround(w1 * b));
}

/** The taps of the results from `begin` to `end`, in FP32. */
function tapsOf(from: number, to: number, begin: number, end: number): Taps {
  const first = new Uint32Array(end - begin);
  const second = new Uint32Array(end - begin);
  const weights = [new Float32Array(end - begin), new Float32Array(end - begin)] as const;
  const scale = Math.fround(from / to);
  for (let i = 0; i < end - begin; i++) {
    const position = Math.max(0, Math.fround(Math.fround(scale * (begin + i + 0.5)) - 0.5));
    const index = Math.min(Math.floor(position), from - 1);
    const weight = Math.min(1, Math.fround(position - index));
    first[i] = index;
    second[i] = Math.min(index + 1, from - 1);
    weights[0][i] = 1 - weight;
    weights[1][i] = weight;
  }
  return { first, second, weights };
}
