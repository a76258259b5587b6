import type { Pixels } from '../pixels.ts';
import type { Arena, Kernels } from './wasm.ts';
import type { HorizontalTable, VerticalTable } from './weight-tables.ts';

/** The input and the result of the two passes. */
export interface TwoPassJob {
  /** [height, width, 1 | 3 | 4] uint8 */
  readonly source: Pixels;
  /** Whether colours are premultiplied by alpha, where there is alpha. */
  readonly premultiplies: boolean;
  readonly horizontal: HorizontalTable;
  readonly vertical: VerticalTable;
  /** Has the source's channels, or 1 for luma. */
  readonly result: Pixels;
}

/** Some columns of the result, the part of the source that they need, and the steps that both orders share. */
export interface Strip {
  /** Bytes of the strip's part of one source row. */
  readonly sourceBytes: number;
  /** Bytes after a source row that the kernels read with weight 0: their windows may extend beyond its end. */
  readonly overhangBytes: number;
  /** Bytes of the strip's part of one row of the result, before it becomes luma. */
  readonly resultBytes: number;
  /** Bytes from one quad of the result's columns to the next. */
  readonly resultQuadStride: number;
  /** Quads of rows per call of the horizontal pass: four of gray, or one of colour, fill the kernel's four units. */
  readonly quadsAtOnce: number;
  /** Copies source rows to an address without padding, and premultiplies them by alpha. */
  copyRows(top: number, bottom: number, to: number): void;
  /** The horizontal pass over `quadsAtOnce` quads of rows that are `stride` bytes apart. */
  makeQuads(rows: number, stride: number, to: number): void;
  /**
   * The vertical pass for row `y` of the result. Its quads are `stride` bytes apart in a ring from `ring` to `ringEnd`,
   * starting at the quad at `first`.
   */
  makeRow(
    y: number,
    first: number,
    ring: number,
    ringEnd: number,
    stride: number,
    to: number,
    values: number,
  ): void;
  /** Undoes premultiplication, converts to luma if needed, and copies a row into the result. */
  finishRow(row: number, y: number): void;
}

/** The strip of `columns` columns of the result from `left` on. */
export function stripOf(job: TwoPassJob, left: number, columns: number, arena: Arena): Strip {
  const { source, result, horizontal, vertical } = job;
  const premultiplies = job.premultiplies && source.channels === 4;
  const { channels } = source;
  const { kernels } = arena;
  const rowBytes = source.width * channels;

  const [firstPair, endPair] = pairsUsed(horizontal, left, columns);
  // As the kernels expect. The last pairs may be beyond the source; their weights are then 0.
  const pairs = roundUp(endPair - firstPair, 8);
  const pairBytes = channels === 3 ? 24 : 32;
  const sourceBytes = Math.min(source.width - firstPair * 2, pairs * 2) * channels;
  const resultBytes = columns * channels;
  const resultQuadStride = quadStrideOf(resultBytes);

  const columnWords = 1 + (horizontal.isNarrow ? 1 : 2) * horizontal.pairs;
  const weights = horizontal.words.subarray(left * columnWords, (left + columns) * columnWords);
  const table = arena.take(weights.byteLength);
  arena.memory.set(bytesOf(weights), table);
  const rowTable = arena.take(vertical.words.byteLength);
  arena.memory.set(bytesOf(vertical.words), rowTable);
  const quadBytes = vertical.isNarrow ? 8 : 16;
  const passes = passesOf(kernels, horizontal, vertical);
  const paired = arena.take(pairs * pairBytes);
  // The table counts pairs from the first of the whole row.
  const pairZero = paired - firstPair * pairBytes;
  const data = bytesOf(source.data);

  return {
    sourceBytes,
    overhangBytes: Math.max(0, pairs * 2 * channels - sourceBytes),
    resultBytes,
    resultQuadStride,
    quadsAtOnce: channels === 1 ? 4 : 1,

    copyRows(top, bottom, to) {
      if (sourceBytes === rowBytes) {
        arena.memory.set(data.subarray(top * rowBytes, bottom * rowBytes), to);
      } else {
        for (let y = top; y < bottom; y++) {
          const from = y * rowBytes + firstPair * 2 * channels;
          arena.memory.set(data.subarray(from, from + sourceBytes), to + (y - top) * sourceBytes);
        }
      }
      if (premultiplies) kernels.premultiply(to, (bottom - top) * sourceBytes);
    },

    makeQuads(rows, stride, to) {
      if (channels === 3) {
        kernels.pair3(rows, stride, paired, pairs);
        passes.horizontal3(pairZero, table, horizontal.pairs, to, columns);
      } else if (channels === 4) {
        kernels.pair4(rows, stride, paired, pairs);
        passes.horizontal4(pairZero, table, horizontal.pairs, to, columns, 0);
      } else {
        kernels.pair1(rows, stride, paired, pairs);
        passes.horizontal4(pairZero, table, horizontal.pairs, to, columns, resultQuadStride);
      }
    },

    makeRow(y, first, ring, ringEnd, stride, to, values) {
      const offset = vertical.offsets[y] as number;
      const quads = (vertical.offsets[y + 1] as number) - offset;
      passes.vertical(first, ring, ringEnd, stride, rowTable + offset * quadBytes, quads, to, values);
    },

    finishRow(row, y) {
      if (premultiplies) kernels.unpremultiply(row, columns);
      if (result.channels < channels) kernels.luma(row, row, columns);
      const bytes = arena.memory.subarray(row, row + columns * result.channels);
      result.data.set(bytes, (y * result.width + left) * result.channels);
    },
  };
}

/** The kernels for tables of weights, whatever the weights' width. */
function passesOf(
  kernels: Kernels,
  horizontal: HorizontalTable,
  vertical: VerticalTable,
): Pick<Kernels, 'horizontal3' | 'horizontal4' | 'vertical'> {
  const { horizontal3Narrow, horizontal4Narrow, verticalNarrow } = kernels;
  return {
    horizontal3: horizontal.isNarrow
      ? (...job) => horizontal3Narrow(...job, horizontal.fractionBits)
      : kernels.horizontal3,
    horizontal4: horizontal.isNarrow
      ? (...job) => horizontal4Narrow(...job, horizontal.fractionBits)
      : kernels.horizontal4,
    vertical: vertical.isNarrow
      ? (...job) => verticalNarrow(...job, vertical.fractionBits)
      : kernels.vertical,
  };
}

/** The first pair of source columns that some columns of the result need, and the one after the last. */
export function pairsUsed(
  { firstPairs, pairs }: HorizontalTable,
  left: number,
  columns: number,
): readonly [first: number, end: number] {
  const used = firstPairs.subarray(left, left + columns);
  const first = used.reduce((least, pair) => Math.min(least, pair));
  const last = used.reduce((most, pair) => Math.max(most, pair));
  return [first, last + pairs];
}

/**
 * Bytes from one quad to the next: one cache line more than needed. Otherwise the quads of a row of 1024 pixels would
 * start at multiples of 4096 bytes, where they would share a few lines of the cache.
 */
export function quadStrideOf(rowBytes: number): number {
  return roundUp(rowBytes * 4 + 4, 64) + 64;
}

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

export function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
