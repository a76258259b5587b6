import type { Size } from '../shortest-edge.ts';

/** The filters of PyTorch that antialias floats, and how far they reach, in samples of the smaller image. */
const filters = {
  bilinear: { reach: 1, curve: triangle },
  bicubic: { reach: 2, curve: cubic },
} as const;

export type AntialiasFilter = keyof typeof filters;

/** The samples that a value is computed from, and their weights. */
export interface Window {
  readonly first: number;
  readonly weights: Float32Array;
}

/** Computes the windows of one axis: the samples of each value of the result. */
export type Windows = (from: number, to: number) => readonly Window[];

/**
 * Resizes floats along rows, then along columns. Values between the two passes are FP32, sums are doubles, so results are
 * within FP32 roundings of PyTorch's.
 *
 * @param read - the value of a pixel
 * @param target - size of the result, in pixels
 * @param windows - of rows and of columns
 * @param write - called for each pixel of the result, row by row
 */
export function resampleFloats(
  source: Size,
  read: (x: number, y: number) => number,
  target: Size,
  windows: { readonly across: Windows; readonly down: Windows },
  write: (value: number, x: number, y: number) => void,
): void {
  const across = windows.across(source.width, target.width);
  const rows = new Float32Array(source.height * target.width);
  for (let y = 0, at = 0; y < source.height; y++) {
    for (const { first, weights } of across) {
      let sum = 0;
      for (let tap = 0; tap < weights.length; tap++) sum += (weights[tap] as number) * read(first + tap, y);
      rows[at++] = sum;
    }
  }
  for (const [y, { first, weights }] of windows.down(source.height, target.height).entries()) {
    for (let x = 0; x < target.width; x++) {
      let sum = 0;
      let at = first * target.width + x;
      for (let tap = 0; tap < weights.length; tap++, at += target.width) {
        sum += (weights[tap] as number) * (rows[at] as number);
      }
      write(sum, x, y);
    }
  }
}

/**
 * The windows of PyTorch's antialiased resize of floats (aten/src/ATen/native/cpu/UpSampleKernel.cpp,
 * `_compute_indices_min_size_weights_aa`). Positions and weights are FP32 as there.
 */
export function antialiasedWindows(filter: AntialiasFilter): Windows {
  return (from, to) => windowsOf(from, to, filter);
}

function windowsOf(from: number, to: number, filter: AntialiasFilter): readonly Window[] {
  const { reach, curve } = filters[filter];
  const scale = Math.fround(from / to);
  const support = Math.fround(reach * Math.max(scale, 1));
  const inverse = scale >= 1 ? Math.fround(1 / scale) : 1;
  return Array.from({ length: to }, (_, at): Window => {
    const centre = Math.fround(scale * (at + 0.5));
    const first = Math.max(Math.trunc(Math.fround(centre - support) + 0.5), 0);
    const end = Math.min(Math.trunc(Math.fround(centre + support) + 0.5), from);
    const weights = Float32Array.from({ length: end - first }, (_value, tap) =>
      curve(Math.fround((Math.fround(tap + first - centre) + 0.5) * inverse)),
    );
    const sum = weights.reduce((total, weight) => Math.fround(total + weight), 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

function triangle(x: number): number {
  return Math.max(0, 1 - Math.abs(x));
}

/** Keys' cubic with a = −0.5. */
function cubic(x: number): number {
  const distance = Math.abs(x);
  if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
  return distance < 2 ? ((-0.5 * distance + 2.5) * distance - 4) * distance + 2 : 0;
}
