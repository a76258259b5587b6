import type { SourceStructure } from '../source-structure.ts';

/**
 * Nanoseconds per pair of frames of a WebP. Only the first frame is used, but libwebp walks its list of frames from the
 * start for each frame.
 */
const pairTime = { header: 1, decoder: 2 } as const;

/** Counts the frames of a WebP (RFC 9649, §2.7). @returns undefined for one */
export function readWebpFrames(bytes: Buffer): SourceStructure | undefined {
  let frames = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    if (bytes.readUInt32BE(at) === animationFrame) frames++;
    const length = bytes.readUInt32LE(at + 4);
    at += 8 + length + (length & 1);
  }
  if (frames < 2) return undefined;
  const pairs = frames ** 2;
  return {
    parts: 'frames',
    count: frames,
    headerTime: pairs * pairTime.header,
    fixedTime: pairs * pairTime.decoder,
  };
}

/** ANMF as a number. */
const animationFrame = 0x414e4d46;
