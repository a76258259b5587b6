import type { Codec } from '../codec.ts';
import { isPlainText } from '../plain-text.ts';
import { readBmpHeader } from './layout.ts';

export const bmp: Codec = {
  name: 'BMP',
  detect: ({ text }) => text.startsWith('BM') && !isPlainText(text),
  readHeader: readBmpHeader,
  price: {
    // Run lengths are expanded to one byte per pixel.
    heldBytes: () => 1,
    decodingTime: () => 5,
  },
  load: () => import('./decode.ts'),
};
