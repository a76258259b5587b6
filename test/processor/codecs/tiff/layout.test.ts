import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/failures.ts';
import { readHeader } from '../../../../src/processor/codecs/read-header.ts';
import { readTiffLayout } from '../../../../src/processor/codecs/tiff/layout.ts';
import type { Pixels } from '../../../../src/processor/image/pixels.ts';
import type { Plan } from '../../../../src/processor/image/plan.ts';
import { outOfScratch } from '../../../../src/processor/workers/scratch.ts';
import type { PlanOptions } from '../../../support/plans.ts';
import { runStages } from '../../../support/stages.ts';
import { type TiffParts, tiffFile } from '../../../support/tiff.ts';

const noLimit = Number.POSITIVE_INFINITY;

/** 4 × 2 pixels; a sample's value is its index in the file. */
function tiff(samples: number, parts: Partial<TiffParts> = {}): Buffer {
  const data = Uint8Array.from({ length: 8 * samples }, (_, at) => at * 5);
  return tiffFile({
    width: 4,
    height: 2,
    photometric: samples < 3 ? 1 : 2,
    bits: Array<number>(samples).fill(8),
    data,
    ...parts,
  });
}

const plan = (numerics: Plan['numerics'], width?: number): PlanOptions => ({
  resize: width === undefined ? undefined : { fit: 'fill', filter: 'bilinear', width, height: 2 },
  numerics,
});

async function decoded(content: Uint8Array, options = plan('pillow')): Promise<Pixels> {
  const header = await readHeader(content, noLimit);
  const pixels = await runStages(content, header, options);
  return { ...pixels, data: Buffer.from(outOfScratch(pixels.data)) };
}

async function refusal(content: Uint8Array): Promise<Failure> {
  const failure = await decoded(content).catch((error: unknown) => error);
  if (failure instanceof Failure) return failure;
  throw failure instanceof Error ? failure : new Error('it was decoded');
}

/** 64 × 32 pixels in two tiles of 32 × 32. */
function tiled(parts: Partial<TiffParts> = {}, pack = (tile: Uint8Array) => tile): Buffer {
  const tile = pack(Uint8Array.from({ length: 32 * 32 * 3 }, (_, at) => 1 + (at % 250)));
  return tiff(3, { width: 64, height: 32, tile: 32, data: [tile, tile], ...parts });
}

describe(readTiffLayout, () => {
  it.each<[compression: number, name: string]>([
    [6, 'old-style JPEG'],
    [32771, 'CCITT RLE in words'],
    [32809, 'ThunderScan'],
    [33003, 'JPEG 2000'],
    [33005, 'JPEG 2000'],
    [34676, 'SGI LogL'],
    [34712, 'JPEG 2000'],
    [34887, 'LERC'],
    [34925, 'LZMA'],
    [34933, 'PNG'],
    [50000, 'Zstandard'],
    [50001, 'WebP'],
    [50002, 'JPEG XL'],
    [4711, 'the unknown compression 4711'],
  ])('refuses compression %i by its name, in strips and in tiles', async (compression, name) => {
    for (const file of [tiff(3, { compression }), tiled({ compression })]) {
      expect(await refusal(file)).toMatchObject({
        reason: 'FORMAT_UNSUPPORTED',
        metadata: { format: 'tiff', compression: name },
        message: `The TIFF is of an unsupported kind. Its pixels are compressed by ${name}; none, LZW, deflate, PackBits, CCITT and JPEG are supported. Convert it first, for example to PNG.`,
      });
    }
  });

  it.each<[photometric: number, name: string]>([
    [4, 'a mask'],
    [8, 'CIE L*a*b*'],
    [9, 'ICC L*a*b*'],
    [10, 'ITU L*a*b*'],
    [32803, 'a colour filter array'],
    [32845, 'LogLuv'],
    [6, 'YCbCr'],
  ])('refuses photometric interpretation %i by its name', async (photometric, name) => {
    const failure = await refusal(tiff(3, { photometric }));
    expect(failure).toMatchObject({ reason: 'FORMAT_UNSUPPORTED', metadata: { photometric: name } });
    expect(failure.message).toContain(`Its photometric interpretation is ${name}`);
  });

  it.each([1, 5, 8, 32773])(
    'refuses YCbCr with compression %i, which libvips takes for RGB',
    async (compression) => {
      expect(await refusal(tiff(3, { photometric: 6, compression }))).toMatchObject({
        reason: 'FORMAT_UNSUPPORTED',
        metadata: { photometric: 'YCbCr' },
      });
    },
  );

  it.each<[what: string, file: Uint8Array, words: string]>([
    ['no photometric interpretation', tiff(3, { photometric: undefined }), 'no photometric interpretation'],
    ['12 bits', tiff(1, { bits: [12] }), 'Its samples have 12 bits in gray, 0 is black; 1, 2, 4, 8, 16'],
    ['32 bits', tiff(1, { bits: [32] }), 'Its samples have 32 bits'],
    [
      '5, 6 and 5 bits',
      tiff(3, { bits: [5, 6, 5] }),
      'Its samples have 5 and 6 bits in RGB; 8, 16 are supported',
    ],
    ['signed samples', tiff(1, { tags: { 339: [2] } }), 'Its samples are signed integers'],
    ['floats', tiff(1, { bits: [32], tags: { 339: [3] } }), 'Its samples are floating-point numbers'],
    ['5 samples', tiff(5), 'It has 5 samples a pixel in RGB; 3, or 4 with alpha, are supported'],
    ['3 samples of gray', tiff(3, { photometric: 1 }), 'It has 3 samples a pixel in gray'],
    ['CMYK with alpha', tiff(5, { photometric: 5 }), 'It has 5 samples a pixel in CMYK; 4 are supported'],
    [
      'CMYK of 16 bits',
      tiff(4, { photometric: 5, bits: [16, 16, 16, 16] }),
      'Its samples have 16 bits in CMYK',
    ],
    [
      'gray and alpha in planes',
      tiff(2, { tags: { 284: [2], 338: [2] } }),
      'Its 2 samples a pixel are in separate planes;',
    ],
    [
      'planes of tiles',
      tiled({ tags: { 284: [2] } }),
      'Its 3 samples a pixel are in separate planes of tiles;',
    ],
  ])('refuses %s by name', async (_, file, words) => {
    const failure = await refusal(file);
    expect(failure.reason).toBe('FORMAT_UNSUPPORTED');
    expect(failure.message).toContain(words);
  });

  it.each<[what: string, parts: Partial<TiffParts>]>([
    ['little-endian', {}],
    ['big-endian', { order: 'MM' }],
    ['BigTIFF', { isBig: true }],
    ['big-endian BigTIFF', { order: 'MM', isBig: true }],
  ])('reads a file that is %s', async (_, parts) => {
    expect((await decoded(tiff(3, parts))).data.subarray(0, 6)).toEqual(Buffer.of(0, 5, 10, 15, 20, 25));
    expect((await refusal(tiff(3, { ...parts, compression: 50000 }))).reason).toBe('FORMAT_UNSUPPORTED');
  });

  // Pillow's RGBX and LX; without the tag, its RGBA.
  it.each<
    [samples: number, extraSamples: readonly number[] | undefined, channels: number, first: readonly number[]]
  >([
    [4, [0], 3, [0, 5, 10, 20, 25, 30]],
    [4, [2], 4, [0, 5, 10, 15]],
    [4, undefined, 4, [0, 5, 10, 15]],
    [2, [0], 1, [0, 10, 20]],
    [2, [2], 4, [0, 0, 0, 5, 10, 10, 10, 15]],
  ])('reads %i samples with extra samples %j as %i channels', async (samples, extra, channels, first) => {
    const file = tiff(samples, extra && { tags: { 338: extra } });
    const pixels = await decoded(file);
    expect(pixels.channels).toBe(channels);
    expect([...pixels.data.subarray(0, first.length)]).toEqual(first);
    const fast = await decoded(file, plan('fast'));
    expect(fast).toEqual(pixels);
    expect(await decoded(file, plan('fast', 2))).toMatchObject({ channels, width: 2, height: 2 });
  });

  it('reads tiles, and refuses those that are cut off or damaged', async () => {
    const whole = tiled();
    expect((await decoded(whole)).data.subarray(0, 3)).toEqual(Buffer.of(1, 2, 3));
    // The offset of the second tile is beyond the end of the file.
    const cut = tiled({ data: [Buffer.alloc(3072, 9), Buffer.alloc(0)] });
    expect(await refusal(cut)).toMatchObject({ reason: 'IMAGE_CORRUPT' });
    const deflated = tiled({ compression: 8 }, (tile) => deflateSync(tile));
    expect((await decoded(deflated)).data.subarray(0, 3)).toEqual(Buffer.of(1, 2, 3));
    deflated.fill(0xff, 20, 40);
    expect(await refusal(deflated)).toMatchObject({ reason: 'IMAGE_CORRUPT' });
    expect(await refusal(tiled({ compression: 5 }))).toMatchObject({ reason: 'IMAGE_CORRUPT' });
  });

  it('refuses gray and alpha in planes of LZW, whose rows libvips overlaps', async () => {
    const file = readFileSync(new URL('../../../fixtures/cases/gray_alpha_planar_lzw.tif', import.meta.url));
    expect(await refusal(file)).toMatchObject({ reason: 'FORMAT_UNSUPPORTED' });
  });

  it('returns undefined for a file without a directory', () => {
    expect(readTiffLayout(Buffer.from('II*\0\xff\xff\xff\x00', 'latin1'))).toBeUndefined();
    expect(readTiffLayout(Buffer.from('II*\0'))).toBeUndefined();
  });
});
