import { type Cutout, wholeOf } from '../cutout.ts';
import type { Size } from '../shortest-edge.ts';
import { alignedScale, linearTaps } from './float-bilinear.ts';
import type { FloatPicture, Samples } from './samples.ts';
import { largestSmallResult } from './torch.ts';

/*
 * torch's resize of FP32 on a CPU, to the last bit, with the same operations as in
 * aten/src/ATen/native/cpu/UpSampleKernel.cpp. Compilers fuse its products and sums: a fused operation is computed in
 * double, where the product of two FP32 numbers is exact.
 */

export type TorchFloatFilter = 'bilinear' | 'bicubic';

/** Along one axis: the source pixels of each computed result pixel, and their weights. */
interface Taps {
  /** Whether the products of four taps are rounded, see {@link firstFusedOf}. */
  readonly areVectors: boolean;
  /** The taps of result pixel i are those from offsets[i] to before offsets[i + 1]. */
  readonly offsets: Int32Array;
  readonly pixels: Int32Array;
  readonly weights: Float32Array;
}

/**
 * `interpolate(image, (height, width), mode=filter, antialias=…, align_corners=…)` of FP32: rows first.
 *
 * @param part - of the source that is resampled
 * @param cutout - of the result
 */
export function resampleFloatsAsTorch(
  samples: Samples,
  part: Cutout,
  size: Size,
  cutout: Cutout,
  filter: TorchFloatFilter,
  antialias: boolean,
  alignsCorners = false,
): FloatPicture {
  const windows = [filter, antialias, alignsCorners] as const;
  const across = tapsOf(part.right - part.left, size.width, cutout.left, cutout.right, ...windows);
  const down = tapsOf(part.bottom - part.top, size.height, cutout.top, cutout.bottom, ...windows);
  if (!antialias && filter === 'bilinear' && size.width + size.height <= largestSmallResult) {
    return linearInOneStep(samples, part, size, cutout, alignsCorners);
  }
  const { channels } = samples.pixels;
  const [width, height] = [cutout.right - cutout.left, cutout.bottom - cutout.top];
  const values = width * channels;
  const data = new Float32Array(values * height);
  const rows = new Map<number, Float32Array>();
  for (let y = 0; y < height; y++) {
    const [begin, end] = [down.offsets[y] as number, down.offsets[y + 1] as number];
    forgetRows(rows, down.pixels.subarray(begin, end));
    const result = data.subarray(y * values, (y + 1) * values);
    const firstFused = down.areVectors ? firstFusedOf(begin, end) : begin;
    for (let tap = begin; tap < end; tap++) {
      const row = down.pixels[tap] as number;
      const weighed = rows.get(row) ?? weighRow(samples, part, row, across);
      rows.set(row, weighed);
      const weight = down.weights[tap] as number;
      for (let x = 0; x < values; x++) {
        const product = (weighed[x] as number) * weight;
        const rounded = tap < firstFused ? Math.fround(product) : product;
        result[x] = rounded + (tap === begin ? 0 : (result[x] as number));
      }
    }
  }
  return { data, width, height, channels };
}

/** The whole result of a whole picture. */
export function resampleWholeAsTorch(
  samples: Samples,
  size: Size,
  filter: TorchFloatFilter,
  antialias: boolean,
  alignsCorners = false,
): FloatPicture {
  const [part, cutout] = [wholeOf(samples.pixels), wholeOf(size)];
  return resampleFloatsAsTorch(samples, part, size, cutout, filter, antialias, alignsCorners);
}

/** Small results are interpolated along both axes at once: `cpu_upsample_linear_channels_last`. */
function linearInOneStep(
  { pixels, values }: Samples,
  part: Cutout,
  size: Size,
  cutout: Cutout,
  alignsCorners: boolean,
): FloatPicture {
  const { data: levels, channels } = pixels;
  const across = linearTaps(part.right - part.left, size.width, true, alignsCorners);
  const down = linearTaps(part.bottom - part.top, size.height, true, alignsCorners);
  const [width, height] = [cutout.right - cutout.left, cutout.bottom - cutout.top];
  const data = new Float32Array(width * height * channels);
  let to = 0;
  for (let y = cutout.top; y < cutout.bottom; y++) {
    const low = down.weight[y] as number;
    const high = Math.fround(1 - low);
    const top = (part.top + (down.first[y] as number)) * pixels.width + part.left;
    const bottom = (part.top + (down.second[y] as number)) * pixels.width + part.left;
    for (let x = cutout.left; x < cutout.right; x++) {
      const far = across.weight[x] as number;
      const near = Math.fround(1 - far);
      const weights = [high * near, high * far, low * near, low * far].map(Math.fround);
      const [w00 = 0, w01 = 0, w10 = 0, w11 = 0] = weights;
      const [left, right] = [across.first[x] as number, across.second[x] as number];
      for (let channel = 0; channel < channels; channel++) {
        const at = (pixel: number) => values[levels[pixel * channels + channel] as number] as number;
        const second = Math.fround(at(top + right) * w01);
        const upper = Math.fround(at(top + left) * w00 + second);
        data[to++] = at(bottom + right) * w11 + Math.fround(at(bottom + left) * w10 + upper);
      }
    }
  }
  return { data, width, height, channels };
}

/** Rows follow each other in the source: those before the ones that are needed are not needed again. */
function forgetRows(rows: Map<number, Float32Array>, needed: Int32Array): void {
  const first = Math.min(...needed);
  for (const row of rows.keys()) if (row < first) rows.delete(row);
}

/**
 * The first tap whose product is fused with the sum. The compiler computes the products of four taps at once, after the
 * first tap; those are rounded.
 */
function firstFusedOf(begin: number, end: number): number {
  return begin + 1 + Math.floor(Math.max(0, end - begin - 1) / 4) * 4;
}

/** A row of the part, weighed across. */
function weighRow(
  { pixels: { data, width, channels }, values }: Samples,
  part: Cutout,
  row: number,
  across: Taps,
) {
  const columns = across.offsets.length - 1;
  const result = new Float32Array(columns * channels);
  const start = ((part.top + row) * width + part.left) * channels;
  for (let x = 0, to = 0; x < columns; x++) {
    const [begin, end] = [across.offsets[x] as number, across.offsets[x + 1] as number];
    const firstFused = across.areVectors ? firstFusedOf(begin, end) : begin;
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (let tap = begin; tap < end; tap++) {
        const level = data[start + (across.pixels[tap] as number) * channels + channel] as number;
        const product = (values[level] as number) * (across.weights[tap] as number);
        sum = Math.fround((tap < firstFused ? Math.fround(product) : product) + sum);
      }
      result[to++] = sum;
    }
  }
  return result;
}

function tapsOf(
  from: number,
  to: number,
  begin: number,
  end: number,
  filter: TorchFloatFilter,
  antialias: boolean,
  alignsCorners: boolean,
): Taps {
  const windowOf = antialias
    ? antialiasedWindow(from, to, filter)
    : filter === 'bilinear'
      ? linearWindow(from, to, alignsCorners)
      : cubicWindow(from, to, alignsCorners);
  const offsets = new Int32Array(end - begin + 1);
  const pixels: number[] = [];
  const weights: number[] = [];
  for (let at = begin; at < end; at++) {
    const window = windowOf(at);
    pixels.push(...window.pixels);
    weights.push(...window.weights);
    offsets[at - begin + 1] = pixels.length;
  }
  return {
    areVectors: antialias,
    offsets,
    pixels: Int32Array.from(pixels),
    weights: Float32Array.from(weights),
  };
}

/** The source pixels of a result pixel in the order in which they are added, and their weights. */
interface Window {
  readonly pixels: readonly number[];
  readonly weights: readonly number[];
}

type WindowOf = (result: number) => Window;

/** `compute_indices_weights` of HelperInterpLinear. The second product is rounded, and the first one is fused with it. */
function linearWindow(from: number, to: number, alignsCorners: boolean): WindowOf {
  const { first, second, weight } = linearTaps(from, to, false, alignsCorners);
  return (at) => {
    const share = weight[at] as number;
    return {
      pixels: [second[at] as number, first[at] as number],
      weights: [share, Math.fround(1 - share)],
    };
  };
}

/** `compute_indices_weights` of HelperInterpCubic. The second product is rounded, and the others are fused with it. */
function cubicWindow(from: number, to: number, alignsCorners: boolean): WindowOf {
  const scale = alignsCorners ? alignedScale(from, to) : Math.fround(from / to);
  return (at) => {
    const position = Math.fround(alignsCorners ? scale * at : scale * Math.fround(at + 0.5) - 0.5);
    const pixel = Math.min(Math.floor(position), from - 1);
    const share = Math.min(1, Math.max(0, Math.fround(position - pixel)));
    const rest = Math.fround(1 - share);
    return {
      pixels: [0, -1, 1, 2].map((offset) => Math.min(Math.max(pixel + offset, 0), from - 1)),
      weights: [
        nearPlainCubic(share),
        farPlainCubic(Math.fround(share + 1)),
        nearPlainCubic(rest),
        farPlainCubic(Math.fround(rest + 1)),
      ],
    };
  };
}

/** `_compute_indices_min_size_weights_aa`. */
function antialiasedWindow(from: number, to: number, filter: TorchFloatFilter): WindowOf {
  const reach = filter === 'bilinear' ? 1 : 2;
  const curve = filter === 'bilinear' ? triangle : keysCubic;
  const scale = Math.fround(from / to);
  const support = scale >= 1 ? Math.fround(reach * scale) : reach;
  const inverse = scale >= 1 ? Math.fround(1 / scale) : 1;
  const longest = Math.ceil(support) * 2 + 1;
  return (at) => {
    const centre = Math.fround(scale * (at + 0.5));
    const first = Math.max(Math.trunc(Math.fround(centre - support) + 0.5), 0);
    const end = Math.min(Math.trunc(Math.fround(centre + support) + 0.5), from);
    const count = Math.min(longest, Math.max(0, end - first));
    const weights = Array.from({ length: count }, (_, tap) =>
      curve(Math.fround((Math.fround(tap + first - centre) + 0.5) * inverse)),
    );
    const sum = weights.reduce((total, weight) => Math.fround(total + weight), 0);
    return {
      pixels: weights.map((_, tap) => first + tap),
      weights: weights.map((weight) => (sum === 0 ? weight : Math.fround(weight / sum))),
    };
  };
}

function triangle(signed: number): number {
  const x = Math.abs(signed);
  return x < 1 ? Math.fround(1 - x) : 0;
}

/** Keys' cubic with a = −0.5; each product and the sum after it are fused. */
function keysCubic(signed: number): number {
  const x = Math.abs(signed);
  if (x < 1) return Math.fround(Math.fround(Math.fround(1.5 * x - 2.5) * x) * x + 1);
  return x < 2 ? Math.fround(Math.fround(Math.fround(-0.5 * x + 2.5) * x - 4) * x + 2) : 0;
}

/** `cubic_convolution1` with a = −0.75, of which the last sum is not fused. */
function nearPlainCubic(x: number): number {
  const inner = Math.fround(1.25 * x - 2.25);
  return Math.fround(Math.fround(Math.fround(inner * x) * x) + 1);
}

/** `cubic_convolution2` with a = −0.75, of which the last sum is not fused. */
function farPlainCubic(x: number): number {
  const inner = Math.fround(-0.75 * x + 3.75);
  return Math.fround(Math.fround(Math.fround(inner * x - 6) * x) + 3);
}
