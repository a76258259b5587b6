import { brandsOf } from '../brands.ts';
import type { Codec } from '../codec.ts';
import { readAvifStructure } from './structure.ts';

export const avif: Codec = {
  name: 'AVIF',
  detect: ({ bytes }) => brandsOf(bytes).some((brand) => brand === 'avif' || brand === 'avis'),
  readStructure: readAvifStructure,
  price: {
    heldBytes: ({ hasAlpha, bitDepth }) => 17 + (bitDepth > 8 ? 7 : 0) + (hasAlpha ? 6 : 0),
    // With alpha, measured at two bytes per pixel: 145 for 8 bits, 180 for 10, 200 for 12. At half a byte: about half.
    decodingTime({ hasAlpha, bitDepth }) {
      const isDeep = bitDepth > 8;
      return hasAlpha ? (isDeep ? 190 : 145) : isDeep ? 60 : 45;
    },
  },
  load: () => import('./decode.ts'),
};
