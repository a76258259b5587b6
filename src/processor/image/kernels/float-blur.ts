import type { Size } from '../shortest-edge.ts';
import { linearTaps } from './float-bilinear.ts';
import type { Samples } from './samples.ts';
import { resampleWholeAsTorch } from './torch-float.ts';

/** The samples that a value is computed from, and their weights. */
interface Window {
  readonly first: number;
  readonly weights: Float32Array;
}

/**
 * The values of one channel, resized as `resize` of Owlv2ImageProcessor does. It blurs only an image that becomes smaller
 * on both sides, and along rows by the standard deviation of the height, since gaussian_blur takes that of the width first.
 * PyTorch blurs by sums of up to hundreds of FP32 products, so blurred values are within their roundings.
 */
export function resampleBlurred(samples: Samples, target: Size): ArrayLike<number> {
  const { pixels } = samples;
  const sigmaOf = (from: number, to: number) => Math.max(0, Math.fround((Math.fround(from / to) - 1) / 2));
  const ofHeight = sigmaOf(pixels.height, target.height);
  const ofWidth = sigmaOf(pixels.width, target.width);
  if (ofHeight === 0 || ofWidth === 0) return resampleWholeAsTorch(samples, target, 'bilinear', false).data;
  const across = blurredWindows(ofHeight, pixels.width, target.width);
  const down = blurredWindows(ofWidth, pixels.height, target.height);
  return inTwoPasses(samples, target, across, down);
}

/** Values between the two passes are FP32, sums are doubles. */
function inTwoPasses(
  { pixels: { data, width, height }, values }: Samples,
  target: Size,
  across: readonly Window[],
  down: readonly Window[],
): Float32Array {
  const rows = new Float32Array(height * target.width);
  for (let y = 0, at = 0; y < height; y++) {
    for (const { first, weights } of across) {
      let sum = 0;
      for (let tap = 0, from = y * width + first; tap < weights.length; tap++, from++) {
        sum += (weights[tap] as number) * (values[data[from] as number] as number);
      }
      rows[at++] = sum;
    }
  }
  const result = new Float32Array(target.width * target.height);
  for (const [y, { first, weights }] of down.entries()) {
    for (let x = 0; x < target.width; x++) {
      let sum = 0;
      let from = first * target.width + x;
      for (let tap = 0; tap < weights.length; tap++, from += target.width) {
        sum += (weights[tap] as number) * (rows[from] as number);
      }
      result[y * target.width + x] = sum;
    }
  }
  return result;
}

/**
 * The windows of a Gaussian blur that reflects at the borders, followed by a bilinear resize without antialiasing:
 * `gaussian_blur` of torchvision (transforms/v2/functional/_misc.py), then `interpolate`. Both are sums with weights, so
 * they are one.
 *
 * @param sigma - standard deviation of the blur, in pixels
 */
function blurredWindows(sigma: number, from: number, to: number): readonly Window[] {
  const reach = Math.ceil(3 * sigma);
  const kernel = gaussian(reach, sigma);
  const { first, second, weight } = linearTaps(from, to, false);
  return Array.from({ length: to }, (_, at): Window => {
    const [left, right, share] = [first[at] as number, second[at] as number, weight[at] as number];
    const start = Math.max(0, left - reach);
    const end = Math.min(from, right + reach + 1);
    const weights = new Float32Array(end - start);
    for (const [centre, part] of [
      [left, 1 - share],
      [right, share],
    ] as const) {
      for (const [tap, value] of kernel.entries()) {
        const index = reflected(centre - reach + tap, from) - start;
        weights[index] = (weights[index] as number) + part * value;
      }
    }
    return { first: start, weights };
  });
}

/** A kernel of 2 × reach + 1 weights whose sum is 1. */
function gaussian(reach: number, sigma: number): Float64Array {
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, at) =>
    Math.exp(-((at - reach) ** 2) / (2 * sigma ** 2)),
  );
  const sum = kernel.reduce((total, value) => total + value, 0);
  return kernel.map((value) => value / sum);
}

/** Reflects an index beyond the borders, without repeating the border itself. */
function reflected(index: number, length: number): number {
  const within = Math.abs(index);
  return within < length ? within : 2 * (length - 1) - within;
}
