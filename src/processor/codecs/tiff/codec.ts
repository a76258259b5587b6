import type { Codec } from '../codec.ts';
import { storedBytes } from '../header.ts';
import { readTiffStructure } from './structure.ts';

const signatures = ['II*\0', 'MM\0*'];
const bigSignatures = ['II+\0', 'MM\0+'];

export const tiff: Codec = {
  name: 'TIFF',
  detect({ text }) {
    const signature = text.slice(0, 4);
    // Canon's raw files are TIFFs in which only a preview is an image.
    return bigSignatures.includes(signature) || (signatures.includes(signature) && !text.startsWith('CR', 8));
  },
  readStructure: readTiffStructure,
  price: {
    // A TIFF may consist of one strip.
    heldBytes: (header) => storedBytes(header) + 1,
    decodingTime: () => 10,
  },
  load: () => import('./decode.ts'),
};
