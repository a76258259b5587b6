import type { SourceStructure } from '../source-structure.ts';

/** Nanoseconds to skip a frame: once here, and once for the header. The decoder stops after the first frame. */
const frameTime = 20;

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
      // The descriptor, its colour table and the size of the LZW codes.
      at = endOfSubBlocks(bytes, at + 10 + colourTableBytes(bytes[at + 9] ?? 0) + 1);
    } else {
      break;
    }
  }
  if (frames < 2) return undefined;
  return {
    parts: 'frames',
    count: frames,
    headerTime: frames * frameTime,
    fixedTime: 0,
  };
}

/** @param packed - the field that states whether there is a colour table, and its size */
function colourTableBytes(packed: number): number {
  return packed & 0x80 ? 3 * 2 ** ((packed & 7) + 1) : 0;
}

/** @returns the offset after the sub-blocks' terminator */
function endOfSubBlocks(bytes: Buffer, start: number): number {
  let at = start;
  for (let length = bytes[at] ?? 0; length > 0; length = bytes[at] ?? 0) at += 1 + length;
  return at + 1;
}
