import { type DatatypeName, datatypes } from './datatypes.ts';
import { Failure } from './failures.ts';

/*
 * How long the content of a response can get, before it is made. A tensor's length is known from its shape. An encoded
 * image's is bounded by what incompressible pixels take: random noise, by the settings of image/encode.ts, has at most
 * (in bytes a pixel) JPEG 0.9 up to quality 90 and 2.0 at 100, WebP 1.2 and 3.0, alpha 1.1 more, and PNG its pixels.
 */

/** The sides of an image, in pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/** Headers of image formats, npy and safetensors, in bytes; of containers, per tensor. */
export const headerBytes = 4096;

/** Bytes of the tensor of an image in any container. */
export function tensorBytes({ width, height }: Size, channels: number, datatype: DatatypeName): number {
  return width * height * channels * datatypes[datatype].bytes + headerBytes;
}

/** The most bytes of an encoded image. @param channels - of the pixels, alpha included: 1…4 */
export function imageBytes(
  { width, height }: Size,
  channels: number,
  format: 'jpeg' | 'png' | 'webp',
  quality: number | undefined,
): number {
  const isFine = (quality ?? 0) > 90;
  switch (format) {
    case 'jpeg':
      return padded(width) * padded(height) * (isFine ? 3 : 1.5) + headerBytes;
    case 'webp':
      return (
        padded(width) * padded(height) * ((isFine ? 3.5 : 1.5) + (channels % 2 === 0 ? 1.25 : 0)) +
        headerBytes
      );
    case 'png':
      // A byte a row for its filter; deflate's stored blocks and the chunks around them take less than a hundredth.
      return Math.ceil((width * channels + 1) * height * 1.01) + headerBytes;
  }
}

/** JPEG and WebP code whole blocks. */
function padded(pixels: number): number {
  return Math.ceil(pixels / 16) * 16;
}

/**
 * The failure of a response for which there is no memory beside its request, however few others there are.
 *
 * @param actual - bytes of both
 */
export function requestOverMemory(actual: number, limit: number): Failure {
  return new Failure(
    'OUTPUT_BYTES_OVER_LIMIT',
    `The request and its response would hold ${actual} bytes; one caller gets at most ${limit} (three quarters of MAX_HELD_BYTES). Send fewer images at once, or ask for less.`,
    { limit, actual, limited_by: 'MAX_HELD_BYTES' },
  );
}

/** The failure of a response that would be longer than the limit. */
export function outputBytesOverLimit(actual: number, limit: number, name: string): Failure {
  return new Failure(
    'OUTPUT_BYTES_OVER_LIMIT',
    `The response would have up to ${actual} bytes; the limit is ${limit} (${name}). Ask for fewer or smaller images, for a shorter datatype, or raise the limit.`,
    { limit, actual, limited_by: name },
  );
}
