import { readJpegScans } from '../jpeg/scans.ts';
import type { SourceStructure } from '../source-structure.ts';

/*
 * libtiff reads every directory of a file to count its pages, once for the header and once to decode. Each entry that it
 * doesn't know is sorted into all those before. TIFF 6.0, §2 and §15; BigTIFF as libtiff has it.
 */

/** Nanoseconds of the decoder; the header takes half as much again. */
const directoryTime = 4000;
const entryTime = 700;
const entryPairTime = 40;
/** Nanoseconds for each strip or tile, and for each of its pixels beyond the image. */
const segmentTime = 1600;
const surplusPixelTime = 10;

/** More than libtiff reads of an image that is smaller than all limits. */
const mostDirectories = 65_536;
/** Strips or tiles that are JPEGs and looked into: 100 megapixels have 1,600 tiles of 256 × 256. */
const mostJpegSegments = 20_000;
/** Entries of a directory that libtiff takes. */
const mostEntries = 4096;

const tag = {
  width: 256,
  height: 257,
  compression: 259,
  stripOffsets: 273,
  stripBytes: 279,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileBytes: 325,
} as const;

/** Bytes of a value, by its type. */
const typeBytes: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4, 13: 4, 16: 8, 18: 8 };

interface Field {
  readonly type: number;
  readonly count: number;
  /** Where the values are. */
  readonly at: number;
}

type Reader = ReturnType<typeof createReader>;

/** @returns undefined for one directory of some hundred strips or tiles */
export function readTiffStructure(bytes: Buffer): SourceStructure | undefined {
  const reader = createReader(bytes);
  const first = reader.firstDirectory;
  const { directories, time } = readDirectories(reader);
  const image = readSegments(reader, reader.fields(first));
  const fixedTime = time + image.fixedTime;
  if (fixedTime < unnoticedTime) return undefined;
  const parts = image.fixedTime > time ? image : { parts: 'directories', count: directories };
  return { parts: parts.parts, count: parts.count, headerTime: time / 2, fixedTime };
}

/** Nanoseconds. */
const unnoticedTime = 500_000;

/** The chain of directories, as far as libtiff follows it: not in a circle. */
function readDirectories(reader: Reader): { readonly directories: number; readonly time: number } {
  const seen = new Set<number>();
  let time = 0;
  let at = reader.firstDirectory;
  while (at !== 0 && !seen.has(at) && seen.size < mostDirectories) {
    const entries = reader.entries(at);
    if (entries === undefined || entries > mostEntries) break;
    seen.add(at);
    time += directoryTime + entries * entryTime + entries ** 2 * entryPairTime;
    at = reader.nextDirectory(at, entries);
  }
  return { directories: seen.size, time };
}

/** What the strips or tiles of the image take beside its pixels. */
function readSegments(reader: Reader, fields: ReadonlyMap<number, Field>) {
  const number = (wanted: number) => reader.number(fields.get(wanted), 0) ?? 0;
  const [width, height] = [number(tag.width), number(tag.height)];
  const isTiled = fields.has(tag.tileOffsets);
  const offsets = fields.get(isTiled ? tag.tileOffsets : tag.stripOffsets);
  const lengths = fields.get(isTiled ? tag.tileBytes : tag.stripBytes);
  const segments = offsets?.count ?? 0;
  const [tileWidth, tileHeight] = [number(tag.tileWidth), number(tag.tileHeight)];
  const surplus = isTiled ? Math.max(0, segments * tileWidth * tileHeight - width * height) : 0;
  const segmentsTime = segments * segmentTime + surplus * surplusPixelTime;
  const isJpeg = number(tag.compression) === 6 || number(tag.compression) === 7;
  const scans = isJpeg ? readSegmentScans(reader, offsets, lengths) : { count: 0, time: 0 };
  const what = scans.time > segmentsTime ? 'scans' : isTiled ? 'tiles' : 'strips';
  return {
    parts: what,
    count: what === 'scans' ? scans.count : segments,
    fixedTime: segmentsTime + scans.time,
  };
}

/** The scans of strips or tiles that are JPEGs. Several may be at one place of the file. */
function readSegmentScans(reader: Reader, offsets: Field | undefined, lengths: Field | undefined) {
  const count = offsets?.count ?? 0;
  if (count > mostJpegSegments) return { count, time: Number.POSITIVE_INFINITY };
  const known = new Map<string, { readonly count: number; readonly time: number }>();
  const all = { count: 0, time: 0 };
  let walked = 0;
  for (let index = 0; index < count; index++) {
    const [offset, length] = [reader.number(offsets, index), reader.number(lengths, index)];
    if (offset === undefined || length === undefined) break;
    const key = `${offset} ${length}`;
    let one = known.get(key);
    if (one === undefined) {
      const segment = reader.bytes.subarray(offset, offset + length);
      walked += segment.length;
      // Segments that overlap: no writer makes such a file, and each would have to be read.
      if (walked > 2 * reader.bytes.length) return { count: index, time: Number.POSITIVE_INFINITY };
      const scans = readJpegScans(segment);
      one = {
        count: scans?.count ?? 1,
        time:
          scans === undefined
            ? 0
            : (scans.headerTime ?? 0) + scans.fixedTime + scans.pixels * scans.timePerPixel,
      };
      known.set(key, one);
    }
    all.count += one.count;
    all.time += one.time;
  }
  return all;
}

/** Reads numbers and directories in the file's byte order. What is outside of the file is undefined. */
function createReader(bytes: Buffer) {
  const isLittle = bytes[0] === 0x49;
  const uint16 = (at: number): number | undefined =>
    at + 2 > bytes.length ? undefined : isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
  const uint32 = (at: number): number | undefined =>
    at + 4 > bytes.length ? undefined : isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  const uint64 = (at: number): number | undefined => {
    const [low, high] = isLittle ? [uint32(at), uint32(at + 4)] : [uint32(at + 4), uint32(at)];
    return low === undefined || high === undefined ? undefined : high * 2 ** 32 + low;
  };
  const isBig = uint16(2) === 43;
  const offset = isBig ? uint64 : uint32;
  const offsetBytes = isBig ? 8 : 4;
  const countBytes = isBig ? 8 : 2;
  const entryBytes = isBig ? 20 : 12;
  const entries = (at: number) => (isBig ? uint64(at) : uint16(at));

  function fieldAt(at: number): Field {
    const type = uint16(at + 2) ?? 0;
    const count = offset(at + 4) ?? 0;
    const value = at + 4 + offsetBytes;
    const isInPlace = count * (typeBytes[type] ?? 1) <= offsetBytes;
    return { type, count, at: isInPlace ? value : (offset(value) ?? bytes.length) };
  }

  return {
    bytes,
    firstDirectory: offset(isBig ? 8 : 4) ?? 0,
    entries,
    nextDirectory: (at: number, count: number): number => offset(at + countBytes + count * entryBytes) ?? 0,
    /** The fields that are in `tag`. */
    fields(directory: number): ReadonlyMap<number, Field> {
      const fields = new Map<number, Field>();
      const count = Math.min(mostEntries, entries(directory) ?? 0);
      const wanted: ReadonlySet<number | undefined> = new Set(Object.values(tag));
      for (let entry = 0; entry < count; entry++) {
        const at = directory + countBytes + entry * entryBytes;
        const name = uint16(at);
        if (name !== undefined && wanted.has(name)) fields.set(name, fieldAt(at));
      }
      return fields;
    },
    /** One of a field's values. */
    number(field: Field | undefined, index: number): number | undefined {
      if (field === undefined || index >= field.count) return undefined;
      const length = typeBytes[field.type] ?? 1;
      const at = field.at + index * length;
      return length === 1 ? bytes[at] : length === 2 ? uint16(at) : length === 4 ? uint32(at) : uint64(at);
    },
  };
}
