import type { SourceStructure } from './source-structure.ts';

/*
 * The items of a HEIF file, AVIF or HEIC, and their places (ISO/IEC 14496-12, §8.11). A still image is one frame, but a
 * decoder decodes all frames of an item, and a frame that changes nothing has only a few bytes.
 */

/** Nanoseconds per reference from a derived image to another: each tile of a grid gets its own decoder. */
const referenceTime = 100_000;
const usualFrames = 1;
/** Limit of boxes that are read on one level; a file has a few dozen. */
const mostBoxes = 10_000;

interface Box {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** How the images of a format are coded, and what they cost. */
export interface ImageCoding {
  /** Nanoseconds per frame and pixel. */
  readonly frameTimePerPixel: number;
  /** Counts the frames in one extent of an item. */
  framesOf(bytes: Buffer, start: number, end: number, counter: UnitCounter): number;
}

/** Units of the coded stream that all items have so far. */
export interface UnitCounter {
  units: number;
}

/**
 * Counts the frames of a file's items and the references between them.
 *
 * @returns undefined for one image of one frame
 */
export function readItemsStructure(bytes: Buffer, coding: ImageCoding): SourceStructure | undefined {
  const boxes = [...boxesOf(bytes, 0, bytes.length)];
  const meta = find(boxes, 'meta');
  const children = meta === undefined ? [] : [...boxesOf(bytes, meta.start + 4, meta.end)];
  const count = Math.max(boxes.length, children.length);
  if (count === mostBoxes) {
    return { parts: 'boxes', count, headerTime: Number.POSITIVE_INFINITY, fixedTime: 0 };
  }
  const [iloc, iref, idat] = ['iloc', 'iref', 'idat'].map((type) => find(children, type));
  const frames = iloc === undefined ? 0 : mostFrames(bytes, iloc, idat, coding);
  const references = iref === undefined ? 0 : referencesOf(bytes, iref);
  // The tiles of a grid have about as many pixels as the grid. Each layer of an overlay may be as large as the overlay.
  const hasOverlay = meta !== undefined && bytes.subarray(meta.start, meta.end).includes('iovl');
  const decodings = frames * (hasOverlay ? Math.max(1, references) : 1);
  if (decodings <= usualFrames && references < 2) return undefined;
  const isMostlyFrames = decodings > usualFrames;
  return {
    parts: isMostlyFrames ? 'frames' : 'references',
    count: isMostlyFrames ? decodings : references,
    fixedTime: references * referenceTime,
    timePerPixel: Math.max(0, decodings - usualFrames) * coding.frameTimePerPixel,
  };
}

function* boxesOf(bytes: Buffer, from: number, end: number): Generator<Box> {
  for (let at = from, boxes = 0; at + 8 <= end && boxes < mostBoxes; boxes++) {
    const short = bytes.readUInt32BE(at);
    const isLong = short === 1 && at + 16 <= end;
    const length = isLong ? Number(bytes.readBigUInt64BE(at + 8)) : short === 0 ? end - at : short;
    if (length < 8) return;
    const next = Math.min(end, at + length);
    yield { type: bytes.toString('latin1', at + 4, at + 8), start: at + (isLong ? 16 : 8), end: next };
    at = next;
  }
}

function find(boxes: Iterable<Box>, type: string): Box | undefined {
  for (const box of boxes) if (box.type === type) return box;
  return undefined;
}

/** References from derived images, `dimg`, summed over all items. */
function referencesOf(bytes: Buffer, iref: Box): number {
  const idBytes = bytes[iref.start] === 0 ? 2 : 4;
  let references = 0;
  for (const { type, start, end } of boxesOf(bytes, iref.start + 4, iref.end)) {
    if (type === 'dimg' && start + idBytes + 2 <= end) references += bytes.readUInt16BE(start + idBytes);
  }
  return references;
}

/** The number of frames in the item with the most. */
function mostFrames(bytes: Buffer, iloc: Box, idat: Box | undefined, coding: ImageCoding): number {
  const counter: UnitCounter = { units: 0 };
  let most = 0;
  for (const extents of itemsOf(bytes, iloc)) {
    let frames = 0;
    for (const { isInIdat, offset, length } of extents) {
      const start = isInIdat ? (idat?.start ?? bytes.length) + offset : offset;
      const end = length === 0 ? bytes.length : Math.min(bytes.length, start + length);
      frames += coding.framesOf(bytes, start, end, counter);
    }
    most = Math.max(most, frames);
  }
  return most;
}

interface Extent {
  readonly isInIdat: boolean;
  readonly offset: number;
  readonly length: number;
}

/** §8.11.3. Extents that are cut off are skipped. */
function* itemsOf(bytes: Buffer, { start, end }: Box): Generator<readonly Extent[]> {
  let at = start;
  const take = (length: number): number => {
    if (at + length > end) throw new RangeError('cut off');
    at += length;
    if (length === 8) return Number(bytes.readBigUInt64BE(at - 8));
    return length === 0 ? 0 : bytes.readUIntBE(at - length, length);
  };
  try {
    const version = take(4) >>> 24;
    const [sizes, more] = [take(1), take(1)];
    const [offsetBytes, lengthBytes, baseBytes] = [sizes >> 4, sizes & 15, more >> 4];
    const indexBytes = version === 0 ? 0 : more & 15;
    for (let items = take(version < 2 ? 2 : 4); items > 0; items--) {
      take(version < 2 ? 2 : 4);
      const isInIdat = version > 0 && (take(2) & 15) === 1;
      take(2);
      const base = take(baseBytes);
      const extents: Extent[] = [];
      for (let count = take(2); count > 0; count--) {
        take(indexBytes);
        extents.push({ isInIdat, offset: base + take(offsetBytes), length: take(lengthBytes) });
      }
      yield extents;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}
