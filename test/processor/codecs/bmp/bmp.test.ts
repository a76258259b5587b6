import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/failures.ts';
import { decodeBmp } from '../../../../src/processor/codecs/bmp/decode.ts';
import { readBmpHeader } from '../../../../src/processor/codecs/bmp/layout.ts';
import { readHeader } from '../../../../src/processor/codecs/read-header.ts';
import type { Plan } from '../../../../src/processor/image/plan.ts';
import { type BmpParts, bmpFile } from '../../../support/bmp.ts';
import type { PlanOptions } from '../../../support/plans.ts';
import { runStages } from '../../../support/stages.ts';

// Expected pixels are those of Pillow 13.0, `np.asarray(Image.open(file))` after `convert("RGB")` for palettes.

type Rgb = readonly [red: number, green: number, blue: number];

const four: readonly Rgb[] = [
  [1, 2, 3],
  [40, 50, 60],
  [7, 8, 9],
  [100, 150, 200],
];
const sixteen: readonly Rgb[] = Array.from({ length: 16 }, (_, at) => [at, 2 * at, 255 - at]);
const ramp: readonly Rgb[] = Array.from({ length: 256 }, (_, at) => [at, at, at]);
const blackAndWhite: readonly Rgb[] = [
  [0, 0, 0],
  [255, 255, 255],
];

/** 2 × 2 pixels of 24 bits: blue, green, red; two bytes of padding per row. */
const pixels24 = [1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12, 0, 0];
const rgb24: BmpParts = { width: 2, height: 2, bits: 24, pixels: pixels24 };
/** One pixel of 32 bits. */
const one32 = (masks: readonly number[], headerBytes = 56): BmpParts => ({
  width: 1,
  height: 1,
  bits: 32,
  compression: 3,
  masks,
  headerBytes,
  pixels: [11, 22, 33, 44],
});
const one16 = (value: number, masks?: readonly number[]): BmpParts => ({
  width: 1,
  height: 1,
  bits: 16,
  ...(masks && { compression: 3, masks }),
  pixels: [value & 255, value >> 8, 0, 0],
});
const pal4: BmpParts = {
  width: 3,
  height: 2,
  bits: 4,
  palette: sixteen,
  pixels: [0x12, 0x30, 0, 0, 0x45, 0x60, 0, 0],
};

const rle = (bits: 4 | 8, width: number, height: number, pixels: readonly number[]): BmpParts => ({
  width,
  height,
  bits,
  compression: bits === 8 ? 1 : 2,
  palette: ramp.slice(0, 2 ** bits).map(([gray]) => [gray, gray, 100]),
  pixels,
});
/** Indexes of colours as the pixels of `rle`. */
const numbers = (...colours: readonly number[]) => colours.flatMap((colour) => [colour, colour, 100]);

const cases: readonly (readonly [
  what: string,
  parts: BmpParts,
  channels: 1 | 3 | 4,
  pixels: readonly number[],
])[] = [
  ['24 bits', rgb24, 3, [9, 8, 7, 12, 11, 10, 3, 2, 1, 6, 5, 4]],
  ['24 bits, the upper row first', { ...rgb24, height: -2 }, 3, [3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10]],
  ['24 bits of OS/2', { ...rgb24, headerBytes: 12 }, 3, [9, 8, 7, 12, 11, 10, 3, 2, 1, 6, 5, 4]],
  [
    '24 bits and bit fields',
    { ...rgb24, compression: 3, masks: [0xff0000, 0xff00, 0xff] },
    3,
    [9, 8, 7, 12, 11, 10, 3, 2, 1, 6, 5, 4],
  ],
  [
    '24 bits at offset 0: behind the header',
    { ...rgb24, offset: 0 },
    3,
    [9, 8, 7, 12, 11, 10, 3, 2, 1, 6, 5, 4],
  ],
  [
    '24 bits without the last row’s padding',
    { ...rgb24, pixels: pixels24.slice(0, -2) },
    3,
    [9, 8, 7, 12, 11, 10, 3, 2, 1, 6, 5, 4],
  ],
  [
    '32 bits, whose fourth byte is nothing',
    { width: 1, height: 1, bits: 32, pixels: [11, 22, 33, 44] },
    3,
    [33, 22, 11],
  ],
  ['32 bits of BGRX', one32([0xff0000, 0xff00, 0xff, 0]), 3, [33, 22, 11]],
  ['32 bits of XBGR', one32([0xff000000, 0xff0000, 0xff00, 0]), 3, [44, 33, 22]],
  ['32 bits of BGXR', one32([0xff000000, 0xff00, 0xff, 0]), 3, [44, 22, 11]],
  ['32 bits of ABGR', one32([0xff000000, 0xff0000, 0xff00, 0xff]), 4, [44, 33, 22, 11]],
  ['32 bits of RGBA', one32([0xff, 0xff00, 0xff0000, 0xff000000]), 4, [11, 22, 33, 44]],
  ['32 bits of BGRA', one32([0xff0000, 0xff00, 0xff, 0xff000000]), 4, [33, 22, 11, 44]],
  ['32 bits of BGAR', one32([0xff000000, 0xff00, 0xff, 0xff0000]), 4, [44, 22, 11, 33]],
  ['32 bits whose masks are 0', one32([0, 0, 0, 0]), 4, [33, 22, 11, 44]],
  [
    '32 bits, BGRA in a header of 40 bytes, which has no alpha',
    one32([0xff0000, 0xff00, 0xff], 40),
    3,
    [33, 22, 11],
  ],
  [
    '32 bits, BGRA in a header of 124 bytes',
    one32([0xff0000, 0xff00, 0xff, 0xff000000], 124),
    4,
    [33, 22, 11, 44],
  ],
  ['16 bits of 5, 5 and 5', one16(0b1_00011_10000_11111), 3, [24, 131, 255]],
  ['16 bits of 5, 5 and 5 by masks', one16(0b0_00011_10000_11111, [0x7c00, 0x3e0, 0x1f]), 3, [24, 131, 255]],
  ['16 bits of 5, 6 and 5', one16(0b00011_100001_11110, [0xf800, 0x7e0, 0x1f]), 3, [24, 133, 246]],
  [
    '8 bits',
    { width: 2, height: 1, bits: 8, palette: four, colours: 4, pixels: [3, 1, 0, 0] },
    3,
    [100, 150, 200, 40, 50, 60],
  ],
  [
    '8 bits without their colour, which is black',
    { width: 2, height: 1, bits: 8, palette: four, colours: 4, pixels: [3, 4, 0, 0] },
    3,
    [100, 150, 200, 0, 0, 0],
  ],
  ['8 bits of gray', { width: 2, height: 1, bits: 8, palette: ramp, pixels: [3, 200, 0, 0] }, 1, [3, 200]],
  [
    '8 bits of a hundred grays',
    { width: 2, height: 1, bits: 8, palette: ramp.slice(0, 100), colours: 100, pixels: [3, 200, 0, 0] },
    1,
    [3, 200],
  ],
  ['4 bits', pal4, 3, [4, 8, 251, 5, 10, 250, 6, 12, 249, 1, 2, 254, 2, 4, 253, 3, 6, 252]],
  [
    '4 bits of OS/2',
    { ...pal4, headerBytes: 12 },
    3,
    [4, 8, 251, 5, 10, 250, 6, 12, 249, 1, 2, 254, 2, 4, 253, 3, 6, 252],
  ],
  [
    '4 bits whose offset is that of the palette',
    { ...pal4, offset: 54 },
    3,
    [4, 8, 251, 5, 10, 250, 6, 12, 249, 1, 2, 254, 2, 4, 253, 3, 6, 252],
  ],
  [
    '1 bit',
    { width: 10, height: 1, bits: 1, palette: four.slice(0, 2), pixels: [0b10100000, 0b01000000, 0, 0] },
    3,
    [1, 0, 1, 0, 0, 0, 0, 0, 0, 1].flatMap((bit) => [...(four[bit] as Rgb)]),
  ],
  [
    '1 bit of black and white',
    { width: 10, height: 1, bits: 1, palette: blackAndWhite, pixels: [0b10100000, 0b01000000, 0, 0] },
    1,
    [255, 0, 255, 0, 0, 0, 0, 0, 0, 255],
  ],
  [
    '1 bit of white and black',
    { width: 2, height: 1, bits: 1, palette: [...blackAndWhite].reverse(), pixels: [0b01000000, 0, 0, 0] },
    3,
    [255, 255, 255, 0, 0, 0],
  ],
  ['RLE8', rle(8, 4, 2, [4, 9, 0, 0, 2, 5, 0, 0, 0, 1]), 3, numbers(5, 5, 0, 0, 9, 9, 9, 9)],
  ['RLE8 with pixels as they are', rle(8, 5, 1, [0, 3, 1, 2, 3, 0, 2, 8]), 3, numbers(1, 2, 3, 8, 8)],
  ['RLE8 whose run is longer than its row', rle(8, 3, 2, [9, 7, 0, 0, 3, 6]), 3, numbers(6, 6, 6, 7, 7, 7)],
  ['RLE8 with pixels that are skipped', rle(8, 3, 2, [1, 7, 0, 2, 1, 1, 1, 6]), 3, numbers(0, 0, 6, 7, 0, 0)],
  ['RLE4', rle(4, 5, 1, [5, 0x12]), 3, numbers(1, 2, 1, 2, 1)],
  ['RLE4 with pixels as they are', rle(4, 5, 1, [0, 5, 0x12, 0x34, 0x50, 0]), 3, numbers(1, 2, 3, 4, 5)],
];

const plan = (numerics: Plan['numerics'], width?: number): PlanOptions => ({
  resize: width === undefined ? undefined : { fit: 'fill', filter: 'bilinear', width, height: 2 },
  numerics,
});

async function decoded(content: Uint8Array, options: PlanOptions) {
  const header = await readHeader(content, 1_000_000);
  const pixels = await runStages(content, header, options);
  return { header, pixels: { ...pixels, data: [...pixels.data] } };
}

async function refusal(content: Uint8Array): Promise<Failure> {
  const failure = await decoded(content, plan('pillow')).catch((error: unknown) => error);
  if (failure instanceof Failure) return failure;
  throw failure instanceof Error ? failure : new Error('it was decoded');
}

describe(decodeBmp, () => {
  it.each(cases)('decodes %s as Pillow does', async (_, parts, channels, expected) => {
    const { header, pixels } = await decoded(bmpFile(parts), plan('pillow'));
    expect(pixels).toEqual({
      data: [...expected],
      width: parts.width,
      height: Math.abs(parts.height),
      channels,
    });
    expect(header).toMatchObject({
      format: 'bmp',
      colour: channels === 1 ? 'gray' : 'rgb',
      hasAlpha: channels === 4,
    });
    expect((await decoded(bmpFile(parts), plan('fast'))).pixels.data).toEqual([...expected]);
    expect((await decoded(bmpFile(parts), plan('fast', 4))).pixels).toMatchObject({
      width: 4,
      height: 2,
      channels,
    });
  });

  it.each<[what: string, parts: BmpParts]>([
    ['24 bits', { ...rgb24, pixels: pixels24.slice(0, -3) }],
    ['4 bits', { ...pal4, pixels: pal4.pixels.slice(0, -3) }],
    ['RLE8', rle(8, 4, 2, [4, 9, 0, 0, 3, 5])],
    ['RLE8 that ends its bitmap too early', rle(8, 4, 2, [4, 9, 0, 1, 4, 5])],
    ['RLE4 within its pixels', rle(4, 6, 1, [0, 6, 0x12])],
    ['pixels behind the end of the file', { ...rgb24, offset: 4711 }],
  ])('refuses pixels of %s that are cut off', async (_, parts) => {
    expect(await refusal(bmpFile(parts))).toMatchObject({
      reason: 'IMAGE_CORRUPT',
      metadata: { format: 'bmp' },
    });
  });
});

describe(readBmpHeader, () => {
  it.each<[what: string, parts: BmpParts, words: string]>([
    ['2 bits', { ...rgb24, bits: 2 }, 'Its pixels have 2 bits; 1, 4, 8, 16, 24, 32 are supported.'],
    ['JPEG', { ...rgb24, bits: 0, compression: 4 }, 'Its pixels of 0 bits are compressed by JPEG;'],
    ['PNG', { ...rgb24, bits: 0, compression: 5 }, 'are compressed by PNG;'],
    ['an unknown compression', { ...rgb24, compression: 11 }, 'by the unknown compression 11;'],
    ['RLE8 of 24 bits', { ...rgb24, compression: 1 }, 'Its pixels of 24 bits are compressed by RLE8;'],
    [
      'other masks',
      one32([1, 2, 4, 8]),
      'The bit fields of its 32 bits are 1 2 4 8, which are not supported.',
    ],
    [
      'a palette of 257 colours',
      { ...pal4, bits: 8, colours: 257 },
      'Its palette has 257 colours; 256 are supported.',
    ],
    [
      'a header of 16 bytes',
      { ...rgb24, headerBytes: 40 },
      'Its header has 16 bytes; 12, 40, 52, 56, 64, 108, 124',
    ],
  ])('refuses %s by name', async (what, parts, words) => {
    const file = bmpFile(parts);
    if (what === 'a header of 16 bytes') file.writeUInt32LE(16, 14);
    const { reason, message } = await refusal(file);
    expect(reason).toBe('FORMAT_UNSUPPORTED');
    expect(message).toContain(words);
  });

  it('refuses a header that is cut off, and one of no pixels', async () => {
    const file = bmpFile(rgb24);
    for (const length of [15, 17, 30, 53]) {
      expect(await refusal(file.subarray(0, length))).toMatchObject({ reason: 'IMAGE_CORRUPT' });
    }
    expect(await refusal(bmpFile({ ...rgb24, width: 0 }))).toMatchObject({ reason: 'IMAGE_CORRUPT' });
    expect(await refusal(bmpFile(one32([0xff, 0xff00], 40)).subarray(0, 60))).toMatchObject({
      reason: 'IMAGE_CORRUPT',
    });
  });

  it('reads a huge size without allocating pixels, for the limit to refuse', async () => {
    const file = bmpFile({ ...rgb24, width: 60_000, height: 60_000 });
    expect(await refusal(file)).toMatchObject({ reason: 'SOURCE_PIXELS_OVER_LIMIT' });
    expect(await refusal(bmpFile({ ...rgb24, width: -5 }))).toMatchObject({
      reason: 'SOURCE_PIXELS_OVER_LIMIT',
    });
  });
});
