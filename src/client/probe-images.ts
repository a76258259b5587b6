import { crc32, deflateSync } from 'node:zlib';

/** One red pixel: enough for a service to show that it decodes, computes and encodes. */
export const onePixel = png(1, 1, deflateSync(Uint8Array.of(0, 255, 0, 0)));

/** A black picture. */
export function blackPicture(width: number, height: number): Uint8Array<ArrayBuffer> {
  return png(width, height, deflateSync(new Uint8Array(height * (1 + 3 * width))));
}

/** A black square with sides long enough for every preset. */
export const blackSquare = blackPicture(256, 256);

/** A picture that claims to be larger than any MAX_SOURCE_PIXELS allows, and has no pixels. */
export const endlessPicture = png(65_535, 65_535, deflateSync(Uint8Array.of()));

/** A PNG of 8-bit RGB. */
function png(width: number, height: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  const chunks = [chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', new Uint8Array())];
  return new Uint8Array(Buffer.concat([signature, ...chunks]));
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
