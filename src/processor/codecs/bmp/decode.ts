import type { Pixels } from '../../image/pixels.ts';
import { takeScratch } from '../../workers/scratch.ts';
import { decodingFailure } from '../decoder-failure.ts';
import type { ImageHeader } from '../header.ts';
import { type BmpLayout, readBmpLayout } from './layout.ts';
import { readRunLengths } from './run-lengths.ts';

export function decode(content: Uint8Array, header: ImageHeader): Pixels {
  const pixels = decodeBmp(content);
  if (pixels === undefined) throw decodingFailure(header, new Error('pixels are damaged or missing'));
  return pixels;
}

/**
 * Decodes a BMP to Pillow's bytes.
 *
 * @returns [height, width, channels] uint8, in the scratch memory: 1 channel for gray, 3 for colour, 4 with alpha;
 *   undefined if pixels are missing
 * @throws what `readBmpHeader` throws
 */
export function decodeBmp(content: Uint8Array): Pixels | undefined {
  const file = Buffer.from(content.buffer, content.byteOffset, content.length);
  const layout = readBmpLayout(file);
  const { width, height, bits, coding, pixels: at, isTopDown, isGray, order } = layout;
  const channels = isGray ? 1 : order[3] === undefined ? 3 : 4;
  const rowBytes = Math.ceil((width * bits) / 8);
  // Rows are padded to four bytes, except the last one.
  const stride = coding === 'raw' ? Math.ceil(rowBytes / 4) * 4 : width;
  const stored = coding === 'raw' ? file.subarray(at) : readRunLengths(file, layout);
  const lastRow = coding === 'raw' ? rowBytes : width;
  if (stored === undefined || stored.length < stride * (height - 1) + lastRow) return undefined;
  const data = takeScratch(width * height * channels);
  const unpack = unpackerOf(layout);
  for (let row = 0; row < height; row++) {
    const y = isTopDown ? row : height - 1 - row;
    unpack(stored, row * stride, data, y * width * channels, width);
  }
  return { data, width, height, channels };
}

/** Unpacks a row of `width` pixels. */
type Unpacker = (from: Buffer, at: number, to: Buffer, toAt: number, width: number) => void;

function unpackerOf({ bits, coding, palette, isGray, order, greenBits }: BmpLayout): Unpacker {
  if (palette !== undefined) return unpackPalette(coding === 'raw' ? bits : 8, palette, isGray);
  return bits === 16 ? unpack16(greenBits) : unpackBytes(bits / 8, order);
}

function unpackPalette(bits: number, palette: Uint8Array, isGray: boolean): Unpacker {
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  return (from, at, to, toAt, width) => {
    for (let x = 0; x < width; x++) {
      // The first pixel is in the highest bits.
      const byte = from[at + Math.floor(x / perByte)] as number;
      const colour = 3 * ((byte >> (8 - bits - bits * (x % perByte))) & mask);
      if (isGray) to[toAt + x] = palette[colour] as number;
      else {
        to[toAt + 3 * x] = palette[colour] as number;
        to[toAt + 3 * x + 1] = palette[colour + 1] as number;
        to[toAt + 3 * x + 2] = palette[colour + 2] as number;
      }
    }
  };
}

/** Pillow's BGR;15 and BGR;16: value × 255 / 31 or value × 255 / 63, rounded down. */
function unpack16(greenBits: 5 | 6): Unpacker {
  const greenMost = 2 ** greenBits - 1;
  return (from, at, to, toAt, width) => {
    for (let x = 0; x < width; x++) {
      const pixel = from.readUInt16LE(at + 2 * x);
      to[toAt + 3 * x] = Math.trunc((((pixel >> (5 + greenBits)) & 31) * 255) / 31);
      to[toAt + 3 * x + 1] = Math.trunc((((pixel >> 5) & greenMost) * 255) / greenMost);
      to[toAt + 3 * x + 2] = Math.trunc(((pixel & 31) * 255) / 31);
    }
  };
}

function unpackBytes(pixelBytes: number, [red, green, blue, alpha]: BmpLayout['order']): Unpacker {
  const channels = alpha === undefined ? 3 : 4;
  return (from, at, to, toAt, width) => {
    for (let x = 0; x < width; x++, at += pixelBytes, toAt += channels) {
      to[toAt] = from[at + red] as number;
      to[toAt + 1] = from[at + green] as number;
      to[toAt + 2] = from[at + blue] as number;
      if (alpha !== undefined) to[toAt + 3] = from[at + alpha] as number;
    }
  };
}
