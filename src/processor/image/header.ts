import sharp from 'sharp';
import { Failure } from '../../failures.ts';
import { detectFormat } from './format.ts';
import type { SourceFormat } from './plan.ts';

/** What is known of an image before a pixel of it is decoded. */
export interface ImageHeader {
  readonly format: SourceFormat;
  /** Pixels as stored, before EXIF orientation. */
  readonly width: number;
  /** Pixels as stored, before EXIF orientation. */
  readonly height: number;
  /** 1…8, EXIF's; 1 where there is none. */
  readonly orientation: number;
  readonly colour: 'gray' | 'rgb' | 'cmyk';
  readonly bitDepth: 8 | 16;
  readonly hasAlpha: boolean;
  readonly hasIccProfile: boolean;
  /** Frames or pages; the first is used. */
  readonly frames: number;
}

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
 * Reads an image's header and judges it.
 *
 * @param maxPixels - width × height that may be decoded: a PNG of a few kilobytes can claim gigabytes
 * @throws FORMAT_UNSUPPORTED, IMAGE_CORRUPT, SOURCE_PIXELS_OVER_LIMIT
 */
export async function readHeader(content: Uint8Array, maxPixels: number): Promise<ImageHeader> {
  const format = detectFormat(content);
  const metadata = await sharp(content, { limitInputPixels: false })
    .metadata()
    .catch((cause: unknown) => {
      throw new Failure(
        'IMAGE_CORRUPT',
        `The header of this ${format.toUpperCase()} cannot be read.`,
        {},
        { cause },
      );
    });
  const { width, height } = metadata;
  if (width * height > maxPixels) {
    throw new Failure(
      'SOURCE_PIXELS_OVER_LIMIT',
      `The image has ${width} × ${height} = ${width * height} pixels; the limit is ${maxPixels}. Scale it down first.`,
      { limit: maxPixels, actual: width * height, width, height },
    );
  }
  const colour = colourBySpace[metadata.space];
  const bitDepth = metadata.depth === 'uchar' ? 8 : metadata.depth === 'ushort' ? 16 : undefined;
  if (colour === undefined || bitDepth === undefined) {
    throw new Failure(
      'FORMAT_UNSUPPORTED',
      `The samples of this ${format.toUpperCase()} are ${metadata.depth} in the colour space ${metadata.space}; 8 and 16 bit gray, RGB and CMYK are read here.`,
      { depth: metadata.depth, colour_space: metadata.space },
    );
  }
  return {
    format,
    width,
    height,
    orientation: metadata.orientation ?? 1,
    colour,
    bitDepth,
    hasAlpha: metadata.hasAlpha,
    hasIccProfile: metadata.hasProfile,
    frames: metadata.pages ?? 1,
  };
}

/** Size after EXIF orientation, in pixels: 5 to 8 lie on their side. */
export function orientedSize(header: ImageHeader): { width: number; height: number } {
  const { width, height } = header;
  return header.orientation >= 5 ? { width: height, height: width } : { width, height };
}
