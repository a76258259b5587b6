import type { Codec } from '../codec.ts';
import { readJxlHeader } from './header.ts';

export const jxl: Codec = {
  name: 'JPEG XL',
  peer: { package: 'jxl-oxide-wasm', version: '0.12.5' },
  detect: ({ text }) => text.startsWith('\xff\x0a') || text.startsWith('\0\0\0\x0cJXL \r\n\x87\n'),
  readHeader: readJxlHeader,
  price: {
    // Measured: 22 of lossless, 38 of lossy, 44 with alpha.
    heldBytes: () => 44,
    decodingTime: ({ hasAlpha }) => (hasAlpha ? 580 : 460),
  },
  load: () => import('./decode.ts'),
};
