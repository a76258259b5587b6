import type { Pixels } from '../pixels.ts';
import { type Axis, type Cover, coversOf, scaleOf } from './opencv-taps.ts';
import { bytesOf } from './strip.ts';
import { type Arena, useKernels } from './wasm.ts';

/**
 * OpenCV's INTER_AREA by whole factors: the mean of each block of pixels.
 *
 * @param source - [height, width, 1 | 3 | 4] uint8
 * @returns [height, width, 1 | 3 | 4] uint8, in an ArrayBuffer of its own
 */
export function averageFactors(source: Pixels, across: Axis, down: Axis): Pixels {
  const [factor, factorDown] = [Math.round(scaleOf(across)), Math.round(scaleOf(down))];
  const scale = Math.fround(1 / (factor * factorDown));
  return makeRows(source, across, down, (arena, columns, out, sums) => {
    const { channels, width } = source;
    const first = across.from * factor * channels;
    const row = arena.take(columns * factor * channels);
    return (y) => {
      const { kernels, memory } = arena;
      for (let i = 0; i < factorDown; i++) {
        const from = ((down.from + y) * factorDown + i) * width * channels + first;
        memory.set(bytesOf(source.data).subarray(from, from + columns * factor * channels), row);
        kernels.addPixels(row, sums, columns, channels, factor);
      }
      if (factor === 2 && factorDown === 2) kernels.quarterSums(sums, out, columns, channels);
      else kernels.scaleSums(sums, out, columns, channels, scale);
    };
  });
}

/**
 * OpenCV's INTER_AREA when reducing by any other factor: the mean of the source pixels that a result pixel covers, in
 * single precision, rows first.
 *
 * @param source - [height, width, 1 | 3 | 4] uint8
 * @returns [height, width, 1 | 3 | 4] uint8, in an ArrayBuffer of its own
 */
export function averageArea(source: Pixels, across: Axis, down: Axis): Pixels {
  const rows = coversOf(down);
  return makeRows(source, across, down, (arena, columns, out, sums) => {
    const { channels } = source;
    const rowBytes = source.width * channels;
    const table = putTable(arena, coversOf(across), channels);
    const row = arena.take(rowBytes);
    const weighed = arena.take(columns * 16);
    let weighedRow = -1;
    return (y) => {
      const { kernels, memory } = arena;
      const { start, weights } = rows[y] as Cover;
      for (const [i, weight] of weights.entries()) {
        // Two rows of the result may share a row of the source.
        if (weighedRow !== start + i) {
          weighedRow = start + i;
          const from = weighedRow * rowBytes;
          memory.set(bytesOf(source.data).subarray(from, from + rowBytes), row);
          kernels.weighPixels(row, table, weighed, columns, channels);
        }
        kernels.addWeighed(weighed, sums, columns, weight);
      }
      kernels.roundSums(sums, out, columns, channels);
    };
  });
}

/**
 * Computes a result row by row.
 *
 * @param prepare - reserves memory and returns a function that computes row y at `out`, from sums that start at 0
 */
function makeRows(
  source: Pixels,
  across: Axis,
  down: Axis,
  prepare: (arena: Arena, columns: number, out: number, sums: number) => (y: number) => void,
): Pixels {
  const { channels } = source;
  const [width, height] = [across.to - across.from, down.to - down.from];
  const rowBytes = width * channels;
  const result = new Uint8Array(rowBytes * height);
  useKernels((arena) => {
    const out = arena.take(rowBytes);
    const sums = arena.take(width * 16);
    const makeRow = prepare(arena, width, out, sums);
    const { memory } = arena;
    for (let y = 0; y < height; y++) {
      memory.fill(0, sums, sums + width * 16);
      makeRow(y);
      result.set(memory.subarray(out, out + rowBytes), y * rowBytes);
    }
  });
  return { data: result, width, height, channels };
}

/** For each column: bytes from the row's start to its first pixel, the number of pixels, and their weights. */
function putTable(arena: Arena, columns: readonly Cover[], channels: number): number {
  const words = new Int32Array(columns.reduce((length, { weights }) => length + 2 + weights.length, 0));
  const floats = new Float32Array(words.buffer);
  let at = 0;
  for (const { start, weights } of columns) {
    words[at++] = start * channels;
    words[at++] = weights.length;
    floats.set(weights, at);
    at += weights.length;
  }
  const table = arena.take(words.byteLength);
  arena.memory.set(bytesOf(words), table);
  return table;
}
