import type { SourceStructure } from './source-structure.ts';

/*
 * Only the first frame of an animation is used, and decoders find all of them first: libnsgif by a scan of the whole
 * file, libwebp by a list that it walks from its start to each of them.
 */

/** Nanoseconds for each frame of a GIF. */
const gifFrame = { header: 270, decoder: 630 } as const;
/** Nanoseconds for each pair of frames of a WebP. */
const webpPair = { header: 1, decoder: 2 } as const;

/** Counts the frames of a GIF (GIF89a, appendix A and §20 to §24). @returns undefined for one */
export function readGifFrames(bytes: Buffer): SourceStructure | undefined {
  let frames = 0;
  let at = 13 + colourTableBytes(bytes[10] ?? 0);
  for (;;) {
    const introducer = bytes[at];
    if (introducer === 0x21) {
      at = endOfSubBlocks(bytes, at + 2);
    } else if (introducer === 0x2c) {
      frames++;
      // The descriptor, its table of colours and the size of the LZW codes.
      at = endOfSubBlocks(bytes, at + 10 + colourTableBytes(bytes[at + 9] ?? 0) + 1);
    } else {
      break;
    }
  }
  if (frames < 2) return undefined;
  return {
    parts: 'frames',
    count: frames,
    headerTime: frames * gifFrame.header,
    fixedTime: frames * gifFrame.decoder,
  };
}

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
    headerTime: pairs * webpPair.header,
    fixedTime: pairs * webpPair.decoder,
  };
}

/** ANMF as a number. */
const animationFrame = 0x414e4d46;

/** @param packed - the field that says whether there is a table, and of how many colours */
function colourTableBytes(packed: number): number {
  return packed & 0x80 ? 3 * 2 ** ((packed & 7) + 1) : 0;
}

/** @returns the place behind the sub-blocks' terminator */
function endOfSubBlocks(bytes: Buffer, start: number): number {
  let at = start;
  for (let length = bytes[at] ?? 0; length > 0; length = bytes[at] ?? 0) at += 1 + length;
  return at + 1;
}
