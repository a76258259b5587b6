import sharp from 'sharp';
import type { Pixels } from './pixels.ts';
import type { OutputFormat } from './plan.ts';

/** An encoded answer. */
export interface Encoded {
  readonly content: Uint8Array;
  readonly contentType: string;
}

/** Pixels that the longest side of an image can have: JPEG by libjpeg's JPEG_MAX_DIMENSION, WebP by its 14 bits. */
export const longestSides = {
  jpeg: 65_500,
  png: 2 ** 31 - 1,
  webp: 16_383,
} as const satisfies Record<OutputFormat, number>;

const defaultQuality = { jpeg: 90, webp: 80 } as const;

/**
 * Encodes pixels as an image without metadata: they are upright sRGB, which is what a reader assumes.
 *
 * @param image - [height, width, 1…4] uint8, no side longer than `longestSides`; JPEG takes no alpha
 * @param quality - 1…100, for JPEG (default 90, 4:2:0) and WebP (default 80)
 */
export async function encode(
  image: Pixels,
  format: OutputFormat,
  quality: number | undefined,
): Promise<Encoded> {
  const { width, height, channels } = image;
  const raw = sharp(image.data, { raw: { width, height, channels }, limitInputPixels: false });
  const gray = channels <= 2 ? raw.toColourspace('b-w') : raw;
  switch (format) {
    case 'jpeg':
      return {
        content: await gray.jpeg({ quality: quality ?? defaultQuality.jpeg }).toBuffer(),
        contentType: 'image/jpeg',
      };
    case 'png':
      return { content: await gray.png({ compressionLevel: 6 }).toBuffer(), contentType: 'image/png' };
    case 'webp':
      return {
        content: await gray.webp({ quality: quality ?? defaultQuality.webp }).toBuffer(),
        contentType: 'image/webp',
      };
  }
}
