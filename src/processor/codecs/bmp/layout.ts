import { Failure } from '../../../failures.ts';
import type { ImageHeader } from '../header.ts';

/*
 * The headers of a BMP, as Pillow's BmpImagePlugin reads them: BITMAPCOREHEADER (OS/2), BITMAPINFOHEADER and its later
 * versions (Microsoft's "Bitmap Header Types"). All numbers are little-endian.
 */

/** How the pixels of a BMP are stored. */
export interface BmpLayout {
  readonly width: number;
  readonly height: number;
  /** True if the upper row is stored first. Most files store the lower row first. */
  readonly isTopDown: boolean;
  readonly bits: 1 | 4 | 8 | 16 | 24 | 32;
  readonly coding: 'raw' | 'rle4' | 'rle8';
  /** Offset of the pixels, in bytes. */
  readonly pixels: number;
  /** Palette of 1, 4 or 8 bits, as [red, green, blue] uint8. */
  readonly palette: Uint8Array | undefined;
  /** True if each palette entry is the gray of its index, or if the two entries are black and white. */
  readonly isGray: boolean;
  /** Byte positions of red, green, blue and alpha within a pixel of 24 or 32 bits. Alpha may be missing. */
  readonly order: readonly [red: number, green: number, blue: number, alpha?: number];
  /** Bits of green in a pixel of 16 bits. */
  readonly greenBits: 5 | 6;
}

const fileHeaderBytes = 14;
const coreHeaderBytes = 12;
const infoHeaderBytes: readonly number[] = [40, 52, 56, 64, 108, 124];

const codings = ['none', 'RLE8', 'RLE4', 'bit fields', 'JPEG', 'PNG', 'bit fields with alpha'] as const;
const bitFields = 3;

/** The masks of red, green, blue and alpha that Pillow accepts for 32 bits, and the byte positions that they mean. */
const orders: Readonly<Record<string, BmpLayout['order']>> = {
  'ff0000 ff00 ff 0': [2, 1, 0],
  'ff000000 ff0000 ff00 0': [3, 2, 1],
  'ff000000 ff00 ff 0': [3, 1, 0],
  'ff000000 ff0000 ff00 ff': [3, 2, 1, 0],
  'ff ff00 ff0000 ff000000': [0, 1, 2, 3],
  'ff0000 ff00 ff ff000000': [2, 1, 0, 3],
  'ff000000 ff00 ff ff0000': [3, 1, 0, 2],
  '0 0 0 0': [2, 1, 0, 3],
};
const blueGreenRed = [2, 1, 0] as const;

const mostColours = 256;

/**
 * Reads the header of a BMP.
 *
 * @throws FORMAT_UNSUPPORTED, naming the header, the bits, the compression or the masks; IMAGE_CORRUPT
 */
export function readBmpHeader(content: Uint8Array): ImageHeader {
  const { width, height, isGray, order, bits } = readBmpLayout(content);
  const hasAlpha = order[3] !== undefined;
  return {
    format: 'bmp',
    width,
    height,
    orientation: 1,
    colour: isGray ? 'gray' : 'rgb',
    bitDepth: 8,
    hasAlpha,
    hasIccProfile: false,
    frames: 1,
    isProgressive: false,
    samplesPerPixel: bits / 8,
  };
}

/** Throws as `readBmpHeader` does. */
export function readBmpLayout(content: Uint8Array): BmpLayout {
  const file = Buffer.from(content.buffer, content.byteOffset, content.length);
  if (file.length < fileHeaderBytes + 4) throw cutOff();
  const headerBytes = file.readUInt32LE(fileHeaderBytes);
  const isCore = headerBytes === coreHeaderBytes;
  if (!isCore && !infoHeaderBytes.includes(headerBytes)) {
    throw unsupported(
      `Its header has ${headerBytes} bytes; ${[12, ...infoHeaderBytes].join(', ')} are supported.`,
      {
        header_bytes: String(headerBytes),
      },
    );
  }
  const headerEnd = fileHeaderBytes + headerBytes;
  if (file.length < headerEnd) throw cutOff();
  const size = isCore ? coreSize(file) : infoSize(file);
  const { compression, colours } = isCore ? { compression: 0, colours: 0 } : infoCoding(file);
  const bitsSaid = file.readUInt16LE(isCore ? 24 : 28);
  const coding = codingOf(compression, bitsSaid);
  const bits = checkedBits(bitsSaid);
  const masks = compression === bitFields ? readMasks(file, headerBytes) : undefined;
  const offset = file.readUInt32LE(10);
  const count = colours === 0 ? 2 ** bits : colours;
  if (bits <= 8 && count > mostColours) {
    throw unsupported(`Its palette has ${count} colours; ${mostColours} are supported.`, {
      colours: String(count),
    });
  }
  const paletteAt = headerEnd + (masks !== undefined && headerBytes === 40 ? 12 : 0);
  const colourBytes = isCore ? 3 : 4;
  // Pillow's rule: if the offset points to the palette, the pixels follow the palette.
  const skipped = bits <= 8 && offset === headerEnd ? colourBytes * count : 0;
  const palette = bits <= 8 ? readPalette(file, paletteAt, count, colourBytes) : undefined;
  const paletteEnd =
    paletteAt + (palette === undefined ? 0 : Math.min(file.length - paletteAt, colourBytes * count));
  return {
    ...size,
    bits,
    coding,
    pixels: offset === 0 ? paletteEnd : offset + skipped,
    palette,
    isGray: palette !== undefined && isGrayPalette(palette, count),
    ...channelsOf(bits, masks),
  };
}

function coreSize(file: Buffer): Pick<BmpLayout, 'width' | 'height' | 'isTopDown'> {
  return checkedSize(file.readUInt16LE(18), file.readUInt16LE(20), false);
}

/** A negative height means that the upper row is first. Pillow checks only the highest byte. */
function infoSize(file: Buffer): Pick<BmpLayout, 'width' | 'height' | 'isTopDown'> {
  const isTopDown = file.readUInt8(25) === 0xff;
  const height = file.readUInt32LE(22);
  return checkedSize(file.readUInt32LE(18), isTopDown ? 2 ** 32 - height : height, isTopDown);
}

function checkedSize(width: number, height: number, isTopDown: boolean) {
  if (width === 0 || height === 0) throw corrupt(`Its header states ${width} × ${height} pixels.`);
  return { width, height, isTopDown };
}

function infoCoding(file: Buffer): { readonly compression: number; readonly colours: number } {
  return { compression: file.readUInt32LE(30), colours: file.readUInt32LE(46) };
}

function checkedBits(bits: number): BmpLayout['bits'] {
  if (bits === 1 || bits === 4 || bits === 8 || bits === 16 || bits === 24 || bits === 32) return bits;
  throw unsupported(`Its pixels have ${bits} bits; 1, 4, 8, 16, 24, 32 are supported.`, {
    bits_per_pixel: String(bits),
  });
}

function codingOf(compression: number, bits: number): BmpLayout['coding'] {
  if (compression === 0 || compression === bitFields) return 'raw';
  if ((compression === 1 || compression === 2) && bits <= 8) return compression === 1 ? 'rle8' : 'rle4';
  const name = codings[compression] ?? `the unknown compression ${compression}`;
  throw unsupported(
    `Its pixels of ${bits} bits are compressed by ${name}; none, RLE8, RLE4 and bit fields are supported.`,
    { compression: name },
  );
}

/** Red, green, blue and alpha. A header of 40 bytes has no mask of alpha, nor does one of 52. */
function readMasks(file: Buffer, headerBytes: number): readonly number[] {
  // The masks follow a header of 40 bytes; in a longer one they are at the same place.
  const count = headerBytes >= 56 ? 4 : 3;
  if (file.length < 54 + 4 * count) throw cutOff();
  const masks = Array.from({ length: count }, (_, index) => file.readUInt32LE(54 + 4 * index));
  return count === 4 ? masks : [...masks, 0];
}

function channelsOf(
  bits: number,
  masks: readonly number[] | undefined,
): Pick<BmpLayout, 'order' | 'greenBits'> {
  if (masks === undefined) return { order: blueGreenRed, greenBits: 5 };
  const name = masks.map((mask) => mask.toString(16)).join(' ');
  const colours = masks
    .slice(0, 3)
    .map((mask) => mask.toString(16))
    .join(' ');
  const order = orders[name];
  if (bits === 32 && order !== undefined) return { order, greenBits: 5 };
  if (bits === 24 && colours === 'ff0000 ff00 ff') return { order: blueGreenRed, greenBits: 5 };
  if (bits === 16 && colours === 'f800 7e0 1f') return { order: blueGreenRed, greenBits: 6 };
  if (bits === 16 && colours === '7c00 3e0 1f') return { order: blueGreenRed, greenBits: 5 };
  throw unsupported(`The bit fields of its ${bits} bits are ${name}, which are not supported.`, {
    masks: name,
  });
}

function readPalette(file: Buffer, at: number, count: number, colourBytes: 3 | 4): Uint8Array {
  const palette = new Uint8Array(3 * mostColours);
  for (let colour = 0; colour < count; colour++) {
    const [blue = 0, green = 0, red = 0] = file.subarray(
      at + colour * colourBytes,
      at + colour * colourBytes + 3,
    );
    palette.set([red, green, blue], 3 * colour);
  }
  // Pillow reads such pixels as gray or as black and white, without the palette. Otherwise missing colours are black.
  if (count !== 2 && isGrayPalette(palette, count)) {
    for (let colour = count; colour < mostColours; colour++) {
      palette.fill(count === 1 ? 255 * colour : colour, 3 * colour, 3 * colour + 3);
    }
  }
  return palette;
}

/** Pillow's modes "1" and "L": black and white, or each entry the gray of its index. */
function isGrayPalette(palette: Uint8Array, count: number): boolean {
  for (let colour = 0; colour < count; colour++) {
    const gray = count === 2 ? 255 * colour : colour;
    if (palette.subarray(3 * colour, 3 * colour + 3).some((value) => value !== gray)) return false;
  }
  return true;
}

function unsupported(what: string, metadata: Readonly<Record<string, string>>): Failure {
  return new Failure(
    'FORMAT_UNSUPPORTED',
    `The BMP is of an unsupported kind. ${what} Convert it first, for example to PNG.`,
    { format: 'bmp', ...metadata },
  );
}

function cutOff(): Failure {
  return corrupt('It ends within its header.');
}

function corrupt(what: string): Failure {
  const message = `The header of this BMP cannot be read. ${what}`;
  return new Failure('IMAGE_CORRUPT', message, { format: 'bmp' }, { cause: new Error(what) });
}
