import { Failure } from '../../../failures.ts';
import type { Pixels } from '../../image/pixels.ts';
import { takeScratch } from '../../workers/scratch.ts';
import { decodingFailure } from '../decoder-failure.ts';
import type { ImageHeader } from '../header.ts';
import { type HeifImage, LibheifError, libheifVersion, openHeif, unsupportedCodes } from './libheif.ts';

export const libraries = { 'libheif-js': libheifVersion } as const;

/** As in pillow-heif: `irot`, `imir` and `clap` are applied; the orientation in EXIF and XMP is ignored. */
export function readHeader(content: Uint8Array): ImageHeader {
  const image = opened(content);
  const { width, height, isGray, hasAlpha, bits, hasIccProfile } = image;
  if (bits !== 8 && bits !== 10 && bits !== 12) {
    throw unsupported(`Its samples have ${bits} bits; 8, 10, 12 are supported.`, { bits_per_sample: bits });
  }
  return {
    format: 'heic',
    width,
    height,
    orientation: 1,
    colour: isGray ? 'gray' : 'rgb',
    bitDepth: bits,
    hasAlpha,
    hasIccProfile,
    frames: 1,
    isProgressive: false,
    samplesPerPixel: 1.5,
  };
}

export function decode(content: Uint8Array, header: ImageHeader): Pixels {
  const image = opened(content);
  const { bytes, stride, width, height } = decoded(image, header);
  if (width !== header.width || height !== header.height) {
    throw decodingFailure(header, new Error(`decoded as ${width} × ${height}`));
  }
  const channels = image.isGray ? 1 : image.hasAlpha ? 4 : 3;
  const data = takeScratch(width * height * channels);
  if (image.isGray && image.bits > 8) copyHighBits(bytes, stride, image.bits - 8, data, width, height);
  else copyRows(bytes, stride, data, width * channels, height);
  if (image.isPremultiplied) unpremultiply(data);
  return { data, width, height, channels };
}

function opened(content: Uint8Array): HeifImage {
  try {
    return openHeif(content);
  } catch (cause) {
    if (cause instanceof LibheifError && unsupportedCodes.includes(cause.code)) {
      throw unsupported('Its primary image is missing, or coded by something else than HEVC.', {}, { cause });
    }
    throw new Failure(
      'IMAGE_CORRUPT',
      'The header of this HEIC cannot be read.',
      { format: 'heic' },
      { cause },
    );
  }
}

function decoded(image: HeifImage, header: ImageHeader): ReturnType<HeifImage['decode']> {
  try {
    return image.decode();
  } catch (cause) {
    if (cause instanceof LibheifError && unsupportedCodes.includes(cause.code)) {
      throw unsupported('Its pixels are coded in a way that libheif does not decode.', {}, { cause });
    }
    throw decodingFailure(header, cause);
  }
}

function copyRows(from: Uint8Array, stride: number, to: Uint8Array, rowBytes: number, rows: number): void {
  for (let y = 0; y < rows; y++) to.set(from.subarray(y * stride, y * stride + rowBytes), y * rowBytes);
}

/** Little-endian samples of 16 bits. */
function copyHighBits(
  from: Uint8Array,
  stride: number,
  shift: number,
  to: Uint8Array,
  width: number,
  height: number,
): void {
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = y * stride; x < y * stride + 2 * width; x += 2, at++) {
      to[at] = ((from[x] as number) | ((from[x + 1] as number) << 8)) >> shift;
    }
  }
}

/** As Pillow's conversion of RGBa to RGBA (rgbA2rgba in Convert.c). */
function unpremultiply(rgba: Uint8Array): void {
  for (let at = 0; at < rgba.length; at += 4) {
    const alpha = rgba[at + 3] as number;
    if (alpha === 0 || alpha === 255) continue;
    for (let channel = at; channel < at + 3; channel++) {
      rgba[channel] = Math.min(255, Math.trunc((255 * (rgba[channel] as number)) / alpha));
    }
  }
}

function unsupported(
  what: string,
  metadata: Readonly<Record<string, string | number>>,
  options?: ErrorOptions,
): Failure {
  return new Failure(
    'FORMAT_UNSUPPORTED',
    `The HEIC is of an unsupported kind. ${what} Convert it first, for example to PNG.`,
    { format: 'heic', ...metadata },
    options,
  );
}
