import type { Codec } from '../codec.ts';
import { storedBytes } from '../header.ts';
import { readPngChunks } from './chunks.ts';
import { readPngHeader } from './header.ts';
import { hasPngMetadataAfter } from './metadata.ts';

export const png: Codec = {
  name: 'PNG',
  detect: ({ text }) => text.startsWith('\x89PNG\r\n\x1a\n'),
  headerBytes,
  readHeader: readPngHeader,
  readStructure: readPngChunks,
  price: {
    heldBytes: (header) => (header.isProgressive ? storedBytes(header) : 1),
    decodingTime: ({ isProgressive, bitDepth }) => (isProgressive ? 21 : bitDepth === 16 ? 20 : 12),
  },
  load: () => import('./decode.ts'),
};

/** The chunk type IDAT as a number, for speed: a file may have a million chunks before it. */
const imageData = 0x49444154;

/** Bytes of pixel data in the header part: a decoder may check that there are any. */
const pixelBytes = 1024;

/** Up to the first IDAT (PNG, 5.6); the whole file if metadata follows the pixels. */
function headerBytes(content: Buffer): number {
  const pixels = offsetOfPixels(content);
  return pixels !== undefined && !hasPngMetadataAfter(content, pixels) ? pixels + pixelBytes : content.length;
}

function offsetOfPixels(content: Buffer): number | undefined {
  for (let at = 8; at + 8 <= content.length; at += 12 + content.readUInt32BE(at)) {
    if (content.readUInt32BE(at + 4) === imageData) return at;
  }
  return undefined;
}
