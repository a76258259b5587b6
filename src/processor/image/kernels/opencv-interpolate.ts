import type { Pixels } from '../pixels.ts';
import type { Taps } from './opencv-taps.ts';
import { bytesOf, roundUp } from './strip.ts';
import { type Arena, useKernels } from './wasm.ts';

/** Pixels that the taps may reach beyond either end of a row. */
const reach = 3;

/**
 * Weighs two or four neighbouring pixels along each axis, as OpenCV's resize does: weighed source rows go to a ring,
 * and each row of the result is computed from two or four of them.
 *
 * @param source - [height, width, 1 | 3 | 4] uint8
 * @param singlePrecisionValues - of a row of the result, where four pixels are weighed. Unset: two are
 * @returns [height, width, 1 | 3 | 4] uint8, in an ArrayBuffer of its own
 */
export function interpolate(
  source: Pixels,
  across: Taps,
  down: Taps,
  singlePrecisionValues?: number,
): Pixels {
  const { channels } = source;
  const [width, height] = [across.starts.length, down.starts.length];
  const values = width * channels;
  const result = new Uint8Array(values * height);
  const taps = singlePrecisionValues === undefined ? 2 : 4;
  useKernels((arena) => {
    const rowBytes = source.width * channels;
    const table = putTable(arena, across, channels);
    const padded = arena.take(rowBytes + 2 * reach * channels);
    const weighedBytes = roundUp(values * 4 + 12, 64);
    const ring = arena.take(taps * weighedBytes);
    const out = arena.take(values);
    const { kernels, memory } = arena;
    const rowsInRing = new Int32Array(taps).fill(-1);

    /** The address of a weighed source row; rows beyond the source repeat the row at its edge. */
    function weighedRow(y: number): number {
      const row = Math.max(0, Math.min(y, source.height - 1));
      const slot = row % taps;
      const address = ring + slot * weighedBytes;
      if (rowsInRing[slot] === row) return address;
      rowsInRing[slot] = row;
      const bytes = bytesOf(source.data).subarray(row * rowBytes, (row + 1) * rowBytes);
      putPadded(memory, bytes, padded, channels);
      kernels.weighTaps(padded, table, address, width, channels);
      return address;
    }

    for (let y = 0; y < height; y++) {
      const start = down.starts[y] as number;
      const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = down.weights.subarray(4 * y, 4 * y + 4);
      const [row0, row1] = [weighedRow(start), weighedRow(start + 1)];
      if (singlePrecisionValues === undefined) {
        kernels.linearRow(row0, row1, w0, w1, out, values);
      } else {
        const [row2, row3] = [weighedRow(start + 2), weighedRow(start + 3)];
        kernels.cubicRow(row0, row1, row2, row3, w0, w1, w2, w3, out, values, singlePrecisionValues);
      }
      result.set(memory.subarray(out, out + values), y * values);
    }
  });
  return { data: result, width, height, channels };
}

/** For each column: bytes from the padded row's start to its first pixel, and four weights. */
function putTable(arena: Arena, { starts, weights }: Taps, channels: number): number {
  const words = new Int32Array(starts.length * 3);
  const halves = new Int16Array(words.buffer);
  for (const [i, start] of starts.entries()) {
    words[3 * i] = (start + reach) * channels;
    halves.set(weights.subarray(4 * i, 4 * i + 4), 6 * i + 2);
  }
  const table = arena.take(words.byteLength);
  arena.memory.set(bytesOf(words), table);
  return table;
}

/** Copies a row into memory with its first and last pixel repeated beyond its ends. */
function putPadded(memory: Uint8Array, row: Uint8Array, to: number, channels: number): void {
  const begin = to + reach * channels;
  const end = begin + row.length;
  memory.set(row, begin);
  for (let i = 0; i < reach; i++) {
    memory.copyWithin(to + i * channels, begin, begin + channels);
    memory.copyWithin(end + i * channels, end - channels, end);
  }
}
