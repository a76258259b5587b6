import type { BmpLayout } from './layout.ts';

const endOfLine = 0;
const endOfBitmap = 1;
const delta = 2;

/**
 * Expands RLE8 or RLE4 (Microsoft's "Bitmap Compression"). Where the format leaves a case open, it follows Pillow's
 * BmpRleDecoder: runs end with their row, skipped pixels have colour 0, and data after the last pixel is ignored.
 *
 * @returns one byte per pixel, the index of its colour, in file order; fewer if the file ends early
 */
export function readRunLengths(file: Buffer, layout: BmpLayout): Buffer {
  const { width, height, coding } = layout;
  const pixels = Buffer.alloc(width * height);
  const isPacked = coding === 'rle4';
  let at = layout.pixels;
  let to = 0;
  /** Pixels of the row so far. Not the same as `to`: literal pixels may continue into the next row. */
  let x = 0;
  while (to < pixels.length && at + 2 <= file.length) {
    const [run = 0, code = 0] = file.subarray(at, at + 2);
    at += 2;
    if (run > 0) {
      const count = Math.max(0, Math.min(run, width - x));
      to = fillRun(pixels, to, count, code, isPacked);
      x += count;
    } else if (code === endOfLine) {
      to = Math.ceil(to / width) * width;
      x = 0;
    } else if (code === endOfBitmap) {
      break;
    } else if (code === delta) {
      if (at + 2 > file.length) break;
      const [right = 0, up = 0] = file.subarray(at, at + 2);
      at += 2;
      to = Math.min(pixels.length, to + right + up * width);
      x = to % width;
    } else {
      const count = Math.min(pixels.length - to, code);
      const bytes = isPacked ? Math.ceil(count / 2) : count;
      const literal = file.subarray(at, at + bytes);
      to = copyLiteral(
        pixels,
        to,
        isPacked ? Math.min(count, 2 * literal.length) : literal.length,
        literal,
        isPacked,
      );
      at += bytes;
      if (literal.length < bytes || to === pixels.length) break;
      x += code;
      // Literal data is padded to 16 bits.
      at += at % 2;
    }
  }
  return pixels.subarray(0, Math.min(to, pixels.length));
}

function fillRun(pixels: Buffer, to: number, count: number, code: number, isPacked: boolean): number {
  if (!isPacked) pixels.fill(code, to, to + count);
  else
    for (let index = 0; index < count; index++) pixels[to + index] = index % 2 === 0 ? code >> 4 : code & 15;
  return to + count;
}

function copyLiteral(pixels: Buffer, to: number, count: number, literal: Buffer, isPacked: boolean): number {
  for (let index = 0; index < count; index++) {
    const byte = literal[isPacked ? index >> 1 : index] as number;
    pixels[to + index] = !isPacked ? byte : index % 2 === 0 ? byte >> 4 : byte & 15;
  }
  return to + count;
}
