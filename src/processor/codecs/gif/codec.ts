import type { Codec } from '../codec.ts';
import { readGifFrames } from './frames.ts';
import { readGifHeader } from './layout.ts';

export const gif: Codec = {
  name: 'GIF',
  detect: ({ text }) => text.startsWith('GIF87a') || text.startsWith('GIF89a'),
  readHeader: readGifHeader,
  readStructure: readGifFrames,
  price: {
    // Each pixel's index in the palette.
    heldBytes: () => 1,
    decodingTime: () => 25,
  },
  load: () => import('./decode.ts'),
};
