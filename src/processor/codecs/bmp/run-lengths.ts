import type { BmpLayout } from './layout.ts';

const endOfLine = 0;
const endOfBitmap = 1;
const delta = 2;

/**
 * Undoes RLE8 or RLE4 (Microsoft's "Bitmap Compression") with the rules of Pillow's BmpRleDecoder for what the format
 * leaves open: runs end with their row, pixels that are skipped have colour 0, and what goes on behind the last pixel is
 * not looked at.
 *
 * @returns a byte for each pixel, its colour's number, in the order of the file; fewer where the file ends before
 */
export function readRunLengths(file: Buffer, layout: BmpLayout): Buffer {
  const { width, height, coding } = layout;
  const pixels = Buffer.alloc(width * height);
  const isPacked = coding === 'rle4';
  let at = layout.pixels;
  let to = 0;
  /** Pixels of the row. Not the same as `to`: literal pixels may go on into the next row. */
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
      // To a word of the file.
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
