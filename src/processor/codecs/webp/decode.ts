import type { ImageHeader } from '../header.ts';
import { readLibvipsHeader } from '../libvips/header.ts';
import { orientationOf } from '../orientation.ts';

export { decodeByLibvips as decode, decodeFastByLibvips as decodeFast } from '../libvips/decode.ts';

export async function readHeader(content: Uint8Array): Promise<ImageHeader> {
  const { header, metadata } = await readLibvipsHeader(content, 'webp');
  return { ...header, ...orientationOf(metadata) };
}
