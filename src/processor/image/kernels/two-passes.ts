import { Failure } from '../../../failures.ts';
import type { Pixels } from '../pixels.ts';
import { arenaStart, withKernels } from './wasm.ts';
import type { HorizontalTable, VerticalTable } from './weight-tables.ts';

/*
 * Rows stream through the kernels: a block of source rows is copied in and paired, the horizontal pass puts it
 * into a ring of quads (4 intermediate rows each), and each row of the result is made and copied out as
 * soon as the ring has the last quad that it needs. assembly/kernels.ts describes the layouts.
 */

/**
 * Pixels between the passes: width of the result × rows of the source. Sane requests stay far below; a source of
 * 1 × 65,000 pixels made into one of 16 million × 1 would keep a worker busy for an hour.
 */
const maxIntermediatePixels = 2 ** 28;

/** The ring is kept below this by cutting a wide result into upright strips. */
const maxRingBytes = 2 ** 22;

/** Kernels read and write whole vectors, a little beyond the end of what they are given. */
const slack = 256;

/** Columns of the result, and the columns of the source that they are made of. */
interface Strip {
  readonly left: number;
  readonly columns: number;
  /** Index of the first pair of source columns. */
  readonly firstPair: number;
  /** A multiple of 8, as the kernels want; the last ones may lie beyond the source. */
  readonly pairs: number;
}

/** Byte addresses in the kernels' memory, and how far apart things lie. */
interface Layout {
  readonly horizontalTable: number;
  readonly verticalTable: number;
  /** Source rows as they are. */
  readonly block: number;
  readonly blockStride: number;
  readonly paired: number;
  readonly ring: number;
  readonly ringQuads: number;
  readonly quadStride: number;
  readonly row: number;
  readonly end: number;
}

/**
 * Pillow's two passes, with colours premultiplied by alpha where there is alpha.
 *
 * @param source - [height, width, 1 | 3 | 4] uint8
 * @param toLuma - makes luma of an RGB result
 * @returns [height, width, channels] uint8
 */
export function resampleInTwoPasses(
  source: Pixels,
  width: number,
  height: number,
  horizontal: HorizontalTable,
  vertical: VerticalTable,
  toLuma: boolean,
): Pixels {
  checkWork(source, width, height, vertical);
  const channels = toLuma ? 1 : source.channels;
  const result: Pixels = { data: new Uint8Array(width * height * channels), width, height, channels };
  const stripColumns = Math.max(64, Math.floor(maxRingBytes / (vertical.span * 4 * source.channels)));
  for (let left = 0; left < width; left += stripColumns) {
    const strip = stripAt(left, Math.min(stripColumns, width - left), horizontal);
    resampleStrip(source, result, strip, horizontal, vertical);
  }
  return result;
}

function checkWork(source: Pixels, width: number, height: number, { firstRow, endRow }: VerticalTable): void {
  const actual = width * (endRow - firstRow);
  if (actual <= maxIntermediatePixels) return;
  throw new Failure(
    'OUTPUT_PIXELS_OVER_LIMIT',
    `Resampling ${source.width} × ${source.height} to ${width} × ${height} has ${actual} pixels between its two passes; the limit is ${maxIntermediatePixels}. Ask for a smaller width.`,
    { limit: maxIntermediatePixels, actual, width, height },
  );
}

function stripAt(left: number, columns: number, horizontal: HorizontalTable): Strip {
  const firstPairs = horizontal.firstPairs.subarray(left, left + columns);
  const firstPair = firstPairs.reduce((least, pair) => Math.min(least, pair));
  const endPair = firstPairs.reduce((most, pair) => Math.max(most, pair)) + horizontal.pairs;
  return { left, columns, firstPair, pairs: roundUp(endPair - firstPair, 8) };
}

function resampleStrip(
  source: Pixels,
  result: Pixels,
  strip: Strip,
  horizontal: HorizontalTable,
  vertical: VerticalTable,
): void {
  const { channels } = source;
  const { left, columns } = strip;
  const columnWords = 1 + 2 * horizontal.pairs;
  const columnWeights = horizontal.words.subarray(left * columnWords, (left + columns) * columnWords);
  const layout = layOut(source, strip, columnWeights, vertical);
  const { block, blockStride, paired, ring, ringQuads, quadStride, row } = layout;

  withKernels(layout.end, (kernels, memory) => {
    const blockQuads = quadsAtOnce(channels);
    const firstPair = paired - strip.firstPair * unitsBytes(channels);
    const firstByte = strip.firstPair * 2 * channels;
    const sourceStride = source.width * channels;
    const sourceBytes = bytesOf(source.data);

    const copyBlock = (quad: number): void => {
      const top = vertical.firstRow + quad * 4;
      const bottom = Math.min(top + blockQuads * 4, vertical.endRow);
      if (blockStride === sourceStride) {
        memory.set(sourceBytes.subarray(top * sourceStride, bottom * sourceStride), block);
        return;
      }
      for (let y = top; y < bottom; y++) {
        const from = y * sourceStride + firstByte;
        memory.set(sourceBytes.subarray(from, from + blockStride), block + (y - top) * blockStride);
      }
    };

    const makeQuads = (to: number): void => {
      const table = layout.horizontalTable;
      if (channels === 3) {
        kernels.pair3(block, blockStride, paired, strip.pairs);
        kernels.horizontal3(firstPair, table, horizontal.pairs, to, columns);
      } else if (channels === 4) {
        kernels.premultiply(block, blockStride * 4);
        kernels.pair4(block, blockStride, paired, strip.pairs);
        kernels.horizontal4(firstPair, table, horizontal.pairs, to, columns, 0);
      } else {
        kernels.pair1(block, blockStride, paired, strip.pairs);
        kernels.horizontal4(firstPair, table, horizontal.pairs, to, columns, quadStride);
      }
    };

    const makeRow = (quad: number, quads: number, weights: number): void => {
      const from = ring + (quad % ringQuads) * quadStride;
      const ringEnd = ring + ringQuads * quadStride;
      kernels.vertical(from, ring, ringEnd, quadStride, weights, quads, row, columns * channels);
      if (channels === 4) kernels.unpremultiply(row, columns);
      if (result.channels < channels) kernels.luma(row, row, columns);
    };

    memory.set(bytesOf(columnWeights), layout.horizontalTable);
    memory.set(bytesOf(vertical.words), layout.verticalTable);
    const rowBytes = memory.subarray(row, row + columns * result.channels);
    let madeQuads = 0;
    for (let y = 0; y < result.height; y++) {
      const quad = vertical.firstQuads[y] as number;
      const offset = vertical.offsets[y] as number;
      const quads = (vertical.offsets[y + 1] as number) - offset;
      for (; madeQuads < quad + quads; madeQuads += blockQuads) {
        copyBlock(madeQuads);
        makeQuads(ring + (madeQuads % ringQuads) * quadStride);
      }
      makeRow(quad, quads, layout.verticalTable + offset * 16);
      result.data.set(rowBytes, (y * result.width + left) * result.channels);
    }
  });
}

function layOut(source: Pixels, strip: Strip, columnWeights: Int32Array, vertical: VerticalTable): Layout {
  const { channels } = source;
  const blockQuads = quadsAtOnce(channels);
  const blockStride = Math.min(source.width - strip.firstPair * 2, strip.pairs * 2) * channels;
  // A cache line more, so that the quads of one column don't all fall into the same few lines of the cache.
  const quadStride = roundUp(strip.columns * channels * 4 + 4, 64) + 64;
  const ringQuads = roundUp(vertical.span + blockQuads - 1, blockQuads);

  const verticalTable = arenaStart + roundUp(columnWeights.byteLength, 64);
  const block = verticalTable + roundUp(vertical.words.byteLength, 64);
  const paired = block + roundUp(blockStride * blockQuads * 4 + slack, 64);
  const ring = paired + roundUp(strip.pairs * unitsBytes(channels) + slack, 64);
  const row = ring + ringQuads * quadStride + slack;
  const end = row + strip.columns * channels + slack;
  return {
    horizontalTable: arenaStart,
    verticalTable,
    block,
    blockStride,
    paired,
    ring,
    ringQuads,
    quadStride,
    row,
    end,
  };
}

/** Gray fills the four units of the kernels with four quads of rows, colour with the channels of one. */
function quadsAtOnce(channels: number): number {
  return channels === 1 ? 4 : 1;
}

/** Bytes of all units of one pair of columns. */
function unitsBytes(channels: number): number {
  return channels === 3 ? 24 : 32;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
