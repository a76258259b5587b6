import { constants, crc32, deflateSync, type ZlibOptions } from 'node:zlib';
import { useKernels } from '../../image/kernels/wasm.ts';
import type { Pixels } from '../../image/pixels.ts';

/** Raised whenever the same pixels give other bytes. It is part of `provenance.libraries` and so of the cache key. */
export const pngEncoderVersion = '2';

/** Huffman codes only, in a third of the time. Photographs have few repetitions that pay for their search. */
const codesOnly: ZlibOptions = { level: 1, strategy: constants.Z_HUFFMAN_ONLY };
/** Matches with the byte before only, which flat areas of photographs have. */
const runs: ZlibOptions = { level: 1, strategy: constants.Z_RLE };
/** With alpha, matches of level 1 leave a photograph more than a tenth longer than Pillow's. */
const fewMatches = { 1: { level: 1 }, 2: { level: 1 }, 3: { level: 1 }, 4: { level: 2 } } as const;
const matches: ZlibOptions = { level: 4 };
const longMatches: ZlibOptions = { level: 5 };
const longestMatches: ZlibOptions = { level: 6 };

/** Below this ratio of sizes, matches to codes only, the pixels repeat as graphics do. */
const graphicsRatio = 0.75;
/** Graphics that become this many times smaller take little time at any level. */
const mostRepetitive = 20;
/** How much longer a photograph may become by a faster way. */
const nearlyLeast = 1.01;

/**
 * Encodes pixels as a PNG without metadata. Filters and compression depend only on the pixels, by the sizes of samples:
 *
 * - Photographs get a filter for each row, and Huffman codes without matches, with runs, or with a short search.
 * - Graphics get a longer search, and filters only if they make them smaller. A filter hides the repetitions of text.
 *
 * docs/performance.md has the sizes and times beside those of Pillow and OpenCV.
 *
 * @param image - [height, width, 1…4] uint8
 */
export function encodePng(image: Pixels): Buffer {
  const { width, height, channels } = image;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  header[9] = colourTypes[channels];
  return Buffer.concat([
    pngSignature,
    ...chunk('IHDR', header),
    ...chunk('IDAT', compressed(image)),
    ...chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** W3C PNG, 5.2. */
const pngSignature = Buffer.from('89504e470d0a1a0a', 'hex');

/** Gray, gray with alpha, RGB, RGB with alpha. */
const colourTypes = { 1: 0, 2: 4, 3: 2, 4: 6 } as const;

function chunk(type: string, content: Buffer): Buffer[] {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(content.length, 0);
  head.write(type, 4, 'latin1');
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(content, crc32(head.subarray(4))), 0);
  return [head, content, checksum];
}

function compressed(image: Pixels): Buffer {
  const rowBytes = image.width * image.channels + 1;
  const filtered = filterAdaptively(image);
  const sample = sampleOf(filtered, rowBytes);
  const bytesOf = (rows: Buffer, options: ZlibOptions) => deflate(rows, options).length;
  const quick = [codesOnly, runs, fewMatches[image.channels]].map((options) => ({
    options,
    bytes: bytesOf(sample, options),
  })) as [Trial, Trial, Trial];
  const [withCodes, , withMatches] = quick;
  if (withMatches.bytes >= graphicsRatio * withCodes.bytes) {
    const least = Math.min(...quick.map(({ bytes }) => bytes));
    const { options } = quick.find(({ bytes }) => bytes <= nearlyLeast * least) ?? withMatches;
    return deflate(filtered, options);
  }
  return compressedGraphics(filtered, withoutFilters(image), rowBytes);
}

function compressedGraphics(filtered: Buffer, unfiltered: Buffer, rowBytes: number): Buffer {
  const sample = sampleOf(unfiltered, rowBytes);
  const withRuns = deflate(sample, runs).length;
  const withMatches = deflate(sample, matches).length;
  const withFilters = deflate(sampleOf(filtered, rowBytes), longMatches).length;
  if (withRuns <= Math.min(withMatches, withFilters)) return deflate(unfiltered, runs);
  const repeats = Math.min(withMatches, withFilters) < sample.length / mostRepetitive;
  return withMatches < withFilters
    ? deflate(unfiltered, repeats ? longestMatches : matches)
    : deflate(filtered, repeats ? longestMatches : longMatches);
}

interface Trial {
  readonly options: ZlibOptions;
  /** Of the compressed sample. */
  readonly bytes: number;
}

function deflate(bytes: Buffer, options: ZlibOptions): Buffer {
  return deflateSync(bytes, { ...options, memLevel: 9, chunkSize: Math.max(64, bytes.length) });
}

const sampleBands = 4;
/** Of filtered rows, in bytes. */
const sampleBytes = 64 * 1024;

/** Rows from four bands of the image, or all if they are few. */
function sampleOf(rows: Buffer, rowBytes: number): Buffer {
  if (rows.length <= sampleBytes / 2) return rows;
  const height = rows.length / rowBytes;
  const bandRows = Math.max(1, Math.floor(Math.min(sampleBytes, rows.length / 4) / sampleBands / rowBytes));
  if (bandRows * sampleBands >= height) return rows;
  return Buffer.concat(
    Array.from({ length: sampleBands }, (_, band) => {
      const first = Math.floor(((band + 0.5) * height) / sampleBands - bandRows / 2);
      return rows.subarray(first * rowBytes, (first + bandRows) * rowBytes);
    }),
  );
}

/** Bytes of pixels that the kernel filters at once, so that they stay in the CPU's cache. */
const bytesAtOnce = 256 * 1024;

function filterAdaptively({ data, width, height, channels }: Pixels): Buffer {
  const bytes = width * channels;
  const filtered = Buffer.allocUnsafeSlow((bytes + 1) * height);
  const rowsAtOnce = Math.max(1, Math.floor(bytesAtOnce / bytes));
  useKernels((arena) => {
    const above = arena.take(bytes * (rowsAtOnce + 1));
    const out = arena.take((bytes + 1) * rowsAtOnce);
    const { kernels, memory } = arena;
    memory.fill(0, above, above + bytes);
    for (let from = 0; from < height; from += rowsAtOnce) {
      const rows = Math.min(rowsAtOnce, height - from);
      memory.set(data.subarray(from * bytes, (from + rows) * bytes), above + bytes);
      kernels.filterRows(above, above + bytes, out, rows, bytes, channels);
      filtered.set(memory.subarray(out, out + (bytes + 1) * rows), from * (bytes + 1));
      memory.copyWithin(above, above + bytes * rows, above + bytes * (rows + 1));
    }
  });
  return filtered;
}

/** Rows with filter 0, which stores the values themselves. */
function withoutFilters({ data, width, height, channels }: Pixels): Buffer {
  const bytes = width * channels;
  const rows = Buffer.allocUnsafeSlow((bytes + 1) * height);
  for (let y = 0; y < height; y++) {
    rows[y * (bytes + 1)] = 0;
    rows.set(data.subarray(y * bytes, (y + 1) * bytes), y * (bytes + 1) + 1);
  }
  return rows;
}
