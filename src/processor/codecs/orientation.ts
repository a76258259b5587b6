import {
  numbersOf,
  readTiffDirectory,
  readTiffHeader,
  type TiffEntry,
  type TiffHeader,
} from './tiff/directory.ts';

/*
 * Where an image says which side of it is up, as Pillow 13 finds it (Image.getexif and ImageOps.exif_transpose): the
 * tag Orientation of EXIF's first directory, else `tiff:Orientation` in XMP.
 */

/** What a file's metadata says of its orientation. */
export interface Orientation {
  /** 1…8, as EXIF numbers them; 1 where nothing is said. */
  readonly orientation: number;
  /** EXIF is there but is no TIFF directory. Pillow fails on such a file; here it is not turned. */
  readonly exifIsUnreadable?: true;
}

/** Metadata of a file as Pillow's plugins collect it. */
export interface Metadata {
  /** With or without `Exif\0\0` before it; `null` where there is some that cannot be read. */
  readonly exif?: Uint8Array | null | undefined;
  readonly xmp?: Uint8Array | undefined;
}

export const upright: Orientation = { orientation: 1 };
const unreadable: Orientation = { orientation: 1, exifIsUnreadable: true };

const orientationTag = 0x0112;

/** The orientation by a file's EXIF and XMP. XMP counts only where EXIF has no such tag. */
export function orientationOf({ exif, xmp }: Metadata): Orientation {
  return exifOrientation(exif) ?? xmpOrientation(xmp);
}

/**
 * The orientation by EXIF.
 *
 * @param exif - as `Metadata` has it
 * @returns undefined where the tag is missing
 */
export function exifOrientation(exif: Metadata['exif']): Orientation | undefined {
  if (exif === null) return unreadable;
  const tiff = exif === undefined ? Buffer.alloc(0) : withoutPrefix(exif);
  // Pillow takes EXIF without any bytes for none.
  if (tiff.length === 0) return undefined;
  const header = readTiffHeader(tiff);
  return header === undefined || header.isBig ? unreadable : tiffOrientation(tiff, header);
}

/**
 * The orientation by the first directory of a TIFF file.
 *
 * @returns undefined where the tag is missing
 */
export function tiffOrientation(file: Buffer, header: TiffHeader): Orientation | undefined {
  const entry = readTiffDirectory(file, header, header.first).entries.get(orientationTag);
  return entry && orientationOfEntry(file, header, entry);
}

/**
 * Any numeric type counts but BYTE, which Pillow reads as a string of bytes. Of several values the first one counts.
 */
function orientationOfEntry(file: Buffer, header: TiffHeader, entry: TiffEntry): Orientation {
  const [value = 1] = entry.type === 1 ? [] : numbersOf(file, header, entry, 1);
  return orientationBy(value);
}

/** The orientation by the first mention of it in XMP, as an attribute or as an element. */
export function xmpOrientation(xmp: Uint8Array | undefined): Orientation {
  if (xmp === undefined) return upright;
  const text = Buffer.from(xmp.buffer, xmp.byteOffset, xmp.length).toString('latin1');
  return orientationBy(Number(/tiff:Orientation(?:="|>)([0-9])/.exec(text)?.[1]));
}

/** Values that there are not turn nothing. */
function orientationBy(value: number): Orientation {
  return [2, 3, 4, 5, 6, 7, 8].includes(value) ? { orientation: value } : upright;
}

const prefix = 'Exif\0\0';

/** Up to two of them, as Pillow has it. */
function withoutPrefix(exif: Uint8Array): Buffer {
  let bytes = Buffer.from(exif.buffer, exif.byteOffset, exif.length);
  for (let times = 0; times < 2 && bytes.toString('latin1', 0, prefix.length) === prefix; times++) {
    bytes = bytes.subarray(prefix.length);
  }
  return bytes;
}
