import type { Window, Windows } from './float-antialias.ts';
import { linearTaps } from './float-bilinear.ts';

/**
 * The windows of a Gaussian blur that reflects at the borders, followed by a bilinear resize without antialiasing:
 * `gaussian_blur` of torchvision (transforms/v2/functional/_misc.py), then `interpolate`. Both are sums with weights, so
 * they are one.
 *
 * @param sigma - standard deviation of the blur, in pixels
 */
export function blurredWindows(sigma: number): Windows {
  const reach = Math.ceil(3 * sigma);
  const kernel = gaussian(reach, sigma);
  return (from, to) => {
    const { first, second, weight } = linearTaps(from, to);
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
  };
}

/** The windows of a bilinear resize without antialiasing. */
export const unblurredWindows: Windows = (from, to) => {
  const { first, second, weight } = linearTaps(from, to);
  return Array.from({ length: to }, (_, at): Window => {
    const [left, right, share] = [first[at] as number, second[at] as number, weight[at] as number];
    return { first: left, weights: left === right ? Float32Array.of(1) : Float32Array.of(1 - share, share) };
  });
};

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
