import { brandsOf } from '../brands.ts';
import type { Codec } from '../codec.ts';
import { readAvifStructure } from './structure.ts';

export const avif: Codec = {
  name: 'AVIF',
  detect: ({ bytes }) => brandsOf(bytes).some((brand) => brand === 'avif' || brand === 'avis'),
  readStructure: readAvifStructure,
  price: {
    heldBytes: ({ hasAlpha, bitDepth }) => 17 + (hasAlpha ? (bitDepth > 8 ? 13 : 6) : 0),
    decodingTime: ({ hasAlpha, bitDepth }) => (hasAlpha ? 110 : 45) + (bitDepth > 8 ? 15 : 0),
  },
  load: () => import('./decode.ts'),
};
