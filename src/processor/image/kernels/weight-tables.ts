import { LRUCache } from 'lru-cache';
import { computePlainTorchWindows, computeTorchWindows } from './torch-weights.ts';
import { computeWindows, type Windows } from './weights.ts';

interface Table {
  /** Whether each weight is an int16. Otherwise it is two: a low and a high half. */
  readonly isNarrow: boolean;
  /** Fraction bits of the weights. Wide ones have 22. */
  readonly fractionBits: number;
}

/** Weights as the horizontal kernels read them, over pairs of source columns. */
export interface HorizontalTable extends Table {
  /** For each column of the result: index of its first pair, then `pairs` × (low halves[, high halves]). */
  readonly words: Int32Array;
  /** Pairs per column. Narrower windows are padded with weights of 0. */
  readonly pairs: number;
  /** Index of the first pair of each column. */
  readonly firstPairs: Int32Array;
}

/** Weights as the vertical kernel reads them, over quads of source rows counted from `firstRow`. */
export interface VerticalTable extends Table {
  /** For each quad: low halves of rows 0 and 2, low of 1 and 3[, high of 0 and 2, high of 1 and 3]. */
  readonly words: Int32Array;
  /** Offset of each row's first quad in `words`, in quads; one more entry than there are rows. */
  readonly offsets: Int32Array;
  /** First quad of each row. */
  readonly firstQuads: Int32Array;
  /** The source rows from `firstRow` to before `endRow` are used. */
  readonly firstRow: number;
  readonly endRow: number;
  /** Quads that the ring has to hold. */
  readonly span: number;
}

/** A service for one model sees few source sizes or many. 32 MiB are hundreds of axes of about 50 KB. */
const maxCacheBytes = 32 * 2 ** 20;

const tables = new LRUCache<string, HorizontalTable | VerticalTable>({
  maxSize: maxCacheBytes,
  sizeCalculation: (table) => table.words.byteLength + 1024,
});

/** The parameters of resampling along one axis, in the arithmetic of a library. */
export type Axis =
  | readonly [library: 'pillow', ...windows: Parameters<typeof computeWindows>]
  | readonly [library: 'torch', sourceSize: number, ...windows: Parameters<typeof computeTorchWindows>]
  | readonly [
      library: 'plainTorch',
      sourceSize: number,
      ...windows: Parameters<typeof computePlainTorchWindows>,
    ];

function windowsOf(axis: Axis): Windows {
  if (axis[0] === 'pillow') {
    const [, ...windows] = axis;
    return computeWindows(...windows);
  }
  if (axis[0] === 'torch') {
    const [, , ...windows] = axis;
    return computeTorchWindows(...windows);
  }
  const [, , ...windows] = axis;
  return computePlainTorchWindows(...windows);
}

function cached<Table extends HorizontalTable | VerticalTable>(
  pack: (windows: Windows) => Table,
  isMirrored: boolean,
  axis: Axis,
): Table {
  const key = `${pack.name} ${isMirrored} ${axis.join(' ')}`;
  const known = tables.get(key);
  if (known !== undefined) return known as Table;
  const windows = windowsOf(axis);
  const table = pack(isMirrored ? mirror(windows, axis[1]) : windows);
  tables.set(key, table);
  return table;
}

/** The same windows for a mirrored source. The result is mirrored too. */
function mirror({ starts, offsets, weights, fractionBits }: Windows, sourceSize: number): Windows {
  const size = starts.length;
  const counts = starts.map((_, i) => at(offsets, i + 1) - at(offsets, i));
  const total = at(offsets, size);
  return {
    starts: starts.map((_, i) => {
      const from = size - 1 - i;
      return sourceSize - at(starts, from) - Math.max(1, at(counts, from));
    }),
    offsets: offsets.map((_, i) => total - at(offsets, size - i)),
    weights: weights.toReversed(),
    fractionBits,
  };
}

/**
 * The windows for the horizontal pass, computed or taken from the cache.
 *
 * @param isMirrored - whether the source is stored in the opposite direction
 */
export function horizontalTable(isMirrored: boolean, axis: Axis): HorizontalTable {
  return cached(packHorizontal, isMirrored, axis);
}

function packHorizontal({ starts, offsets, weights, fractionBits }: Windows): HorizontalTable {
  const columns = starts.length;
  const firstPairs = starts.map((start) => start >> 1);
  let pairs = 0;
  for (let i = 0; i < columns; i++) {
    const end = at(starts, i) + at(offsets, i + 1) - at(offsets, i);
    pairs = Math.max(pairs, ((end + 1) >> 1) - at(firstPairs, i));
  }
  const isNarrow = areNarrow(weights);
  const pairWords = isNarrow ? 1 : 2;
  const columnWords = 1 + pairWords * pairs;
  const words = new Int32Array(columns * columnWords);
  for (let i = 0; i < columns; i++) {
    const firstPair = at(firstPairs, i);
    words[i * columnWords] = firstPair;
    let pixel = at(starts, i);
    for (let k = at(offsets, i), end = at(offsets, i + 1); k < end; k++, pixel++) {
      const word = i * columnWords + 1 + pairWords * ((pixel >> 1) - firstPair);
      putLow(words, word, pixel & 1, at(weights, k));
      if (!isNarrow) putHigh(words, word + 1, pixel & 1, at(weights, k));
    }
  }
  return { words, pairs, firstPairs, isNarrow, fractionBits };
}

/** The same for the vertical pass. */
export function verticalTable(isMirrored: boolean, axis: Axis): VerticalTable {
  return cached(packVertical, isMirrored, axis);
}

function packVertical({ starts, offsets, weights, fractionBits }: Windows): VerticalTable {
  const rows = starts.length;
  const ends = starts.map((start, i) => start + at(offsets, i + 1) - at(offsets, i));
  const firstRow = starts.reduce((least, start) => Math.min(least, start));
  const endRow = ends.reduce((most, end) => Math.max(most, end));

  const firstQuads = starts.map((start) => (start - firstRow) >> 2);
  const endQuads = ends.map((end, i) => (end === starts[i] ? at(firstQuads, i) : (end - firstRow + 3) >> 2));
  const quadOffsets = new Int32Array(rows + 1);
  for (let i = 0; i < rows; i++) {
    quadOffsets[i + 1] = at(quadOffsets, i) + at(endQuads, i) - at(firstQuads, i);
  }
  const isNarrow = areNarrow(weights);
  const quadWords = isNarrow ? 2 : 4;
  const words = new Int32Array(at(quadOffsets, rows) * quadWords);
  for (let i = 0; i < rows; i++) {
    let row = at(starts, i) - firstRow;
    for (let k = at(offsets, i), end = at(offsets, i + 1); k < end; k++, row++) {
      const word = quadWords * (at(quadOffsets, i) + (row >> 2) - at(firstQuads, i)) + (row & 1);
      putLow(words, word, (row >> 1) & 1, at(weights, k));
      if (!isNarrow) putHigh(words, word + 2, (row >> 1) & 1, at(weights, k));
    }
  }
  const span = spanOf(firstQuads, endQuads);
  return { words, offsets: quadOffsets, firstQuads, firstRow, endRow, span, isNarrow, fractionBits };
}

/** The most quads in use at once: from the first that this row or a later one needs, to the last one computed. */
function spanOf(firstQuads: Int32Array, endQuads: Int32Array): number {
  const keptFrom = firstQuads.slice();
  for (let i = keptFrom.length - 2; i >= 0; i--) keptFrom[i] = Math.min(at(keptFrom, i), at(keptFrom, i + 1));
  let span = 1;
  let computed = 0;
  for (let i = 0; i < keptFrom.length; i++) {
    computed = Math.max(computed, at(endQuads, i));
    span = Math.max(span, computed - at(keptFrom, i));
  }
  return span;
}

/** Whether every weight equals its own low half. */
function areNarrow(weights: Int32Array): boolean {
  return weights.every((weight) => weight === (weight << 16) >> 16);
}

/** Stores a weight's low 16 bits, which are signed, in the first or second half of a word. */
function putLow(words: Int32Array, word: number, half: number, weight: number): void {
  words[word] = at(words, word) | ((weight & 0xffff) << (16 * half));
}

/** Stores a weight's high 16 bits, corrected for the sign of the low ones. */
function putHigh(words: Int32Array, word: number, half: number, weight: number): void {
  words[word] = at(words, word) | ((((weight + 0x8000) >> 16) & 0xffff) << (16 * half));
}

/** For indices that are in range by construction. */
function at(values: Int32Array, index: number): number {
  return values[index] as number;
}
