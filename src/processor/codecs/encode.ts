import type { Sharp } from 'sharp';
import type { Pixels } from '../image/pixels.ts';
import type { OutputFormat } from '../image/plan.ts';
import { turboJpeg } from './jpeg/turbojpeg.ts';
import { sharp } from './libvips/sharp.ts';
import { encodePng } from './png/encode.ts';

/** An encoded output. */
export interface Encoded {
  readonly content: Uint8Array;
  readonly contentType: string;
}

const defaultQuality = { jpeg: 90, webp: 80 } as const;

/**
 * Encodes pixels as an image without metadata. The pixels are upright sRGB, which readers assume.
 *
 * The settings are fast at little cost in size; docs/performance.md has the measurements. JPEG uses the standard's
 * Huffman tables, not optimized ones: half the time, 1 to 4 % more bytes for a camera's photos (11 % for test images
 * made in code). PNG is encoded by png/encode.ts, whose filters and compression depend on the pixels. WebP uses effort 2, not 4:
 * half the time, 3 to 9 % more bytes.
 *
 * @param image - [height, width, 1…4] uint8, no side longer than `longestSides` of image/limits.ts; JPEG without alpha
 * @param quality - 1…100, for JPEG (default 90, 4:2:0) and WebP (default 80)
 */
export async function encode(
  image: Pixels,
  format: OutputFormat,
  quality: number | undefined,
): Promise<Encoded> {
  switch (format) {
    case 'jpeg':
      return { content: await encodeJpeg(image, quality ?? defaultQuality.jpeg), contentType: 'image/jpeg' };
    case 'png':
      return { content: encodePng(image), contentType: 'image/png' };
    case 'webp':
      return {
        content: await sharpOf(image)
          .webp({ quality: quality ?? defaultQuality.webp, effort: 2 })
          .toBuffer(),
        contentType: 'image/webp',
      };
  }
}

/** Uses TurboJPEG if the system has it; with these settings its bytes are the same as sharp's. */
async function encodeJpeg(image: Pixels, quality: number): Promise<Uint8Array> {
  if (turboJpeg !== undefined && (image.channels === 1 || image.channels === 3)) {
    return turboJpeg.encode(image, quality);
  }
  return await sharpOf(image).jpeg({ quality, optimiseCoding: false }).toBuffer();
}

function sharpOf({ data, width, height, channels }: Pixels): Sharp {
  const raw = sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
  return channels <= 2 ? raw.toColourspace('b-w') : raw;
}
