/** A BMP made field by field, with a BITMAPINFOHEADER or one of those that follow it. */

export interface BmpParts {
  readonly width: number;
  /** Negative: the upper row first. */
  readonly height: number;
  readonly bits: number;
  /** From the lowest row; each padded to four bytes. */
  readonly pixels: readonly number[];
  /** 0 none, 1 RLE8, 2 RLE4, 3 bit fields, … */
  readonly compression?: number;
  /** Red, green and blue of each colour. */
  readonly palette?: readonly (readonly [red: number, green: number, blue: number])[];
  /** Number of colours in the header; unset: 0, the most possible. */
  readonly colours?: number;
  /** Bit fields: red, green, blue and, in longer headers, alpha. */
  readonly masks?: readonly number[];
  /** 40, 52, 56, 64, 108 or 124; 12 for OS/2's. */
  readonly headerBytes?: number;
  /** Offset of the pixels in the header; unset: the real one. */
  readonly offset?: number;
}

export function bmpFile(parts: BmpParts): Buffer {
  const { pixels, palette = [], masks = [], headerBytes = 40, offset } = parts;
  const isCore = headerBytes === 12;
  const colours = palette.map(([red, green, blue]) =>
    isCore ? Buffer.of(blue, green, red) : Buffer.of(blue, green, red, 0),
  );
  const fields = Buffer.alloc(4 * masks.length);
  for (const [index, mask] of masks.entries()) fields.writeUInt32LE(mask, 4 * index);
  const header = isCore ? coreHeader(parts) : infoHeader(parts, headerBytes);
  const within = headerBytes > 40 ? fields.length : 0;
  fields.copy(header, 40, 0, within);
  const front = Buffer.concat([header, fields.subarray(within), ...colours]);
  const file = Buffer.alloc(14);
  file.write('BM', 'latin1');
  file.writeUInt32LE(14 + front.length + pixels.length, 2);
  file.writeUInt32LE(offset ?? 14 + front.length, 10);
  return Buffer.concat([file, front, Buffer.from(pixels)]);
}

function coreHeader({ width, height, bits }: BmpParts): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt32LE(12, 0);
  header.writeUInt16LE(width, 4);
  header.writeUInt16LE(height, 6);
  header.writeUInt16LE(1, 8);
  header.writeUInt16LE(bits, 10);
  return header;
}

function infoHeader({ width, height, bits, compression = 0, colours = 0 }: BmpParts, bytes: number): Buffer {
  const header = Buffer.alloc(bytes);
  header.writeUInt32LE(bytes, 0);
  header.writeInt32LE(width, 4);
  header.writeInt32LE(height, 8);
  header.writeUInt16LE(1, 12);
  header.writeUInt16LE(bits, 14);
  header.writeUInt32LE(compression, 16);
  header.writeUInt32LE(colours, 32);
  return header;
}
