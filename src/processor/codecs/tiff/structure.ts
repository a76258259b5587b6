import { readJpegScans } from '../jpeg/scans.ts';
import type { SourceStructure } from '../source-structure.ts';
import {
  countTiffEntries,
  nextTiffDirectory,
  numberOf,
  readTiffEntry,
  readTiffHeader,
  type TiffEntry,
  type TiffHeader,
} from './directory.ts';

/*
 * libtiff reads every directory of a file to count its pages, once for the header and once to decode. It inserts each
 * unknown entry into a sorted list of the earlier ones. TIFF 6.0, §2 and §15; BigTIFF as in libtiff.
 */

/** Time of the decoder in nanoseconds; reading the header takes half as much. */
const directoryTime = 4000;
const entryTime = 700;
const entryPairTime = 40;
/** In nanoseconds: for each strip or tile, and for each of its pixels beyond the image. */
const segmentTime = 1600;
const surplusPixelTime = 10;

/** More directories than libtiff reads in a file whose image is within all limits. */
const mostDirectories = 65_536;
/** Limit of JPEG strips or tiles that are searched: 100 megapixels have 1,600 tiles of 256 × 256. */
const mostJpegSegments = 20_000;
/** Limit of entries that libtiff accepts in a directory. */
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

interface File {
  readonly bytes: Buffer;
  readonly header: TiffHeader;
}

/** @returns undefined for one directory with at most a few hundred strips or tiles */
export function readTiffStructure(bytes: Buffer): SourceStructure | undefined {
  const header = readTiffHeader(bytes);
  if (header === undefined) return undefined;
  const file = { bytes, header };
  const { directories, time } = readDirectories(file);
  const image = readSegments(file, readFields(file));
  const fixedTime = time + image.fixedTime;
  if (fixedTime < unnoticedTime) return undefined;
  const parts = image.fixedTime > time ? image : { parts: 'directories', count: directories };
  return { parts: parts.parts, count: parts.count, headerTime: time / 2, fixedTime };
}

/** In nanoseconds. */
const unnoticedTime = 500_000;

/** The chain of directories as libtiff follows it: it stops at a cycle. */
function readDirectories({ bytes, header }: File): { readonly directories: number; readonly time: number } {
  const seen = new Set<number>();
  let time = 0;
  let at = header.first;
  while (at !== 0 && !seen.has(at) && seen.size < mostDirectories) {
    const entries = countTiffEntries(bytes, header, at);
    if (entries === undefined || entries > mostEntries) break;
    seen.add(at);
    time += directoryTime + entries * entryTime + entries ** 2 * entryPairTime;
    at = nextTiffDirectory(bytes, header, at, entries) ?? 0;
  }
  return { directories: seen.size, time };
}

/**
 * The entries of the first directory whose tags are in `tag`. Unlike Pillow, libtiff continues after an entry whose
 * values are outside of the file. Of two entries with the same tag it also uses the first.
 */
function readFields({ bytes, header }: File): ReadonlyMap<number, TiffEntry> {
  const fields = new Map<number, TiffEntry>();
  const usedTags: ReadonlySet<number> = new Set(Object.values(tag));
  const count = Math.min(mostEntries, countTiffEntries(bytes, header, header.first) ?? 0);
  for (let index = 0; index < count; index++) {
    const entry = readTiffEntry(bytes, header, header.first, index);
    if (entry === undefined) break;
    if (usedTags.has(entry.tag) && !fields.has(entry.tag)) fields.set(entry.tag, entry);
  }
  return fields;
}

/** The cost of the strips or tiles, without that of the image's pixels. */
function readSegments(file: File, fields: ReadonlyMap<number, TiffEntry>) {
  const number = (id: number) => numberIn(file, fields.get(id), 0) ?? 0;
  const [width, height] = [number(tag.width), number(tag.height)];
  const isTiled = fields.has(tag.tileOffsets);
  const offsets = fields.get(isTiled ? tag.tileOffsets : tag.stripOffsets);
  const lengths = fields.get(isTiled ? tag.tileBytes : tag.stripBytes);
  const segments = offsets?.count ?? 0;
  const [tileWidth, tileHeight] = [number(tag.tileWidth), number(tag.tileHeight)];
  const surplus = isTiled ? Math.max(0, segments * tileWidth * tileHeight - width * height) : 0;
  const segmentsTime = segments * segmentTime + surplus * surplusPixelTime;
  const isJpeg = number(tag.compression) === 6 || number(tag.compression) === 7;
  const scans = isJpeg ? readSegmentScans(file, offsets, lengths) : { count: 0, time: 0 };
  const what = scans.time > segmentsTime ? 'scans' : isTiled ? 'tiles' : 'strips';
  return {
    parts: what,
    count: what === 'scans' ? scans.count : segments,
    fixedTime: segmentsTime + scans.time,
  };
}

/** The scans of strips or tiles that are JPEGs. Several may share one place of the file. */
function readSegmentScans(file: File, offsets: TiffEntry | undefined, lengths: TiffEntry | undefined) {
  const count = offsets?.count ?? 0;
  if (count > mostJpegSegments) return { count, time: Number.POSITIVE_INFINITY };
  const known = new Map<string, { readonly count: number; readonly time: number }>();
  const all = { count: 0, time: 0 };
  let walked = 0;
  for (let index = 0; index < count; index++) {
    const [offset, length] = [numberIn(file, offsets, index), numberIn(file, lengths, index)];
    if (offset === undefined || length === undefined) break;
    const key = `${offset} ${length}`;
    let one = known.get(key);
    if (one === undefined) {
      const segment = file.bytes.subarray(offset, offset + length);
      walked += segment.length;
      // Overlapping segments: no writer produces such a file, and each one would have to be read.
      if (walked > 2 * file.bytes.length) return { count: index, time: Number.POSITIVE_INFINITY };
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

function numberIn({ bytes, header }: File, entry: TiffEntry | undefined, index: number): number | undefined {
  return entry && numberOf(bytes, header, entry, index);
}
