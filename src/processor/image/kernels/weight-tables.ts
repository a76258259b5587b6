import { LRUCache } from 'lru-cache';
import { computeWindows, type Windows } from './weights.ts';

/** Weights as the horizontal kernels read them, over pairs of source columns. */
export interface HorizontalTable {
  /** For each column of the result: index of its first pair, then `pairs` × (low halves, high halves). */
  readonly words: Int32Array;
  /** Pairs that every column takes, the narrower windows filled up with weights of 0. */
  readonly pairs: number;
  /** Index of the first pair of each column. */
  readonly firstPairs: Int32Array;
}

/** Weights as the vertical kernel reads them, over quads of source rows counted from `firstRow`. */
export interface VerticalTable {
  /** For each quad: low halves of rows 0 and 2, low of 1 and 3, high of 0 and 2, high of 1 and 3. */
  readonly words: Int32Array;
  /** Where each row's quads begin in `words`, in quads; one more entry than there are rows. */
  readonly offsets: Int32Array;
  /** First quad of each row. */
  readonly firstQuads: Int32Array;
  /** The source rows from `firstRow` to before `endRow` are used. */
  readonly firstRow: number;
  readonly endRow: number;
  /** Quads that the ring has to hold. */
  readonly span: number;
}

/** A model's service sees few source sizes or many; 32 MiB are hundreds of axes, at about 50 KB each. */
const maxCacheBytes = 32 * 2 ** 20;

const tables = new LRUCache<string, HorizontalTable | VerticalTable>({
  maxSize: maxCacheBytes,
  sizeCalculation: (table) => table.words.byteLength + 1024,
});

/** Whether the source lies the other way round than the windows are meant, and what is resampled along one axis. */
export type Axis = readonly [isMirrored: boolean, ...windows: Parameters<typeof computeWindows>];

function cached<Table extends HorizontalTable | VerticalTable>(
  pack: (windows: Windows) => Table,
  axis: Axis,
): Table {
  const key = `${pack.name} ${axis.join(' ')}`;
  const known = tables.get(key);
  if (known !== undefined) return known as Table;
  const [isMirrored, ...laid] = axis;
  const windows = computeWindows(...laid);
  const table = pack(isMirrored ? mirror(windows, laid[0]) : windows);
  tables.set(key, table);
  return table;
}

/** The same windows as they lie on a source that is turned end to end; the result comes turned as well. */
function mirror({ starts, offsets, weights }: Windows, sourceSize: number): Windows {
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
  };
}

/** {@link computeWindows} for the horizontal pass, computed or remembered. */
export function horizontalTable(...axis: Axis): HorizontalTable {
  return cached(packHorizontal, axis);
}

function packHorizontal({ starts, offsets, weights }: Windows): HorizontalTable {
  const columns = starts.length;
  const firstPairs = starts.map((start) => start >> 1);
  let pairs = 0;
  for (let i = 0; i < columns; i++) {
    const end = at(starts, i) + at(offsets, i + 1) - at(offsets, i);
    pairs = Math.max(pairs, ((end + 1) >> 1) - at(firstPairs, i));
  }
  const columnWords = 1 + 2 * pairs;
  const words = new Int32Array(columns * columnWords);
  for (let i = 0; i < columns; i++) {
    const firstPair = at(firstPairs, i);
    words[i * columnWords] = firstPair;
    let pixel = at(starts, i);
    for (let k = at(offsets, i), end = at(offsets, i + 1); k < end; k++, pixel++) {
      const word = i * columnWords + 1 + 2 * ((pixel >> 1) - firstPair);
      put(words, word, word + 1, pixel & 1, at(weights, k));
    }
  }
  return { words, pairs, firstPairs };
}

/** {@link computeWindows} for the vertical pass, computed or remembered. */
export function verticalTable(...axis: Axis): VerticalTable {
  return cached(packVertical, axis);
}

function packVertical({ starts, offsets, weights }: Windows): VerticalTable {
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
  const words = new Int32Array(at(quadOffsets, rows) * 4);
  for (let i = 0; i < rows; i++) {
    let row = at(starts, i) - firstRow;
    for (let k = at(offsets, i), end = at(offsets, i + 1); k < end; k++, row++) {
      const word = 4 * (at(quadOffsets, i) + (row >> 2) - at(firstQuads, i)) + (row & 1);
      put(words, word, word + 2, (row >> 1) & 1, at(weights, k));
    }
  }
  return { words, offsets: quadOffsets, firstQuads, firstRow, endRow, span: spanOf(firstQuads, endQuads) };
}

/** The most quads that are alive at once: from the first that this row or a later one needs, to the last one made. */
function spanOf(firstQuads: Int32Array, endQuads: Int32Array): number {
  const keptFrom = firstQuads.slice();
  for (let i = keptFrom.length - 2; i >= 0; i--) keptFrom[i] = Math.min(at(keptFrom, i), at(keptFrom, i + 1));
  let span = 1;
  let made = 0;
  for (let i = 0; i < keptFrom.length; i++) {
    made = Math.max(made, at(endQuads, i));
    span = Math.max(span, made - at(keptFrom, i));
  }
  return span;
}

/**
 * Puts a weight's two 16-bit halves into the first or second half of two words. The low half is signed, and the
 * high one makes up for that.
 */
function put(words: Int32Array, lowWord: number, highWord: number, half: number, weight: number): void {
  const shift = 16 * half;
  words[lowWord] = at(words, lowWord) | ((weight & 0xffff) << shift);
  words[highWord] = at(words, highWord) | ((((weight + 0x8000) >> 16) & 0xffff) << shift);
}

/** For indices that are in range by construction. */
function at(values: Int32Array, index: number): number {
  return values[index] as number;
}
