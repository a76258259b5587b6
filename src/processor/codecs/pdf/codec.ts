import type { Codec } from '../codec.ts';
import { pdfiumBuild } from './build.ts';
import { workerBytes } from './memory.ts';

export const pdf: Codec = {
  name: 'PDF',
  isDocument: true,
  libraries: { pdfium: pdfiumBuild },
  // PDFium and pdf.js search the first 1024 bytes. ISO 32000-1, 7.5.2 requires the header at the start.
  detect: ({ text }) => text.includes('%PDF-'),
  price: {
    fixedBytes: workerBytes,
    // PDFium's picture of 4 bytes, and as much again for a transparency group of the whole page.
    heldBytes: () => 8,
    // An estimate between a page of text and one of many curves; admission learns from what jobs take.
    decodingTime: () => 20,
  },
  load: () => import('./decode.ts'),
};
