import { deflateSync } from 'node:zlib';
import { encoded, photoLike } from '../support/pictures.ts';
import { pngChunk, pngSignature } from '../support/png.ts';

/** A photograph of two megapixels as a JPEG, about 300 KB. */
export const photograph = (): Promise<Uint8Array> => encoded(photoLike(1600, 1200), 'jpeg', { quality: 80 });

/** Small enough that the services, and not the pixels, are what is at work. */
export const thumbnail = (): Promise<Uint8Array> => encoded(photoLike(96, 64), 'jpeg', { quality: 80 });

/** A PNG of one bit a pixel, all of it there, black: a kilobyte for each eight megapixels. */
export function pngBomb(width: number, height: number): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.writeUInt8(1, 8);
  const rows = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * height), { level: 9 });
  return Buffer.concat([pngSignature, pngChunk('IHDR', header), pngChunk('IDAT', rows), pngChunk('IEND')]);
}

/**
 * A progressive JPEG that says that it is larger than it is: a decoder has to hold the coefficients of all that it
 * says (ITU-T T.81, G.1.2) before it finds that they don't come.
 */
export async function progressiveGiant(width: number, height: number): Promise<Uint8Array> {
  const file = Buffer.from(await encoded(photoLike(640, 480), 'jpeg', { progressive: true }));
  const frame = file.indexOf(Buffer.from([0xff, 0xc2]));
  file.writeUInt16BE(height, frame + 5);
  file.writeUInt16BE(width, frame + 7);
  return file;
}
