import sharp, { type Metadata } from 'sharp';
import { Failure } from '../../failures.ts';
import type { SourceFormat } from '../image/plan.ts';
import { readAvifHeader } from './avif/header.ts';
import { readBmpHeader } from './bmp/layout.ts';
import { decoderFailure } from './decoder-failure.ts';
import { detectFormat } from './format.ts';
import { readGifHeader } from './gif/layout.ts';
import { checkJpegKind } from './jpeg/kind.ts';
import { readJpegMetadata } from './jpeg/metadata.ts';
import { findJpegSegment, readJpegSamplesPerPixel } from './jpeg/segments.ts';
import { type Orientation, orientationOf, tiffOrientation, xmpOrientation } from './orientation.ts';
import { hasPngMetadataAfter, readPngMetadata } from './png/metadata.ts';
import { readTiffHeader } from './tiff/directory.ts';
import { readTiffLayout } from './tiff/layout.ts';

/** What is known of an image before a pixel of it is decoded. */
export interface ImageHeader extends Orientation {
  readonly format: SourceFormat;
  /** Pixels as stored, before EXIF orientation. */
  readonly width: number;
  /** Pixels as stored, before EXIF orientation. */
  readonly height: number;
  readonly colour: 'gray' | 'rgb' | 'cmyk';
  /** Bits a sample; what has fewer than 8 is expanded. */
  readonly bitDepth: 8 | 10 | 12 | 16;
  readonly hasAlpha: boolean;
  /** The decoder gives one channel more than these, which is no alpha and is left out. */
  readonly dropsSample?: true;
  /** A TIFF in tiles. */
  readonly isTiled?: true;
  readonly hasIccProfile: boolean;
  /** Frames or pages; the first is used. */
  readonly frames: number;
  /** A progressive JPEG or an interlaced PNG or GIF: decoders hold all of it before the first row is done. */
  readonly isProgressive: boolean;
  /** Values stored for each pixel, on average: 1.5 in a JPEG of 4:2:0, 3 in one of 4:4:4. */
  readonly samplesPerPixel: number;
  /** Milliseconds that the file's parts take beside its pixels, by source-structure.ts. Unset: none. */
  readonly structureMs?: number;
}

/** Pixels. The resampler's boxes are FP32, as Pillow's are, and have no odd numbers beyond. */
const longestSide = 2 ** 24;

/** sharp's names of colour spaces that have a place in docs/numerics.md. */
const colourBySpace: Readonly<Record<string, ImageHeader['colour']>> = {
  srgb: 'rgb',
  rgb: 'rgb',
  rgb16: 'rgb',
  'b-w': 'gray',
  grey16: 'gray',
  cmyk: 'cmyk',
};

/**
 * Reads an image's header by libvips and judges it.
 *
 * @param maxPixels - width × height that may be decoded: a PNG of a few kilobytes can claim gigabytes
 * @throws FORMAT_UNSUPPORTED, IMAGE_CORRUPT, SOURCE_PIXELS_OVER_LIMIT
 */
export async function readHeader(content: Uint8Array, maxPixels: number): Promise<ImageHeader> {
  const format = detectFormat(content);
  if (isOwn(format)) {
    const header = ownHeaders[format](content);
    checkSize(header, maxPixels);
    return header;
  }
  if (format === 'jpeg') checkJpegKind(content);
  const layout = format === 'tiff' ? readTiffLayout(content) : undefined;
  const metadata = await sharp(content, { limitInputPixels: false })
    .metadata()
    .catch((cause: unknown) => {
      throw decoderFailure(cause, format, `The header of this ${format.toUpperCase()} cannot be read.`);
    });
  const { width, height } = metadata;
  checkSize(metadata, maxPixels);
  const { depth, space } = metadata;
  const dropsSample = metadata.hasAlpha && layout?.hasUnspecifiedSample === true;
  const channels = metadata.channels - Number(dropsSample);
  const hasAlpha = metadata.hasAlpha && !dropsSample;
  const colour = colourBySpace[space];
  const bitDepth = depth === 'uchar' ? 8 : depth === 'ushort' ? 16 : undefined;
  if (colour === undefined || bitDepth === undefined || !isReadable(colour, bitDepth, hasAlpha, channels)) {
    throw new Failure(
      'FORMAT_UNSUPPORTED',
      `The pixels of this ${format.toUpperCase()} are ${channels} × ${depth} in the colour space ${space}; gray and RGB of 8 or 16 bits, with or without alpha, and CMYK of 8 bits are read here.`,
      { channels, depth, colour_space: space },
    );
  }
  return {
    format,
    width,
    height,
    ...readOrientation(format, content, metadata),
    colour,
    bitDepth,
    hasAlpha,
    ...(dropsSample && { dropsSample }),
    ...(layout?.isTiled && { isTiled: true }),
    hasIccProfile: metadata.hasProfile,
    frames: metadata.pages ?? 1,
    isProgressive: metadata.isProgressive,
    samplesPerPixel:
      (format === 'jpeg' ? readJpegSamplesPerPixel(content) : undefined) ??
      samplesBySubsampling[metadata.chromaSubsampling ?? ''] ??
      channels,
  };
}

/** Formats whose headers we read all by ourselves. */
const ownHeaders = { avif: readAvifHeader, bmp: readBmpHeader, gif: readGifHeader } as const;

function isOwn(format: SourceFormat): format is keyof typeof ownHeaders {
  return format in ownHeaders;
}

/** Where each format has its EXIF and XMP: as Pillow finds them, not as libvips does. */
function readOrientation(
  format: Exclude<SourceFormat, keyof typeof ownHeaders>,
  content: Uint8Array,
  { exif, xmp }: Metadata,
): Orientation {
  switch (format) {
    case 'jpeg':
      return orientationOf(readJpegMetadata(content));
    case 'png':
      return orientationOf(readPngMetadata(content, true) ?? {});
    case 'tiff': {
      const file = bytesOf(content);
      const header = readTiffHeader(file);
      return (header && tiffOrientation(file, header)) ?? xmpOrientation(xmp);
    }
    case 'webp':
      return orientationOf({ exif, xmp });
  }
}

function bytesOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

/**
 * Judges an image's size before a pixel of it is decoded.
 *
 * @param maxPixels - as `readHeader` has it
 * @throws SOURCE_PIXELS_OVER_LIMIT
 */
export function checkSize({ width, height }: Pick<ImageHeader, 'width' | 'height'>, maxPixels: number): void {
  if (width * height > maxPixels) {
    throw new Failure(
      'SOURCE_PIXELS_OVER_LIMIT',
      `The image has ${width} × ${height} = ${width * height} pixels; the limit is ${maxPixels}. Scale it down first.`,
      { limit: maxPixels, actual: width * height, width, height },
    );
  }
  if (Math.max(width, height) > longestSide) {
    throw new Failure(
      'SOURCE_PIXELS_OVER_LIMIT',
      `The image has ${width} × ${height} pixels; a side has at most ${longestSide}. Cut it into parts.`,
      { limit: longestSide, actual: Math.max(width, height), width, height },
    );
  }
}

/** sharp's names of chroma subsampling. */
const samplesBySubsampling: Readonly<Record<string, number>> = { '4:2:0': 1.5, '4:2:2': 2, '4:1:1': 1.5 };

/**
 * The beginning of a file that holds all that `readHeader` reads, so that not the whole file needs to travel to
 * where that is done. JPEG: up to and with its first SOS segment (ITU-T T.81, B.2.3); PNG: up to its first IDAT
 * (PNG, 5.6), if no metadata comes after it. In the other formats the header may be anywhere, so that it is the file
 * itself.
 *
 * @throws FORMAT_UNSUPPORTED
 */
export function headerPart(content: Uint8Array): Uint8Array {
  const format = detectFormat(content);
  const bytes = bytesOf(content);
  if (format === 'jpeg') return content.subarray(0, endOfJpegHeader(bytes));
  if (format === 'png') return content.subarray(0, endOfPngHeader(bytes));
  return content;
}

/** Some of the pixels come along: a decoder may want to see that there are any. Bytes. */
const someOfPixels = 1024;

const startOfScan = 0xda;
/** The chunk type IDAT as a number: a file may have a million chunks before it. */
const imageData = 0x49444154;

function endOfJpegHeader(bytes: Buffer): number {
  const scan = findJpegSegment(bytes, (marker) => marker === startOfScan);
  // Without it all of the file is the header.
  return scan === undefined ? bytes.length : scan + 2 + bytes.readUInt16BE(scan + 2) + someOfPixels;
}

function endOfPngHeader(bytes: Buffer): number {
  const pixels = pixelsOfPng(bytes);
  return pixels !== undefined && !hasPngMetadataAfter(bytes, pixels) ? pixels + someOfPixels : bytes.length;
}

/** Offset of the first IDAT. */
function pixelsOfPng(bytes: Buffer): number | undefined {
  for (let at = 8; at + 8 <= bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    if (bytes.readUInt32BE(at + 4) === imageData) return at;
  }
  return undefined;
}

/** TIFF has more: channels of any number and meaning, CMYK with alpha or of 16 bits. */
function isReadable(
  colour: ImageHeader['colour'],
  bitDepth: ImageHeader['bitDepth'],
  hasAlpha: boolean,
  channels: number,
): boolean {
  if (colour === 'cmyk') return channels === 4 && bitDepth === 8;
  return channels === (colour === 'gray' ? 1 : 3) + (hasAlpha ? 1 : 0);
}
