import type { Codec } from '../codec.ts';
import { readWebpFrames } from './frames.ts';

export const webp: Codec = {
  name: 'WebP',
  detect: ({ text }) => text.startsWith('RIFF') && text.startsWith('WEBP', 8),
  readStructure: readWebpFrames,
  price: {
    heldBytes: () => 8,
    decodingTime: () => 22,
  },
  load: () => import('./decode.ts'),
};
