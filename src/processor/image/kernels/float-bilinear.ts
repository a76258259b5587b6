import type { Size } from '../shortest-edge.ts';

/** The two samples that each value of an axis is computed from, and the weight of the second. */
export interface Taps {
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  readonly weight: Float32Array;
}

/**
 * PyTorch's bilinear interpolation of floats without antialiasing (aten/src/ATen/native/cpu/UpSampleKernel.cpp,
 * HelperInterpLinear). Positions and weights are FP32 as there. Sums are doubles, so results are within an FP32 rounding
 * of PyTorch's.
 *
 * @param read - the value of a pixel
 * @param target - size of the result, in pixels
 * @param write - called for each pixel of the result, row by row
 */
export function bilinear(
  source: Size,
  read: (x: number, y: number) => number,
  target: Size,
  write: (value: number, x: number, y: number) => void,
): void {
  const across = linearTaps(source.width, target.width);
  const down = linearTaps(source.height, target.height);
  const inRow = (column: number, y: number): number => {
    const weight = across.weight[column] as number;
    const [left, right] = [across.first[column] as number, across.second[column] as number];
    return Math.fround(1 - weight) * read(left, y) + weight * read(right, y);
  };
  for (let y = 0; y < target.height; y++) {
    const weight = down.weight[y] as number;
    const [top, bottom] = [down.first[y] as number, down.second[y] as number];
    for (let x = 0; x < target.width; x++) {
      write(Math.fround(1 - weight) * inRow(x, top) + weight * inRow(x, bottom), x, y);
    }
  }
}

/**
 * The taps of an axis, in FP32.
 *
 * @param isFused - whether product and difference of a position are rounded once, as in the kernel for channels last,
 *   which PyTorch uses with one thread
 */
export function linearTaps(from: number, to: number, isFused = true): Taps {
  const first = new Uint32Array(to);
  const second = new Uint32Array(to);
  const weight = new Float32Array(to);
  const scale = Math.fround(from / to);
  for (let at = 0; at < to; at++) {
    const product = scale * (at + 0.5);
    const position = Math.max(0, Math.fround((isFused ? product : Math.fround(product)) - 0.5));
    const index = Math.min(Math.floor(position), from - 1);
    first[at] = index;
    second[at] = Math.min(index + 1, from - 1);
    weight[at] = Math.min(1, Math.fround(position - index));
  }
  return { first, second, weight };
}
