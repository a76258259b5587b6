import { decodeWhole } from '../../codecs/decode.ts';
import { outOfScratch } from '../../workers/scratch.ts';
import type { Decoding } from './hypothesis.ts';

/** How files are decoded. */
export const decodings: readonly Decoding[] = [
  {
    id: 'whole',
    words: { decoder: 'libjpeg-turbo, full size' },
    async decode({ content, header }) {
      const pixels = await decodeWhole(content, header);
      return { ...pixels, data: Uint8Array.from(outOfScratch(pixels.data)) };
    },
  },
];
