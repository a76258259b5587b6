import { readItemsStructure, type UnitCounter } from '../items-structure.ts';
import type { SourceStructure } from '../source-structure.ts';

/** Limit of AV1 units that are read; an image has a handful. */
const mostUnits = 100_000;

/** @returns undefined for one image of one frame */
export function readAvifStructure(bytes: Buffer): SourceStructure | undefined {
  return readItemsStructure(bytes, { frameTimePerPixel: 45, framesOf });
}

/** Counts frames (AV1, §5.3, §6.2): OBU_FRAME and OBU_FRAME_HEADER, in units with a size field, as items have. */
function framesOf(bytes: Buffer, start: number, end: number, counter: UnitCounter): number {
  let frames = 0;
  for (let at = start; at < end && counter.units < mostUnits; counter.units++) {
    const header = bytes[at] as number;
    const [type, hasExtension, hasSize] = [(header >> 3) & 15, header & 4, header & 2];
    if (header & 0x80) return frames;
    if (type === 3 || type === 6) frames++;
    at += hasExtension ? 2 : 1;
    if (!hasSize) return frames;
    let size = 0;
    for (let shift = 0; shift < 56 && at < end; shift += 7) {
      const part = bytes[at++] as number;
      size += (part & 0x7f) * 2 ** shift;
      if (part < 0x80) break;
    }
    at += size;
  }
  return counter.units < mostUnits ? frames : Number.MAX_SAFE_INTEGER;
}
