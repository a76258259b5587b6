import { decodeWhole } from '../../codecs/decode.ts';
import type { ImageHeader } from '../../codecs/header.ts';
import { type Subsampling, turboJpeg } from '../../codecs/jpeg/turbojpeg.ts';
import { sharp } from '../../codecs/libvips/sharp.ts';
import type { Pixels } from '../../image/pixels.ts';
import { outOfScratch } from '../../workers/scratch.ts';

/*
 * Pictures that a program wrote to a JPEG or a WebP and read again. libjpeg-turbo's encoder has the same coefficients in
 * Pillow, OpenCV and sharp, and libwebp the same in Pillow and sharp, so these are exact.
 */

/** How a picture was encoded. */
export type Encoding =
  | { readonly format: 'JPEG'; readonly quality: number; readonly subsampling: Subsampling }
  | { readonly format: 'WebP'; readonly quality: number };

/** An encoding in a report. */
export function inWords(encoding: Encoding): string {
  const { format, quality } = encoding;
  return format === 'JPEG' ? `JPEG quality ${quality}, ${encoding.subsampling}` : `WebP quality ${quality}`;
}

/**
 * Encodes and decodes a picture.
 *
 * @param pixels - [height, width, 1 | 3] uint8
 * @returns the same shape, in memory of its own; undefined if a side is too long for the format
 */
export async function encodedAndDecoded(pixels: Pixels, encoding: Encoding): Promise<Pixels | undefined> {
  const { width, height } = pixels;
  if (Math.max(width, height) > (encoding.format === 'JPEG' ? 65_500 : 16_383)) return undefined;
  const content = await encoded(pixels, encoding);
  const header = headerOf(pixels, encoding.format === 'JPEG' ? 'jpeg' : 'webp');
  const decoded = await decodeWhole(content, header);
  return { ...decoded, data: outOfScratch(decoded.data) };
}

async function encoded({ data, width, height, channels }: Pixels, encoding: Encoding): Promise<Uint8Array> {
  const { quality } = encoding;
  if (encoding.format === 'JPEG' && turboJpeg !== undefined)
    return turboJpeg.encode({ data, width, height, channels }, quality, encoding.subsampling);
  const image = sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
  const own = channels === 1 ? image.toColourspace('b-w') : image;
  return encoding.format === 'JPEG'
    ? await own.jpeg({ quality, chromaSubsampling: encoding.subsampling, optimiseCoding: false }).toBuffer()
    : await own.webp({ quality }).toBuffer();
}

function headerOf({ width, height, channels }: Pixels, format: 'jpeg' | 'webp'): ImageHeader {
  return {
    format,
    width,
    height,
    colour: channels === 1 && format === 'jpeg' ? 'gray' : 'rgb',
    bitDepth: 8,
    hasAlpha: false,
    hasIccProfile: false,
    orientation: 1,
    frames: 1,
    isProgressive: false,
    samplesPerPixel: 3,
  };
}
