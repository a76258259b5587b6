import { readdirSync, readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import sharp, { type PngOptions, type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { readPngHeader } from '../../../../src/processor/codecs/png/header.ts';
import { readHeader } from '../../../../src/processor/codecs/read-header.ts';
import { gradient } from '../../../support/pictures.ts';
import { pngChunk, pngChunks, pngSignature } from '../../../support/png.ts';

const folder = new URL('../../../fixtures/decode/', import.meta.url);
const fixtures = readdirSync(folder).filter((name) => name.endsWith('.png'));
const fixture = (name: string) => readFileSync(new URL(name, folder));

const noLimit = Number.POSITIVE_INFINITY;
const libvips = (content: Uint8Array) => readHeader(content, noLimit);

const png = (...chunks: readonly Uint8Array[]) => Buffer.concat([pngSignature, ...chunks]);
const end = pngChunk('IEND');
const pixels = pngChunk('IDAT', Buffer.from('789c030000000001', 'hex'));

/** IHDR: size, bit depth, colour type, compression, filter, interlace. */
function ihdr(width: number, height: number, ...bytes: readonly number[]): Buffer {
  const size = Buffer.alloc(8);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  return pngChunk('IHDR', Buffer.concat([size, Buffer.from([...bytes, 0, 0, 0].slice(0, 5))]));
}

const rgb = ihdr(23, 17, 8, 2);
const gray = ihdr(23, 17, 8, 0);
const palette = ihdr(23, 17, 2, 3);
const plte = (colours: number) => pngChunk('PLTE', Buffer.alloc(3 * colours, 9));
const trns = (bytes: number) => pngChunk('tRNS', Buffer.alloc(bytes));
const gamma = pngChunk('gAMA', Buffer.of(0, 1, 0x86, 0xa0));
const chromaticities = pngChunk('cHRM', Buffer.alloc(32, 1));
const srgb = pngChunk('sRGB', Buffer.of(0));
const density = pngChunk('pHYs', Buffer.of(0, 0, 11, 19, 0, 0, 11, 19, 1));
const time = pngChunk('tIME', Buffer.of(7, 234, 11, 27, 10, 15, 30));
const text = (words: string) => pngChunk('tEXt', Buffer.from(words, 'latin1'));

/** The picture with chunks between IHDR and its pixels. */
const rgbWith = (...chunks: readonly Uint8Array[]) => png(rgb, ...chunks, pixels, end);

/** A chunk with a wrong checksum. */
function damaged(chunk: Buffer): Buffer {
  const other = Buffer.from(chunk);
  other.writeUInt8(other.readUInt8(other.length - 1) ^ 1, other.length - 1);
  return other;
}

/** A chunk that states a wrong length. */
function saying(length: number, chunk: Buffer): Buffer {
  const other = Buffer.from(chunk);
  other.writeUInt32BE(length);
  return other;
}

describe(readPngHeader, () => {
  it('reads the header of a plain PNG', () => {
    expect(readPngHeader(fixture('rgba-16-bit.png'))).toEqual({
      format: 'png',
      width: 23,
      height: 17,
      orientation: 1,
      colour: 'rgb',
      bitDepth: 16,
      hasAlpha: true,
      hasIccProfile: false,
      frames: 1,
      isProgressive: true,
      samplesPerPixel: 4,
    });
  });

  const others = ['icc.png', 'orientation-6.png'];

  it.each(fixtures)('agrees with libvips about %s, or leaves it to libvips', async (name) => {
    const content = fixture(name);
    expect(readPngHeader(content)).toEqual(others.includes(name) ? undefined : await libvips(content));
  });

  it.each<[what: string, options: PngOptions, change?: (image: Sharp) => Sharp]>([
    ['ordinary', {}],
    ['interlaced', { progressive: true }],
    ['a palette', { palette: true, colours: 16 }],
    ['a palette with transparency', { palette: true }, (image) => image.ensureAlpha(0.5)],
    ['gray', {}, (image) => image.toColourspace('b-w')],
    ['with alpha', {}, (image) => image.ensureAlpha(0.5)],
    ['of 16 bits', {}, (image) => image.toColourspace('rgb16')],
    ['with a density', {}, (image) => image.withMetadata({ density: 300 })],
  ])('agrees with libvips about a PNG that is %s', async (_, options, change = (image) => image) => {
    const { pixels: data, ...raw } = gradient(61, 40);
    const content = await change(sharp(data, { raw })).png(options).toBuffer();
    const header = await libvips(content);
    // sharp writes a profile whenever it writes metadata.
    expect(readPngHeader(content)).toEqual(header.hasIccProfile ? undefined : header);
  });

  it('reads a PNG in the middle of a larger buffer', () => {
    const message = new Uint8Array(1000).fill(7);
    message.set(rgbWith(gamma), 100);
    expect(readPngHeader(message.subarray(100, 900))).toMatchObject({ width: 23, height: 17 });
  });

  it.each<[what: string, content: Uint8Array, expected: object]>([
    ['no other chunk', rgbWith(), { colour: 'rgb', samplesPerPixel: 3 }],
    ['gamma, chromaticities, density and time', rgbWith(gamma, chromaticities, density, time), {}],
    ['sRGB', rgbWith(srgb), {}],
    ['text', rgbWith(text('Comment\0two words'), text('Software\0x\ny')), {}],
    ['one transparent colour', rgbWith(trns(6)), { hasAlpha: true, samplesPerPixel: 4 }],
    ['one transparent gray', png(gray, trns(2), pixels), { colour: 'gray', samplesPerPixel: 2 }],
    ['colours to choose from', rgbWith(plte(200)), { hasAlpha: false }],
    ['a palette', png(palette, plte(4), pixels), { colour: 'rgb', bitDepth: 8 }],
    ['a palette with alphas', png(palette, plte(4), trns(3), pixels), { hasAlpha: true }],
    ['pixels that are cut off', png(rgb, saying(1000, pixels)), {}],
    ['the longest side', png(ihdr(10_000_000, 1, 8, 2), pixels), { width: 10_000_000 }],
    ['interlacing', png(ihdr(23, 17, 8, 2, 0, 0, 1), pixels), { isProgressive: true }],
  ])('knows %s', async (_, content, expected) => {
    expect(readPngHeader(content)).toMatchObject(expected);
    expect(readPngHeader(content)).toEqual(await libvips(content));
  });

  it.each<[what: string, content: Uint8Array]>([
    ['an empty file', Buffer.alloc(0)],
    ['a JPEG', fixture('orientation-6.jpg')],
    ['a signature alone', pngSignature],
    ['a PNG without pixels', png(rgb, gamma)],
    ['a PNG that ends in the length of its pixels', png(rgb, pixels.subarray(0, 3))],
    ['pixels before IHDR', png(pixels, rgb, pixels)],
    ['no IHDR', png(gamma, pixels, end)],
    ['two IHDR', rgbWith(rgb)],
    [
      'an IHDR of 14 bytes',
      png(pngChunk('IHDR', Buffer.concat([rgb.subarray(8, 21), Buffer.of(0)])), pixels),
    ],
    ['a width of 0', png(ihdr(0, 17, 8, 2), pixels)],
    ['a side of 10,000,001', png(ihdr(1, 10_000_001, 8, 2), pixels)],
    ['4 bits of RGB', png(ihdr(23, 17, 4, 2), pixels)],
    ['colour type 5', png(ihdr(23, 17, 8, 5), pixels)],
    ['another compression', png(ihdr(23, 17, 8, 2, 1), pixels)],
    ['another filter method', png(ihdr(23, 17, 8, 2, 0, 1), pixels)],
    ['another interlacing', png(ihdr(23, 17, 8, 2, 0, 0, 2), pixels)],
    ['a wrong checksum of IHDR', png(damaged(rgb), pixels)],
    ['a wrong checksum of gamma', rgbWith(damaged(gamma))],
    ['a chunk longer than the file', png(rgb, saying(100_000, gamma), pixels)],
    ['pixels longer than libvips takes', png(rgb, saying(60 * 1024 * 1024 + 1, pixels))],
    ['a hundred chunks', rgbWith(...Array<Buffer>(100).fill(text('Comment\0x')))],
    ['a palette without colours', png(palette, pixels)],
    ['a palette of five colours for two bits', png(palette, plte(5), pixels)],
    ['a palette of a colour and a half', png(palette, pngChunk('PLTE', Buffer.alloc(4)), pixels)],
    ['a palette for gray', png(gray, plte(4), pixels)],
    ['two palettes', png(palette, plte(4), plte(4), pixels)],
    ['alphas before their palette', png(palette, trns(2), plte(4), pixels)],
    ['more alphas than colours', png(palette, plte(2), trns(3), pixels)],
    ['transparency of the wrong length', rgbWith(trns(2))],
    ['transparency beside alpha', png(ihdr(23, 17, 8, 6), trns(6), pixels)],
    ['gamma after the palette', png(palette, plte(4), gamma, pixels)],
    ['gamma twice', rgbWith(gamma, gamma)],
    ['gamma of 0', rgbWith(pngChunk('gAMA', Buffer.alloc(4)))],
    ['an unknown rendering intent', rgbWith(pngChunk('sRGB', Buffer.of(4)))],
    ['an unknown unit of density', rgbWith(pngChunk('pHYs', Buffer.alloc(9, 2)))],
    ['the 13th month', rgbWith(pngChunk('tIME', Buffer.of(7, 234, 13, 1, 0, 0, 0)))],
    ['EXIF', rgbWith(pngChunk('eXIf', Buffer.from('II*\0\x08\0\0\0\0\0', 'latin1')))],
    ['ImageMagick’s profile in text', rgbWith(text('Raw profile type exif\0\nexif\n8\n00'))],
    ['text without its keyword’s end', rgbWith(text('Comment'))],
    ['text of a control character', rgbWith(text('Comment\0\x07'))],
    ['a keyword of 80 characters', rgbWith(text(`${'k'.repeat(80)}\0x`))],
    ['XMP', rgbWith(pngChunk('iTXt', Buffer.from('XML:com.adobe.xmp\0\0\0\0\0<x/>', 'latin1')))],
    ['an unknown chunk', rgbWith(pngChunk('abCd'))],
    ['an animation', rgbWith(pngChunk('acTL', Buffer.alloc(8, 1)))],
  ])('leaves %s to libvips', (_, content) => {
    expect(readPngHeader(content)).toBeUndefined();
  });

  it('agrees with libvips or defers to it, for any damaged header', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...fixtures),
        edits,
        fc.option(fc.nat(120)),
        async (name, all, cut) => {
          const whole = edited(fixture(name), all);
          const content = cut === null ? whole : whole.subarray(0, cut);
          const header = readPngHeader(content);
          if (header === undefined) return;
          expect(header).toEqual(await libvips(content));
          compared++;
        },
      ),
      { numRuns: 2000 },
    );
    expect(compared).toBeGreaterThan(400);
  });
});

const strangers = [
  gamma,
  chromaticities,
  srgb,
  density,
  time,
  text('Comment\0x'),
  text('Raw profile type exif\0x'),
  plte(4),
  plte(256),
  trns(1),
  trns(2),
  trns(6),
  pngChunk('bKGD', Buffer.alloc(2)),
  pngChunk('abCd'),
];

type Edit =
  | { readonly insert: Buffer; readonly place: number }
  | { readonly remove: number }
  | { readonly set: number; readonly place: number; readonly value: number; readonly isRight: boolean };

const edits = fc.array(
  fc.oneof<fc.Arbitrary<Edit>[]>(
    fc.record({ insert: fc.constantFrom(...strangers), place: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ remove: fc.nat(4) }),
    fc.record({
      set: fc.nat(3),
      place: fc.noBias(fc.nat(40)),
      value: fc.oneof(fc.nat(255), fc.nat(8)),
      // A chunk with a wrong checksum is not read.
      isRight: fc.constantFrom(true, true, true, false),
    }),
  ),
  { minLength: 1, maxLength: 3 },
);

function edited(content: Uint8Array, all: readonly Edit[]): Buffer {
  const chunks = pngChunks(content);
  for (const edit of all) {
    if ('insert' in edit) chunks.splice(edit.place, 0, edit.insert);
    else if ('remove' in edit) chunks.splice(edit.remove, 1);
    else if (chunks[edit.set] !== undefined) chunks[edit.set] = withByte(chunks[edit.set] as Buffer, edit);
  }
  return png(...chunks);
}

function withByte(chunk: Buffer, { place, value, isRight }: Extract<Edit, { set: number }>): Buffer {
  const other = Buffer.from(chunk);
  other[place % other.length] = value;
  if (isRight) other.writeUInt32BE(crc32(other.subarray(4, -4)), other.length - 4);
  return other;
}
