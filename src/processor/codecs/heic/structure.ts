import { readItemsStructure, type UnitCounter } from '../items-structure.ts';
import type { SourceStructure } from '../source-structure.ts';

/** Limit of NAL units that are read; an image has a handful. */
const mostUnits = 100_000;
/** Bytes of a NAL unit's length. hvcC may state fewer, but no known writer does. */
const lengthBytes = 4;

/** @returns undefined for one image of one frame */
export function readHeicStructure(bytes: Buffer): SourceStructure | undefined {
  return readItemsStructure(bytes, { frameTimePerPixel: 200, framesOf });
}

/** Counts pictures: NAL units of slices that are the first of their picture (ITU-T H.265, 7.3.1.2 and 7.3.6.1). */
function framesOf(bytes: Buffer, start: number, end: number, counter: UnitCounter): number {
  let frames = 0;
  for (let at = start; at + lengthBytes + 3 <= end && counter.units < mostUnits; counter.units++) {
    const type = ((bytes[at + lengthBytes] as number) >> 1) & 63;
    const isFirstSlice = ((bytes[at + lengthBytes + 2] as number) & 0x80) !== 0;
    if (type < 32 && isFirstSlice) frames++;
    at += lengthBytes + bytes.readUInt32BE(at);
  }
  return counter.units < mostUnits ? frames : Number.MAX_SAFE_INTEGER;
}
