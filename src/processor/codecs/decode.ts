import type { Pixels } from '../image/pixels.ts';
import type { FastDecoded, FastTarget } from './codec.ts';
import { decoderOf } from './codecs.ts';
import type { ImageHeader } from './header.ts';

/**
 * Decodes the whole source for exact numerics, as stored.
 *
 * @returns as `Decoder.decode`
 * @throws IMAGE_CORRUPT, OVERLOADED
 */
export async function decodeWhole(content: Uint8Array, header: ImageHeader): Promise<Pixels> {
  const decoder = await decoderOf(header.format);
  return await decoder.decode(content, header);
}

/**
 * Decodes the source for fast numerics, as stored.
 *
 * @throws IMAGE_CORRUPT, OVERLOADED
 */
export async function decodeFast(
  content: Uint8Array,
  header: ImageHeader,
  target: FastTarget,
): Promise<FastDecoded> {
  const decoder = await decoderOf(header.format);
  if (decoder.decodeFast === undefined || header.dropsSample) {
    return { pixels: await decoder.decode(content, header), isResized: false };
  }
  return await decoder.decodeFast(content, header, target);
}
