import {
  numbersOf,
  readTiffDirectory,
  readTiffHeader,
  type TiffEntry,
  type TiffHeader,
} from './tiff/directory.ts';

/*
 * The orientation of an image, as Pillow 13 finds it (Image.getexif and ImageOps.exif_transpose): the tag Orientation
 * of EXIF's first directory, else `tiff:Orientation` in XMP.
 */

/** The orientation that a file's metadata states. */
export interface Orientation {
  /** 1…8, as in EXIF; 1 if none is stated. */
  readonly orientation: number;
  /** Whether EXIF is present but is no TIFF directory. Pillow fails on such a file; here it is not turned. */
  readonly exifIsUnreadable?: true;
}

/** Metadata of a file as Pillow's plugins collect it. */
export interface Metadata {
  /** With or without `Exif\0\0` before it; `null` if it is present but cannot be read. */
  readonly exif?: Uint8Array | null | undefined;
  readonly xmp?: Uint8Array | undefined;
}

export const upright: Orientation = { orientation: 1 };
const unreadable: Orientation = { orientation: 1, exifIsUnreadable: true };

const orientationTag = 0x0112;

/** The orientation from EXIF and XMP. XMP counts only if EXIF has no such tag. */
export function orientationOf({ exif, xmp }: Metadata): Orientation {
  return exifOrientation(exif) ?? xmpOrientation(xmp);
}

/**
 * The orientation from EXIF.
 *
 * @param exif - as in `Metadata`
 * @returns undefined if the tag is missing
 */
export function exifOrientation(exif: Metadata['exif']): Orientation | undefined {
  if (exif === null) return unreadable;
  const tiff = exif === undefined ? Buffer.alloc(0) : withoutPrefix(exif);
  // Pillow treats empty EXIF as missing.
  if (tiff.length === 0) return undefined;
  const header = readTiffHeader(tiff);
  return header === undefined || header.isBig ? unreadable : tiffOrientation(tiff, header);
}

/**
 * The orientation from the first directory of a TIFF file.
 *
 * @returns undefined if the tag is missing
 */
export function tiffOrientation(file: Buffer, header: TiffHeader): Orientation | undefined {
  const entry = readTiffDirectory(file, header, header.first).entries.get(orientationTag);
  return entry && orientationOfEntry(file, header, entry);
}

/**
 * Any numeric type counts except BYTE, which Pillow reads as a string of bytes. Of several values the first one counts.
 */
function orientationOfEntry(file: Buffer, header: TiffHeader, entry: TiffEntry): Orientation {
  const [value = 1] = entry.type === 1 ? [] : numbersOf(file, header, entry, 1);
  return orientationBy(value);
}

/** The orientation from its first mention in XMP, as an attribute or as an element. */
export function xmpOrientation(xmp: Uint8Array | undefined): Orientation {
  if (xmp === undefined) return upright;
  const text = Buffer.from(xmp.buffer, xmp.byteOffset, xmp.length).toString('latin1');
  return orientationBy(Number(/tiff:Orientation(?:="|>)([0-9])/.exec(text)?.[1]));
}

/** Undefined orientations count as 1. */
function orientationBy(value: number): Orientation {
  return [2, 3, 4, 5, 6, 7, 8].includes(value) ? { orientation: value } : upright;
}

const prefix = 'Exif\0\0';

/** Skips up to two of them, as Pillow does. */
function withoutPrefix(exif: Uint8Array): Buffer {
  let bytes = Buffer.from(exif.buffer, exif.byteOffset, exif.length);
  for (let times = 0; times < 2 && bytes.toString('latin1', 0, prefix.length) === prefix; times++) {
    bytes = bytes.subarray(prefix.length);
  }
  return bytes;
}
