/*
 * Directories of a TIFF file or of EXIF, which uses the same format (TIFF 6.0, §2; BigTIFF by its extension of 2004).
 * The rules for valid and duplicate entries are those of Pillow's ImageFileDirectory_v2.load.
 */

/** One entry. Its values are within the file. */
export interface TiffEntry {
  /** TIFF 6.0's number of the field type: 1 BYTE, 2 ASCII, 3 SHORT, 4 LONG, … */
  readonly type: number;
  readonly count: number;
  /** Offset of the values in the file, in bytes. */
  readonly at: number;
}

export interface TiffHeader {
  readonly isLittleEndian: boolean;
  /** 8-byte offsets. */
  readonly isBig: boolean;
  /** Offset of the first directory, in bytes. */
  readonly first: number;
}

export interface TiffDirectory {
  readonly entries: ReadonlyMap<number, TiffEntry>;
  /** Offset of the next directory in bytes; 0 after the last one; undefined if the file ends within this one. */
  readonly next: number | undefined;
}

/** Bytes of one value, by field type. Entries of other types are ignored. */
const typeBytes: Readonly<Record<number, number>> = {
  1: 1, // BYTE
  2: 1, // ASCII
  3: 2, // SHORT
  4: 4, // LONG
  5: 8, // RATIONAL
  6: 1, // SBYTE
  7: 1, // UNDEFINED
  8: 2, // SSHORT
  9: 4, // SLONG
  10: 8, // SRATIONAL
  11: 4, // FLOAT
  12: 8, // DOUBLE
  13: 4, // IFD
  16: 8, // LONG8
};

/** Limit of entries read in one directory: TIFF's own limit. BigTIFF would allow 2⁶⁴. */
const mostEntries = 65_535;

/** Headers that Pillow accepts. The third and the fourth have their version in the other byte order. */
const headers: Readonly<Record<string, Omit<TiffHeader, 'first'>>> = {
  'II*\0': { isLittleEndian: true, isBig: false },
  'MM\0*': { isLittleEndian: false, isBig: false },
  'II\0*': { isLittleEndian: true, isBig: false },
  'MM*\0': { isLittleEndian: false, isBig: false },
  'II+\0': { isLittleEndian: true, isBig: true },
  'MM\0+': { isLittleEndian: false, isBig: true },
};

/** @returns undefined if the bytes do not begin like a TIFF file */
export function readTiffHeader(file: Buffer): TiffHeader | undefined {
  const kind = headers[file.toString('latin1', 0, 4)];
  if (kind === undefined || file.length < (kind.isBig ? 16 : 8)) return undefined;
  return { ...kind, first: readOffset(file, kind, kind.isBig ? 8 : 4) };
}

/** An entry as stored. Its values may be outside of the file. */
export interface WrittenEntry extends TiffEntry {
  readonly tag: number;
  /** Bytes of all values; 0 for unknown types. */
  readonly bytes: number;
  /** The values are in the entry itself. */
  readonly isInPlace: boolean;
}

/** Sizes in bytes: of the number of entries, of an entry, and of the values or the offset in an entry. */
function sizesOf({ isBig }: Endianness): readonly [count: number, entry: number, value: number] {
  return isBig ? [8, 20, 8] : [2, 12, 4];
}

/**
 * The number of entries that a directory states.
 *
 * @param at - offset of the directory, in bytes
 * @returns undefined if the file ends before it
 */
export function countTiffEntries(file: Buffer, header: TiffHeader, at: number): number | undefined {
  if (at + sizesOf(header)[0] > file.length) return undefined;
  return header.isBig ? readOffset(file, header, at) : uint16(file, header, at);
}

/** @returns undefined if the file ends within the entry */
export function readTiffEntry(
  file: Buffer,
  header: TiffHeader,
  directory: number,
  index: number,
): WrittenEntry | undefined {
  const [countBytes, entryBytes, valueBytes] = sizesOf(header);
  const at = directory + countBytes + index * entryBytes;
  if (at + entryBytes > file.length) return undefined;
  const type = uint16(file, header, at + 2);
  const count = readOffset(file, header, at + 4);
  const bytes = count * (typeBytes[type] ?? 0);
  const valueAt = at + entryBytes - valueBytes;
  const isInPlace = bytes <= valueBytes;
  const values = isInPlace ? valueAt : readOffset(file, header, valueAt);
  return { tag: uint16(file, header, at), type, count, at: values, bytes, isInPlace };
}

/**
 * The offset of the directory after one with `count` entries, in bytes.
 *
 * @returns 0 after the last one; undefined if the file ends before it
 */
export function nextTiffDirectory(
  file: Buffer,
  header: TiffHeader,
  at: number,
  count: number,
): number | undefined {
  const [countBytes, entryBytes, valueBytes] = sizesOf(header);
  const nextAt = at + countBytes + count * entryBytes;
  return nextAt + valueBytes <= file.length ? readOffset(file, header, nextAt) : undefined;
}

/**
 * Reads one directory. Of two entries with the same tag the first counts; entries of unknown types, without values, or
 * with values outside of the file are skipped.
 *
 * @param at - offset of the directory, in bytes
 */
export function readTiffDirectory(file: Buffer, header: TiffHeader, at: number): TiffDirectory {
  const entries = new Map<number, TiffEntry>();
  const count = countTiffEntries(file, header, at);
  if (count === undefined) return { entries, next: undefined };
  let outOfPlace = 0;
  for (let index = 0; index < Math.min(count, mostEntries); index++) {
    const entry = readTiffEntry(file, header, at, index);
    if (entry === undefined) return { entries, next: undefined };
    const { tag, type, count: values, at: valuesAt, bytes, isInPlace } = entry;
    if (entries.has(tag) || bytes === 0) continue;
    if (!isInPlace) {
      // Values may overlap, but their total may not exceed the size of the file.
      outOfPlace += bytes;
      if (outOfPlace > file.length) continue;
      if (valuesAt + bytes > file.length) return { entries, next: undefined };
    }
    entries.set(tag, { type, count: values, at: valuesAt });
  }
  return { entries, next: nextTiffDirectory(file, header, at, count) };
}

/** One of an entry's numbers. @returns undefined if the entry or the file has fewer */
export function numberOf(
  file: Buffer,
  header: TiffHeader,
  { type, count, at }: TiffEntry,
  index: number,
): number | undefined {
  const read = numberReaders[type];
  const bytes = typeBytes[type] ?? 0;
  const place = at + index * bytes;
  if (read === undefined || index >= count || place + bytes > file.length) return undefined;
  return read(file, header, place);
}

/**
 * The numbers of an entry. A fraction becomes its quotient.
 *
 * @param most - limit of numbers to read; the rest is ignored
 * @returns an empty list for text and for bytes of unknown meaning (UNDEFINED)
 */
export function numbersOf(
  file: Buffer,
  header: TiffHeader,
  { type, count, at }: TiffEntry,
  most: number,
): number[] {
  const read = numberReaders[type];
  if (read === undefined) return [];
  const bytes = typeBytes[type] as number;
  return Array.from({ length: Math.min(count, most) }, (_, index) => read(file, header, at + index * bytes));
}

type Endianness = Pick<TiffHeader, 'isLittleEndian' | 'isBig'>;

const numberReaders: Readonly<Record<number, (file: Buffer, header: Endianness, at: number) => number>> = {
  1: (file, _, at) => file.readUInt8(at),
  3: uint16,
  4: uint32,
  5: (file, header, at) => uint32(file, header, at) / uint32(file, header, at + 4),
  6: (file, _, at) => file.readInt8(at),
  8: (file, { isLittleEndian }, at) => (isLittleEndian ? file.readInt16LE(at) : file.readInt16BE(at)),
  9: int32,
  10: (file, header, at) => int32(file, header, at) / int32(file, header, at + 4),
  11: (file, { isLittleEndian }, at) => (isLittleEndian ? file.readFloatLE(at) : file.readFloatBE(at)),
  12: (file, { isLittleEndian }, at) => (isLittleEndian ? file.readDoubleLE(at) : file.readDoubleBE(at)),
  13: uint32,
  16: uint64,
};

function readOffset(file: Buffer, header: Endianness, at: number): number {
  return header.isBig ? uint64(file, header, at) : uint32(file, header, at);
}

function uint16(file: Buffer, { isLittleEndian }: Endianness, at: number): number {
  return isLittleEndian ? file.readUInt16LE(at) : file.readUInt16BE(at);
}

function uint32(file: Buffer, { isLittleEndian }: Endianness, at: number): number {
  return isLittleEndian ? file.readUInt32LE(at) : file.readUInt32BE(at);
}

function int32(file: Buffer, { isLittleEndian }: Endianness, at: number): number {
  return isLittleEndian ? file.readInt32LE(at) : file.readInt32BE(at);
}

/** Inexact above 2⁵³, which no offset in a real file exceeds. */
function uint64(file: Buffer, { isLittleEndian }: Endianness, at: number): number {
  return Number(isLittleEndian ? file.readBigUInt64LE(at) : file.readBigUInt64BE(at));
}
