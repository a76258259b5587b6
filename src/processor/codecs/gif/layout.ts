import { Failure } from '../../../failures.ts';
import type { ImageHeader } from '../header.ts';
import { readGifFrames } from './frames.ts';

/*
 * The first frame of a GIF and the blocks before it (GIF89a), as Pillow's GifImagePlugin reads them.
 */

/** Where the first frame of a GIF is on its screen and in its file. */
export interface GifLayout {
  /** Size of the screen, enlarged if the frame extends beyond it. */
  readonly width: number;
  readonly height: number;
  /** Position of the frame on the screen, in pixels. */
  readonly frame: {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  };
  readonly isInterlaced: boolean;
  /** Colours as [red, green, blue] uint8; unset: each colour is the gray of its index. */
  readonly palette: Uint8Array | undefined;
  /** Index of the transparent colour. */
  readonly transparent: number | undefined;
  /** Offset in bytes of the LZW code size, which the pixels follow. */
  readonly pixels: number;
}

const screenBytes = 13;
const extension = 0x21;
const imageDescriptor = 0x2c;
const trailer = 0x3b;
const graphicControl = 0xf9;

/**
 * Reads the header of a GIF's first frame.
 *
 * @throws IMAGE_CORRUPT
 */
export function readGifHeader(content: Uint8Array): ImageHeader {
  const { width, height, palette, transparent, isInterlaced } = readGifLayout(content);
  const isGray = palette === undefined;
  return {
    format: 'gif',
    width,
    height,
    orientation: 1,
    colour: isGray ? 'gray' : 'rgb',
    bitDepth: 8,
    hasAlpha: transparent !== undefined,
    hasIccProfile: false,
    frames: readGifFrames(Buffer.from(content.buffer, content.byteOffset, content.length))?.count ?? 1,
    isProgressive: isInterlaced,
    samplesPerPixel: 1,
  };
}

/** Throws as `readGifHeader` does. */
export function readGifLayout(content: Uint8Array): GifLayout {
  const file = Buffer.from(content.buffer, content.byteOffset, content.length);
  if (file.length < screenBytes) throw corrupt();
  const screenTable = tableBytes(file.readUInt8(10));
  const screenPalette = paletteOf(file.subarray(screenBytes, screenBytes + screenTable));
  let at = screenBytes + screenTable;
  let transparent: number | undefined;
  while (at < file.length && file[at] !== imageDescriptor) {
    const introducer = file[at];
    if (introducer === trailer) throw corrupt();
    if (introducer === extension) {
      if (file[at + 1] === graphicControl) transparent = transparentIn(file, at + 2) ?? transparent;
      at = endOfSubBlocks(file, at + 2);
    } else {
      at++;
    }
  }
  if (at + 11 > file.length) throw corrupt();
  return frameAt(file, at, screenPalette, transparent);
}

function frameAt(
  file: Buffer,
  at: number,
  screenPalette: Uint8Array | undefined,
  transparent: number | undefined,
): GifLayout {
  const [left, top] = [file.readUInt16LE(at + 1), file.readUInt16LE(at + 3)];
  const [width, height] = [file.readUInt16LE(at + 5), file.readUInt16LE(at + 7)];
  const packed = file.readUInt8(at + 9);
  const ownTable = tableBytes(packed);
  const pixels = at + 10 + ownTable;
  if (width === 0 || height === 0 || pixels + 1 > file.length) throw corrupt();
  return {
    width: Math.max(file.readUInt16LE(6), left + width),
    height: Math.max(file.readUInt16LE(8), top + height),
    frame: { left, top, width, height },
    isInterlaced: (packed & 0x40) !== 0,
    palette: ownTable > 0 ? paletteOf(file.subarray(at + 10, pixels)) : screenPalette,
    transparent,
    pixels,
  };
}

/** @returns bytes of a colour table, by the field that states whether there is one and its size */
function tableBytes(packed: number): number {
  return packed & 0x80 ? 3 * 2 ** ((packed & 7) + 1) : 0;
}

/** Missing colours are black. @returns undefined if each colour is the gray of its index */
function paletteOf(table: Buffer): Uint8Array | undefined {
  if (table.every((value, at) => value === Math.floor(at / 3))) return undefined;
  const palette = new Uint8Array(3 * 256);
  palette.set(table);
  return palette;
}

function transparentIn(file: Buffer, at: number): number | undefined {
  const length = file[at] ?? 0;
  if (length < 4 || ((file[at + 1] ?? 0) & 1) === 0) return undefined;
  return file[at + 4];
}

/** @returns the offset after the sub-blocks' terminator */
function endOfSubBlocks(file: Buffer, start: number): number {
  let at = start;
  for (let length = file[at] ?? 0; length > 0; length = file[at] ?? 0) at += 1 + length;
  return at + 1;
}

function corrupt(): Failure {
  const cause = new Error('no whole image descriptor');
  return new Failure('IMAGE_CORRUPT', 'The header of this GIF cannot be read.', { format: 'gif' }, { cause });
}
