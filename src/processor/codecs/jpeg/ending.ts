import { nextMarker } from './scans.ts';

/*
 * Reads what follows the pixels in a JPEG of one scan. Pillow lets libjpeg read on to the end of the image
 * (jpeg_finish_decompress); libvips does not. Damaged pixels look like markers there. Numbers are from ITU-T T.81,
 * annex B; the fatal cases are those of libjpeg-turbo's jdmarker.c.
 */

/** Pillow's MAXBLOCK, in bytes. Pillow passes blocks of this size to libjpeg; later blocks are not read. */
const blockBytes = 65_536;

/**
 * Whether Pillow refuses a JPEG of one scan because of the bytes after its pixels ("broken data stream"): a marker
 * that is unknown or not allowed there, or malformed tables.
 *
 * @returns false for several scans: decoders read all of them before the first pixel and find such errors themselves
 */
export function hasBrokenEnding(content: Uint8Array): boolean {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const scan = findOnlyScan(bytes);
  if (scan === undefined) return false;
  let at = endOfPixels(bytes, scan);
  if (at === undefined) return false;
  const blockEnd = Math.min(bytes.length, Math.ceil((at + 2) / blockBytes) * blockBytes);
  while (at !== undefined && at + 2 <= blockEnd) {
    const marker = bytes.readUInt8(at + 1);
    if (marker === endOfImage) return false;
    if (marker === temporary) {
      at = nextMarker(bytes, at + 2);
      continue;
    }
    if (!hasLength(marker)) return true;
    if (at + 4 > blockEnd) return false;
    const end: number = at + 2 + Math.max(2, bytes.readUInt16BE(at + 2));
    if (isDamaged(marker, bytes.subarray(at + 4, blockEnd), end - at - 4)) return true;
    if (end > blockEnd) return false;
    at = nextMarker(bytes, end);
  }
  return false;
}

const temporary = 0x01;
const startOfScan = 0xda;
const endOfImage = 0xd9;
const restartInterval = 0xdd;

interface Scan {
  /** Offset of the pixels, in bytes. */
  readonly pixels: number;
  readonly hasRestarts: boolean;
}

function findOnlyScan(bytes: Buffer): Scan | undefined {
  let components = 0;
  let hasRestarts = false;
  for (let at = nextMarker(bytes, 2); at !== undefined && at + 4 <= bytes.length; ) {
    const marker = bytes.readUInt8(at + 1);
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    const body = bytes.subarray(at + 4, end);
    // Progressive, or with arithmetic coding, whose restarts are irrelevant here.
    if (marker === 0xc2 || marker === 0xca) return undefined;
    if (marker >= 0xc0 && marker <= 0xc9 && marker !== 0xc4 && marker !== 0xc8) components = body[5] ?? 0;
    if (marker === restartInterval && body.length >= 2) hasRestarts = body.readUInt16BE(0) > 0;
    if (marker === startOfScan) return body[0] === components ? { pixels: end, hasRestarts } : undefined;
    at = nextMarker(bytes, end);
  }
  return undefined;
}

/**
 * The first marker after the pixels. At a restart libjpeg skips invalid markers (jpeg_resync_to_restart), so only
 * markers after the last restart count.
 */
function endOfPixels(bytes: Buffer, { pixels, hasRestarts }: Scan): number | undefined {
  const first = nextMarker(bytes, pixels);
  if (!hasRestarts) return first;
  let valid = first;
  while (valid !== undefined && bytes.readUInt8(valid + 1) < 0xc0) valid = nextMarker(bytes, valid + 2);
  return nextMarker(bytes, lastRestart(bytes, pixels, valid ?? bytes.length));
}

/** @returns the offset after the last restart; `from` if there is none */
function lastRestart(bytes: Buffer, from: number, to: number): number {
  for (let at = bytes.lastIndexOf(0xff, to - 1); at >= from; at = bytes.lastIndexOf(0xff, at - 1)) {
    const marker = bytes[at + 1] ?? 0;
    if (marker >= 0xd0 && marker <= 0xd7) return at + 2;
  }
  return from;
}

/** Whether a marker may follow a scan: tables, lines, application segments and comments. */
function hasLength(marker: number): boolean {
  const isTable = marker === 0xc4 || marker === 0xcc || (marker >= 0xdb && marker <= 0xdd);
  return isTable || (marker >= 0xe0 && marker <= 0xef) || marker === 0xfe;
}

/**
 * Whether libjpeg finds that a segment of tables is malformed, in the bytes that it is given.
 *
 * @param bytes - from the segment's body on: libjpeg may read beyond its length
 * @param length - of the body, as stated in the segment
 */
function isDamaged(marker: number, bytes: Buffer, length: number): boolean {
  switch (marker) {
    case 0xc4:
      return areHuffmanTables(bytes, length) === false;
    case 0xcc:
      return areConditions(bytes, length) === false;
    case 0xdb:
      return areQuantizationTables(bytes, length) === false;
    case restartInterval:
      return length !== 2;
    default:
      return false;
  }
}

/** @returns undefined if the bytes end too early to decide */
function areHuffmanTables(bytes: Buffer, length: number): boolean | undefined {
  let at = 0;
  while (length - at > 16) {
    if (at + 17 > bytes.length) return undefined;
    const table = bytes.readUInt8(at);
    const codes = bytes.subarray(at + 1, at + 17).reduce((sum, count) => sum + count, 0);
    at += 17;
    if (codes > 256 || codes > length - at) return false;
    if (at + codes > bytes.length) return undefined;
    at += codes;
    if ((table & 0xec) !== 0) return false;
  }
  return at === length;
}

function areQuantizationTables(bytes: Buffer, length: number): boolean | undefined {
  let at = 0;
  while (at < length) {
    const table = bytes[at];
    if (table === undefined) return undefined;
    if ((table & 15) > 3) return false;
    at += 1 + (table >> 4 === 0 ? 64 : 128);
    if (at > bytes.length) return undefined;
  }
  return at === length;
}

/** Whether conditioning tables for arithmetic coding are well-formed; undefined if the bytes end too early. */
function areConditions(bytes: Buffer, length: number): boolean | undefined {
  for (let at = 0; at < length; at += 2) {
    if (at + 2 > bytes.length) return undefined;
    const [table = 0, value = 0] = bytes.subarray(at, at + 2);
    if (table >= 32 || (table < 16 && (value & 15) > value >> 4)) return false;
  }
  return length % 2 === 0;
}
