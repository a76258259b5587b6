import type { Pixels } from '../pixels.ts';
import { roundHalfToEven } from '../shortest-edge.ts';
import { type Axis, type LimitedTaps, limitedTaps, scaleOf } from './opencv-taps.ts';
import { pickPixels } from './pick.ts';

/*
 * Interpolations of OpenCV's resize of uint8 in whole numbers, with the same operations as in
 * modules/imgproc/src/resize.cpp: INTER_LINEAR_EXACT and INTER_LANCZOS4.
 */

type WholeTaps = LimitedTaps<Int32Array>;

/**
 * INTER_LINEAR_EXACT: two pixels along each axis, weights with 8 fraction bits.
 *
 * @param source - [height, width, channels] uint8
 * @returns [height, width, channels] uint8, in an ArrayBuffer of its own
 */
export function linearExact(source: Pixels, across: Axis, down: Axis): Pixels {
  return weigh(source, exactTaps(across), exactTaps(down), 16);
}

/** INTER_LANCZOS4: eight pixels along each axis, weights with 11 fraction bits. The same as {@link linearExact} otherwise. */
export function lanczos4(source: Pixels, across: Axis, down: Axis): Pixels {
  return weigh(source, lanczosTaps(across), lanczosTaps(down), 22);
}

/** INTER_NEAREST_EXACT of OpenCV 4, which resolves ties in another way than 5: the pixel at the centre of each result pixel, in 16.16 fixed point. */
export function nearestExact(source: Pixels, across: Axis, down: Axis): Pixels {
  const size = { width: across.to - across.from, height: down.to - down.from };
  return pickPixels(source, nearestExactPixels(across), nearestExactPixels(down), size);
}

function nearestExactPixels({ sourceSize, size, from, to }: Axis): Int32Array {
  const step = Math.trunc((sourceSize * 2 ** 16 + Math.trunc(size / 2)) / size);
  const first = Math.trunc(step / 2) - (sourceSize % 2);
  return Int32Array.from({ length: to - from }, (_, i) =>
    Math.min(sourceSize - 1, Math.floor((step * (from + i) + first) / 2 ** 16)),
  );
}

function exactTaps(axis: Axis): WholeTaps {
  const scale = scaleOf(axis);
  return limitedTaps(axis, 2, Int32Array, (i) => {
    const position = scale * (i + 0.5) - 0.5;
    const start = Math.floor(position);
    if (start < 0) return [0, [256, 0]];
    if (start >= axis.sourceSize - 1) return [axis.sourceSize - 1, [256, 0]];
    const second = roundHalfToEven((position - start) * 256);
    return [start, [256 - second, second]];
  });
}

function lanczosTaps(axis: Axis): WholeTaps {
  const scale = scaleOf(axis);
  return limitedTaps(axis, 8, Int32Array, (i) => {
    const position = Math.fround((i + 0.5) * scale - 0.5);
    const start = Math.floor(position);
    const weights = lanczos4Weights(Math.fround(position - start));
    return [start - 3, weights.map((weight) => roundHalfToEven(Math.fround(weight * 2 ** 11)))];
  });
}

const s45 = Math.SQRT1_2;
const rotations = [
  [1, 0],
  [-s45, -s45],
  [0, 1],
  [s45, -s45],
  [-1, 0],
  [s45, s45],
  [0, -1],
  [-s45, s45],
] as const;

/** interpolateLanczos4: sums in single precision, the window in double. @param x - 0…1, in single precision */
export function lanczos4Weights(x: number): readonly number[] {
  const angle = -Math.fround(x + 3) * Math.PI * 0.25;
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  let sum = 0;
  const weights = rotations.map(([bySine, byCosine], i) => {
    const distance = Math.fround(Math.fround(x + 3) - i);
    const radians = -distance * Math.PI * 0.25;
    const weight =
      Math.abs(distance) >= Math.fround(1e-6)
        ? Math.fround((bySine * sine + byCosine * cosine) / (radians * radians))
        : Math.fround(1e30);
    sum = Math.fround(sum + weight);
    return weight;
  });
  const inverse = Math.fround(1 / sum);
  return weights.map((weight) => Math.fround(weight * inverse));
}

/** Weighs rows, then columns, in 32-bit whole numbers. @param bits - fraction bits of a product of two weights */
function weigh(source: Pixels, across: WholeTaps, down: WholeTaps, bits: number): Pixels {
  const { channels } = source;
  const [width, height] = [across.pixels.length / across.count, down.pixels.length / down.count];
  const data = new Uint8ClampedArray(width * height * channels);
  const rows = new Map<number, Int32Array>();
  const half = 1 << (bits - 1);
  for (let y = 0; y < height; y++) {
    const first = y * down.count;
    const needed = down.pixels.subarray(first, first + down.count);
    for (const row of rows.keys()) if (row < (needed[0] as number)) rows.delete(row);
    const weighed = Array.from(needed, (row) => {
      const known = rows.get(row) ?? weighRow(source, row, across);
      rows.set(row, known);
      return known;
    });
    for (let x = 0; x < width * channels; x++) {
      let sum = half;
      for (let k = 0; k < weighed.length; k++) {
        sum =
          (sum + Math.imul((weighed[k] as Int32Array)[x] as number, down.weights[first + k] as number)) | 0;
      }
      data[y * width * channels + x] = sum >> bits;
    }
  }
  return { data: new Uint8Array(data.buffer), width, height, channels };
}

function weighRow(
  { data, width, channels }: Pixels,
  row: number,
  { count, pixels, weights }: WholeTaps,
): Int32Array {
  const columns = pixels.length / count;
  const sums = new Int32Array(columns * channels);
  const start = row * width * channels;
  for (let x = 0, to = 0; x < columns; x++) {
    for (let channel = 0; channel < channels; channel++, to++) {
      let sum = 0;
      for (let k = x * count; k < (x + 1) * count; k++) {
        sum += (data[start + (pixels[k] as number) * channels + channel] as number) * (weights[k] as number);
      }
      sums[to] = sum;
    }
  }
  return sums;
}
