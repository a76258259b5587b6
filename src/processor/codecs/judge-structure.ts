import { Failure } from '../../failures.ts';
import { decodingMs, plainDecodingMs } from '../image/price.ts';
import { codecOf } from './codecs.ts';
import type { ImageHeader } from './header.ts';
import type { SourceFormat } from './source-format.ts';
import type { SourceStructure } from './source-structure.ts';

/*
 * A file of a few kilobytes may make a decoder work for seconds on a small picture: by scans, frames, directories or
 * tiles. What these take is known from the file's structure, which is read before any decoder sees the file. Times are in
 * nanoseconds of CPU, measured with files that have little besides such parts.
 */

/** How many times as much as a plain file of the same size a file may take. */
const mostTimesPlain = 4;

/** More than this is the same to a caller. */
const mostTimesTold = 1_000_000;

/** A header is read in one process for all, so that a slow one keeps the others waiting. */
const mostHeaderTime = 100e6;

/** @returns undefined for a file of the usual parts */
export function readSourceStructure(content: Uint8Array, format: SourceFormat): SourceStructure | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  return codecOf(format).readStructure?.(bytes);
}

/**
 * Judges a structure before the header is read.
 *
 * @throws SOURCE_PASSES_OVER_LIMIT
 */
export function checkHeaderTime(structure: SourceStructure, format: SourceFormat): void {
  const { parts, count, headerTime = 0 } = structure;
  if (headerTime <= mostHeaderTime) return;
  if (headerTime === Number.POSITIVE_INFINITY) {
    throw new Failure(
      'SOURCE_PASSES_OVER_LIMIT',
      `This ${format.toUpperCase()} has more than ${count} ${parts}. Save it again as a plain file.`,
      { limit: count, actual: count + 1, parts, count },
    );
  }
  const [limit, actual] = [mostHeaderTime / 1e6, Math.ceil(headerTime / 1e6)];
  throw new Failure(
    'SOURCE_PASSES_OVER_LIMIT',
    `This ${format.toUpperCase()} has ${count} ${parts}: to read its header alone would take about ${actual} ms, and the limit is ${limit}. Save its first image by itself.`,
    { limit, actual, parts, count },
  );
}

/**
 * Judges a structure against a plain file of the same format and size.
 *
 * @returns milliseconds that the parts take beside the pixels
 * @throws SOURCE_PASSES_OVER_LIMIT
 */
export function structureMs(structure: SourceStructure, header: ImageHeader): number {
  const { parts, count, fixedTime, timePerPixel = 0, isMetadata = false } = structure;
  const ownMs = (fixedTime + header.width * header.height * timePerPixel) / 1e6;
  const times = Math.min(mostTimesTold, (decodingMs(header) + ownMs) / plainDecodingMs(header));
  if (isMetadata || ownMs === 0 || times <= mostTimesPlain) return ownMs;
  throw new Failure(
    'SOURCE_PASSES_OVER_LIMIT',
    `This ${header.format.toUpperCase()} has ${count} ${parts}: to decode it would take about ${Math.ceil(times)} times as long as a plain one of its size, and the limit is ${mostTimesPlain}. Save it again as a plain file.`,
    { limit: mostTimesPlain, actual: Math.ceil(times), parts, count },
  );
}
