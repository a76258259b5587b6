import { crc32 } from 'node:zlib';
import type { ImageHeader } from '../header.ts';
import { type Orientation, orientationOf } from '../orientation.ts';
import { readPngMetadata } from './metadata.ts';

/*
 * Figures without another source are from the PNG specification (W3C, third edition), clause 11. A file that this
 * reader rejects may still be valid: libvips then reads it and reports the failure.
 */

/** Limit of chunks before the first IDAT. Most files have five; a hostile one may have a million. */
const mostChunks = 100;
/** In bytes. libvips refuses longer ones. */
const longestChunk = 60 * 1024 * 1024;
/** In characters. */
const longestKeyword = 79;
/** In bytes. Longer texts are left to libvips. */
const longestText = 1024 * 1024;
/** libvips' VIPS_MAX_COORD, in pixels. */
const longestSide = 10_000_000;

/** Bits per sample that each colour type allows. */
const bitDepths: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly colourType: number;
  readonly isInterlaced: boolean;
}

/** Findings from the chunks before the first IDAT. */
interface Findings {
  readonly frame: Frame;
  readonly seen: Set<string>;
  /** Entries of the palette. */
  colours: number;
}

/**
 * Reads the header of a plain PNG: the chunks before its pixels are complete, in order, and contain no EXIF, ICC or
 * XMP. EXIF and XMP after the pixels are read.
 *
 * @returns the same as `readHeader`; undefined if the file is not a plain PNG or if libvips might read it
 *   differently, so that the caller must use libvips. Sizes are not checked
 */
export function readPngHeader(content: Uint8Array): ImageHeader | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  if (bytes.length < 33 || bytes.toString('latin1', 0, 8) !== '\x89PNG\r\n\x1a\n') return undefined;
  let findings: Findings | undefined;
  let at = 8;
  for (let chunks = 0; chunks < mostChunks; chunks++) {
    if (at + 8 > bytes.length) return undefined;
    const length = bytes.readUInt32BE(at);
    if (length > longestChunk) return undefined;
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (type === 'IDAT') {
      const metadata = readPngMetadata(content, false);
      return findings && metadata && headerOf(findings, orientationOf(metadata));
    }
    const end = at + 12 + length;
    if (end > bytes.length) return undefined;
    if (crc32(bytes.subarray(at + 4, end - 4)) !== bytes.readUInt32BE(end - 4)) return undefined;
    const body = bytes.subarray(at + 8, end - 4);
    if (findings === undefined) {
      const frame = type === 'IHDR' ? frameOf(body) : undefined;
      if (frame === undefined) return undefined;
      findings = { frame, seen: new Set(), colours: 0 };
    } else if (!takeChunk(type, body, findings)) {
      return undefined;
    }
    at = end;
  }
  return undefined;
}

function frameOf(body: Buffer): Frame | undefined {
  if (body.length !== 13) return undefined;
  const [width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)];
  const [bitDepth = 0, colourType = 0, compression, filter, interlace = 0] = body.subarray(8);
  if (Math.min(width, height) < 1 || Math.max(width, height) > longestSide) return undefined;
  if (bitDepths[colourType]?.includes(bitDepth) !== true) return undefined;
  if (compression !== 0 || filter !== 0 || interlace > 1) return undefined;
  return { width, height, bitDepth, colourType, isInterlaced: interlace === 1 };
}

/** Adds to the findings. @returns whether the meaning of the chunk is certain */
function takeChunk(type: string, body: Buffer, findings: Findings): boolean {
  const { seen } = findings;
  if (type === 'tEXt') return isPlainText(body);
  if (seen.has(type)) return false;
  const isBeforeColours = !seen.has('PLTE');
  seen.add(type);
  switch (type) {
    case 'PLTE':
      return !seen.has('tRNS') && takePalette(body, findings);
    case 'tRNS':
      return isTransparency(body, findings);
    case 'gAMA':
      return isBeforeColours && body.length === 4 && body.readUInt32BE(0) > 0;
    case 'cHRM':
      return isBeforeColours && body.length === 32;
    case 'sRGB':
      return isBeforeColours && body.length === 1 && body.readUInt8(0) <= 3;
    case 'pHYs':
      return body.length === 9 && body.readUInt8(8) <= 1;
    case 'tIME':
      return body.length === 7 && isTime(body);
    default:
      return false;
  }
}

function takePalette(body: Buffer, findings: Findings): boolean {
  const { colourType, bitDepth } = findings.frame;
  findings.colours = body.length / 3;
  const most = colourType === 3 ? 2 ** bitDepth : 256;
  const isOfColour = colourType === 3 || colourType === 2 || colourType === 6;
  return (
    isOfColour && Number.isInteger(findings.colours) && findings.colours >= 1 && findings.colours <= most
  );
}

/** The alphas of the first palette entries, or the one colour that is transparent. */
function isTransparency(body: Buffer, { frame, colours }: Findings): boolean {
  if (frame.colourType === 3) return body.length >= 1 && body.length <= colours;
  return body.length === { 0: 2, 2: 6 }[frame.colourType];
}

function isTime(body: Buffer): boolean {
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = body.subarray(2);
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 && second <= 60;
}

/**
 * Whether a text is a keyword of up to 79 characters and ordinary text, and not a profile that ImageMagick wrote. The
 * keyword is matched separately: on a chunk of megabytes the expression would overflow the stack.
 */
function isPlainText(body: Buffer): boolean {
  const keyword = body.subarray(0, longestKeyword + 1);
  const end = keyword.indexOf(0);
  const name = keyword.toString('latin1', 0, Math.max(0, end));
  if (!/^[A-Za-z]+( [A-Za-z]+)*$/.test(name) || /^raw profile/i.test(name)) return false;
  const text = body.subarray(end + 1);
  return text.length > 0 && text.length <= longestText && /^[\x20-\x7e\n]+$/.test(text.toString('latin1'));
}

function headerOf({ frame, seen, colours }: Findings, orientation: Orientation): ImageHeader | undefined {
  const { width, height, bitDepth, colourType, isInterlaced } = frame;
  if (colourType === 3 && colours === 0) return undefined;
  const isGray = colourType === 0 || colourType === 4;
  const hasAlpha = colourType === 4 || colourType === 6 || seen.has('tRNS');
  return {
    format: 'png',
    width,
    height,
    ...orientation,
    colour: isGray ? 'gray' : 'rgb',
    bitDepth: bitDepth === 16 ? 16 : 8,
    hasAlpha,
    hasIccProfile: false,
    frames: 1,
    isProgressive: isInterlaced,
    samplesPerPixel: (isGray ? 1 : 3) + (hasAlpha ? 1 : 0),
  };
}
