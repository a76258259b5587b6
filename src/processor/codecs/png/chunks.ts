import type { SourceStructure } from '../source-structure.ts';

/** Nanoseconds per byte, mostly for the checksum. The header is read twice. A chunk has at least 12 bytes. */
const timePerByte = 15;
/** In bytes. The price of every image includes this much. */
const usualBytes = 64 * 1024;

/** The chunk type IDAT as a number. */
const imageData = 0x49444154;

/** Counts the bytes of a PNG that are not pixels. @returns undefined if they are few */
export function readPngChunks(bytes: Buffer): SourceStructure | undefined {
  let metadata = 0;
  let chunks = 0;
  for (let at = 8; at + 8 <= bytes.length; ) {
    const length = 12 + bytes.readUInt32BE(at);
    if (bytes.readUInt32BE(at + 4) !== imageData) metadata += Math.min(length, bytes.length - at);
    chunks++;
    at += length;
  }
  if (metadata < usualBytes && 12 * chunks < usualBytes) return undefined;
  return {
    parts: 'chunks',
    count: chunks,
    fixedTime: timePerByte * Math.max(metadata, 12 * chunks),
    isMetadata: true,
  };
}
