import { Failure } from '../../failures.ts';
import { decodingMs, plainDecodingMs } from '../image/price.ts';
import { codecOf } from './codecs.ts';
import { tooManyParts } from './decoder-failure.ts';
import type { ImageHeader } from './header.ts';
import type { SourceFormat } from './source-format.ts';
import type { SourceStructure } from './source-structure.ts';

/*
 * A file of a few kilobytes can keep a decoder busy for seconds on a small picture, by many scans, frames, directories
 * or tiles. Their time is derived from the file's structure, which is read before any decoder runs. Times are in
 * nanoseconds of CPU, measured with files that contain little besides such parts.
 */

/** Limit of a file's time, as a multiple of that of a plain file of the same size. */
const mostTimesPlain = 4;

/** Larger multiples make no difference to a caller. */
const mostTimesStated = 1_000_000;

/** Limit of the time to read a header. One process reads all headers, so a slow one delays the others. */
const mostHeaderTime = 100e6;

/** @returns undefined for a file with the usual parts */
export function readSourceStructure(content: Uint8Array, format: SourceFormat): SourceStructure | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  return codecOf(format).readStructure?.(bytes);
}

/**
 * Checks a structure before the header is read.
 *
 * @throws SOURCE_PASSES_OVER_LIMIT
 */
export function checkHeaderTime(structure: SourceStructure, format: SourceFormat): void {
  const { parts, count, headerTime = 0 } = structure;
  if (headerTime <= mostHeaderTime) return;
  if (headerTime === Number.POSITIVE_INFINITY) throw tooManyParts(format, parts, count, count + 1);
  const [limit, actual] = [mostHeaderTime / 1e6, Math.ceil(headerTime / 1e6)];
  throw new Failure(
    'SOURCE_PASSES_OVER_LIMIT',
    `This ${format.toUpperCase()} has ${count} ${parts}: to read only its header would take about ${actual} ms, and the limit is ${limit}. Save its first image by itself.`,
    { limit, actual, parts, count },
  );
}

/**
 * Checks a structure against a plain file of the same format and size.
 *
 * @returns milliseconds that the parts take besides the pixels
 * @throws SOURCE_PASSES_OVER_LIMIT
 */
export function structureMs(structure: SourceStructure, header: ImageHeader): number {
  const { parts, count, mostParts, fixedTime, timePerPixel = 0, isMetadata = false } = structure;
  if (mostParts !== undefined && count > mostParts)
    throw tooManyParts(header.format, parts, mostParts, count);
  const ownMs = (fixedTime + header.width * header.height * timePerPixel) / 1e6;
  const times = Math.min(mostTimesStated, (decodingMs(header) + ownMs) / plainDecodingMs(header));
  if (isMetadata || ownMs === 0 || times <= mostTimesPlain) return ownMs;
  throw new Failure(
    'SOURCE_PASSES_OVER_LIMIT',
    `This ${header.format.toUpperCase()} has ${count} ${parts}: to decode it would take about ${Math.ceil(times)} times as long as a plain one of its size, and the limit is ${mostTimesPlain}. Save it again as a plain file.`,
    { limit: mostTimesPlain, actual: Math.ceil(times), parts, count },
  );
}
