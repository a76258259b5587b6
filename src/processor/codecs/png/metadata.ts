import { inflateSync } from 'node:zlib';
import type { Metadata } from '../orientation.ts';

/** Pillow's MAX_TEXT_CHUNK: bytes that compressed text may become. */
const longestText = 2 ** 20;

/**
 * Chunks that `readPngMetadata` walks over where nobody may wait for it: about a millisecond. The pixels of 32 MB in
 * chunks of 8 KiB are 4,000.
 */
const mostChunks = 20_000;

interface Chunk {
  readonly type: string;
  readonly body: Buffer;
}

/**
 * EXIF and XMP of a PNG as Pillow's PngImagePlugin finds them, before the pixels and after: the chunk eXIf, else the text
 * `Raw profile type exif` that ImageMagick writes; XMP in text named `XML:com.adobe.xmp`. Of several the last counts.
 *
 * @param isPatient - whether a file of more than 20,000 chunks is walked over
 * @returns undefined for such a file where it isn't
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
 * Whether `readPngMetadata` would find something behind the pixels; also where there are too many chunks to look.
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
 * Chunks in their order, up to IEND, to where the file ends, or to the second frame of an animation. Checksums are not
 * looked at.
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

/** What Pillow files a chunk under; undefined for what says nothing of an orientation. */
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

/** Three lines (an empty one, the profile's name, its length), then the bytes in hexadecimal; null for anything else. */
function exifOfProfile(chunk: Chunk): Buffer | null | undefined {
  const text = textOf(chunk);
  if (text === undefined || text === null) return text;
  const digits = text.toString('latin1').split('\n').slice(3).join('').replace(/\s/g, '');
  return digits.length % 2 === 0 && !/[^0-9a-f]/i.test(digits) ? Buffer.from(digits, 'hex') : null;
}

/** @returns undefined where there is no text, null where it is longer than Pillow takes */
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
