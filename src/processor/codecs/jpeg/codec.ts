import type { Codec } from '../codec.ts';
import type { ImageHeader } from '../header.ts';
import { readJpegHeader } from './header.ts';
import { readJpegScans } from './scans.ts';
import { findJpegSegment } from './segments.ts';

export const jpeg: Codec = {
  name: 'JPEG',
  detect: ({ text }) => text.startsWith('\xff\xd8\xff'),
  headerBytes,
  readHeader: readJpegHeader,
  readStructure: readJpegScans,
  price: {
    // A decoder holds a progressive JPEG as coefficients of 2 bytes, one for each sample.
    heldBytes: ({ isProgressive, samplesPerPixel }) => (isProgressive ? 2 * samplesPerPixel : 0.3),
    decodingTime,
    // The time of a plain JPEG was measured in 4:2:0, which has 1.5 samples per pixel.
    plainDecodingTime: (header) =>
      Math.max(1, header.samplesPerPixel / 1.5) * decodingTime({ ...header, isProgressive: false }),
  },
  load: () => import('./decode.ts'),
};

function decodingTime({ isProgressive, samplesPerPixel }: ImageHeader): number {
  return isProgressive ? 4 + 3 * samplesPerPixel : 4.5;
}

const startOfScan = 0xda;

/** Bytes of pixel data in the header part: a decoder may check that there are any. */
const pixelBytes = 1024;

/** Through the first SOS segment (ITU-T T.81, B.2.3). Without one, the whole file. */
function headerBytes(content: Buffer): number {
  const scan = findJpegSegment(content, (marker) => marker === startOfScan);
  return scan === undefined ? content.length : scan + 2 + content.readUInt16BE(scan + 2) + pixelBytes;
}
