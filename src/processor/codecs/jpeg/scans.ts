import type { SourceStructure } from '../source-structure.ts';
import { isFrame } from './segments.ts';

/*
 * Decoders visit every block of a component once per scan, however few bytes the scan has (ITU-T T.81, G.1.2). The
 * times are libjpeg-turbo's, measured with scans of a few bytes, in nanoseconds per block and scan.
 */

const scanTime = { sequential: 10, progressive: 8, arithmetic: 30 } as const;
/** A refinement scan also visits each coefficient of its band. */
const refinedCoefficientTime = 0.7;
/** Time of the scans in files of common encoders, which the price of a progressive JPEG already includes. */
const usualTime = 113;
const pixelsPerBlock = 64;
/** For the tables of a scan, in nanoseconds. */
const scanSetupTime = 2000;

/** Limit of a JPEG's scans, that of libjpeg-turbo's TJFLAG_LIMITSCANS. Encoders write ten to twenty. */
export const mostScans = 500;

/** Limit of segments that are read. At 64 KiB each they would be 6 GB, and no image may have as many scans. */
const mostSegments = 100_000;

/** Bytes without 0xff after which the search for the next one becomes native. */
const quietBytes = 32;

/** The scans of a JPEG. */
export interface JpegScans extends SourceStructure {
  readonly timePerPixel: number;
  /** Width × height. */
  readonly pixels: number;
}

interface Frame {
  readonly isProgressive: boolean;
  readonly isArithmetic: boolean;
  readonly width: number;
  readonly height: number;
  /** Blocks per 64 pixels of the image, by component id. */
  readonly shares: ReadonlyMap<number, number>;
}

/**
 * Counts the scans of a JPEG and their cost in one pass over its markers.
 *
 * @returns undefined for a file without a frame, and for a sequential JPEG whose first scan contains all components:
 *   decoders read only that scan
 */
export function readJpegScans(bytes: Buffer): JpegScans | undefined {
  let frame: Frame | undefined;
  let scans = 0;
  let time = 0;
  let segments = 0;
  for (let at = nextMarker(bytes, 2); at !== undefined; segments++) {
    if (segments === mostSegments)
      return {
        parts: 'segments',
        count: segments,
        headerTime: Number.POSITIVE_INFINITY,
        fixedTime: 0,
        pixels: 0,
        timePerPixel: 0,
      };
    const marker = bytes[at + 1] as number;
    if (marker === 0xd9) break; // EOI
    const hasLength = marker !== 0x01 && marker !== 0xd8 && at + 4 <= bytes.length;
    // No readUInt16BE and no subarray per segment: there may be millions of segments.
    const length = hasLength ? Math.max(2, ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) : 0;
    const end = at + 2 + length;
    if (isFrame(marker)) frame ??= frameOf(marker, bytes.subarray(at + 4, end));
    if (marker === 0xda && frame !== undefined) {
      const body = bytes.subarray(at + 4, end);
      if (scans === 0 && !frame.isProgressive && body[0] === frame.shares.size) return undefined;
      scans++;
      time += timeOf(body, frame);
    }
    at = nextMarker(bytes, end);
  }
  if (frame === undefined || scans === 0) return undefined;
  const usual = usualTime * sumOf(frame.shares.values());
  const pixels = frame.width * frame.height;
  return {
    parts: 'scans',
    count: scans,
    mostParts: mostScans,
    pixels,
    fixedTime: scans * scanSetupTime,
    timePerPixel: Math.max(0, time - usual) / pixelsPerBlock,
  };
}

function frameOf(marker: number, body: Buffer): Frame | undefined {
  const count = body[5] ?? 0;
  if (count === 0 || body.length < 6 + 3 * count) return undefined;
  const components = Array.from({ length: count }, (_, index) => {
    const sampling = body.readUInt8(7 + 3 * index);
    return { id: body.readUInt8(6 + 3 * index), across: sampling >> 4, down: sampling & 15 };
  });
  const most = (side: 'across' | 'down') => Math.max(1, ...components.map((each) => each[side]));
  const whole = most('across') * most('down');
  return {
    isProgressive: (marker & 3) === 2,
    isArithmetic: marker >= 0xc9,
    height: body.readUInt16BE(1),
    width: body.readUInt16BE(3),
    shares: new Map(components.map(({ id, across, down }) => [id, (across * down) / whole])),
  };
}

/** @returns nanoseconds per 64 pixels of the image */
function timeOf(scan: Buffer, { isProgressive, isArithmetic, shares }: Frame): number {
  const count = scan[0] ?? 0;
  const ids = Array.from({ length: count }, (_, index) => scan[1 + 2 * index] ?? 0);
  const blocks = sumOf(ids.map((id) => shares.get(id) ?? 1));
  const [first = 0, last = 0, approximation = 0] = scan.subarray(1 + 2 * count);
  const isRefinement = isProgressive && first > 0 && approximation >> 4 > 0;
  const kind = isArithmetic ? 'arithmetic' : isProgressive ? 'progressive' : 'sequential';
  const band = isRefinement ? Math.max(0, last - first + 1) : 0;
  return blocks * (scanTime[kind] + band * refinedCoefficientTime);
}

/**
 * The next marker outside entropy-coded data: 0xff followed by neither 0, a fill byte, nor RSTn (ITU-T T.81, B.1.1).
 *
 * A native search costs as much as a few dozen bytes in a loop, so it pays only if 0xff is rare.
 */
export function nextMarker(bytes: Buffer, from: number): number | undefined {
  const last = bytes.length - 1;
  if (from < last && bytes[from] === 0xff && isMarker(bytes[from + 1] as number)) return from;
  for (let at = bytes.indexOf(0xff, from); at !== -1 && at < last; at = bytes.indexOf(0xff, at)) {
    for (let quiet = 0; quiet < quietBytes && at < last; at++, quiet++) {
      if (bytes[at] !== 0xff) continue;
      if (isMarker(bytes[at + 1] as number)) return at;
      quiet = 0;
    }
    if (at >= last) return undefined;
  }
  return undefined;
}

function isMarker(code: number): boolean {
  return code !== 0 && code !== 0xff && (code < 0xd0 || code > 0xd7);
}

function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
