import { inflateSync } from 'node:zlib';
import type { Metadata } from '../orientation.ts';

/** Pillow's MAX_TEXT_CHUNK: the limit of a text after decompression, in bytes. */
const longestText = 2 ** 20;

/**
 * Limit of chunks that `readPngMetadata` reads unless it is patient: about a millisecond. 32 MB of pixels in chunks of
 * 8 KiB are 4,000 chunks.
 */
const mostChunks = 20_000;

interface Chunk {
  readonly type: string;
  readonly body: Buffer;
}

/**
 * EXIF and XMP of a PNG as Pillow's PngImagePlugin finds them, before and after the pixels. EXIF is the chunk eXIf,
 * or else ImageMagick's text `Raw profile type exif`. XMP is the text `XML:com.adobe.xmp`. The last of several counts.
 *
 * @param isPatient - whether to read a file of more than 20,000 chunks
 * @returns undefined for such a file if not patient
 */
export function readPngMetadata(content: Uint8Array, isPatient: boolean): Metadata | undefined {
  const found = new Map<string, Chunk>();
  let chunks = 0;
  for (const chunk of chunksOf(Buffer.from(content.buffer, content.byteOffset, content.length), 8)) {
    if (++chunks > mostChunks && !isPatient) return undefined;
    const name = nameOf(chunk);
    if (name !== undefined) found.set(name, chunk);
  }
  const exif = found.get('exif');
  const profile = found.get('Raw profile type exif');
  const xmp = found.get('XML:com.adobe.xmp');
  return {
    exif: exif === undefined ? profile && exifOfProfile(profile) : bodyOfExif(exif),
    xmp: (xmp && textOf(xmp)) ?? undefined,
  };
}

/**
 * Whether `readPngMetadata` would find metadata after the pixels. Also true if there are too many chunks to read.
 *
 * @param pixels - offset of the first IDAT, in bytes
 */
export function hasPngMetadataAfter(bytes: Buffer, pixels: number): boolean {
  let chunks = 0;
  for (const chunk of chunksOf(bytes, pixels)) {
    if (nameOf(chunk) !== undefined || ++chunks > mostChunks) return true;
  }
  return false;
}

/**
 * Chunks in file order, up to IEND, the end of the file, or the second frame of an animation. Checksums are not
 * verified.
 */
function* chunksOf(bytes: Buffer, from: number): Generator<Chunk> {
  let at = from;
  let frames = 0;
  let hasPixels = false;
  while (at + 8 <= bytes.length) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (type === 'IEND' || body.length < length || !/^\w{4}$/.test(type)) return;
    if (type === 'acTL' && length >= 8) frames = body.readUInt32BE(0);
    if (type === 'IDAT') hasPixels = true;
    if (type === 'fcTL' && hasPixels && frames > 1) return;
    yield { type, body };
    at += 12 + length;
  }
}

/** The key under which Pillow stores a chunk; undefined for a chunk that states no orientation. */
function nameOf({ type, body }: Chunk): string | undefined {
  if (type === 'eXIf') return 'exif';
  if (type !== 'tEXt' && type !== 'zTXt' && type !== 'iTXt') return undefined;
  const end = body.subarray(0, 80).indexOf(0);
  const name = body.toString('latin1', 0, Math.max(end, 0));
  if (name === 'exif') return type === 'tEXt' ? name : undefined;
  return name === 'Raw profile type exif' || name === 'XML:com.adobe.xmp' ? name : undefined;
}

function bodyOfExif({ type, body }: Chunk): Buffer {
  return type === 'eXIf' ? body : body.subarray('exif\0'.length);
}

/** Three lines (an empty one, the profile's name, its length), then bytes in hexadecimal; null for anything else. */
function exifOfProfile(chunk: Chunk): Buffer | null | undefined {
  const text = textOf(chunk);
  if (text === undefined || text === null) return text;
  const digits = text.toString('latin1').split('\n').slice(3).join('').replace(/\s/g, '');
  return digits.length % 2 === 0 && !/[^0-9a-f]/i.test(digits) ? Buffer.from(digits, 'hex') : null;
}

/** @returns undefined if there is no text, null if it is longer than Pillow allows */
function textOf({ type, body }: Chunk): Buffer | null | undefined {
  const keyword = body.indexOf(0);
  if (type === 'tEXt') return body.subarray(keyword + 1);
  if (type === 'zTXt') return body[keyword + 1] === 0 ? inflated(body.subarray(keyword + 2)) : null;
  const [isCompressed, method] = [body[keyword + 1], body[keyword + 2]];
  const language = body.indexOf(0, keyword + 3);
  const translation = body.indexOf(0, language + 1);
  if (language < 0 || translation < 0) return undefined;
  const text = body.subarray(translation + 1);
  if (isCompressed === 0) return text;
  return method === 0 ? inflated(text) : undefined;
}

function inflated(bytes: Buffer): Buffer | null | undefined {
  try {
    return inflateSync(bytes, { maxOutputLength: longestText });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? null : undefined;
  }
}
