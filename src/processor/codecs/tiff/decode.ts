import type { ImageHeader } from '../header.ts';
import { readLibvipsHeader } from '../libvips/header.ts';
import { tiffOrientation, xmpOrientation } from '../orientation.ts';
import { readTiffHeader } from './directory.ts';
import { readTiffLayout } from './layout.ts';

export { decodeByLibvips as decode, decodeFastByLibvips as decodeFast } from '../libvips/decode.ts';

export async function readHeader(content: Uint8Array): Promise<ImageHeader> {
  const layout = readTiffLayout(content);
  const { header, metadata } = await readLibvipsHeader(content, 'tiff', layout?.hasUnspecifiedSample);
  const file = Buffer.from(content.buffer, content.byteOffset, content.length);
  const directories = readTiffHeader(file);
  return {
    ...header,
    ...((directories && tiffOrientation(file, directories)) ?? xmpOrientation(metadata.xmp)),
    ...(layout?.isTiled && { isTiled: true }),
  };
}
