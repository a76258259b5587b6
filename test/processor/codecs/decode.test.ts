import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/failures.ts';
import { turboJpeg } from '../../../src/processor/codecs/jpeg/turbojpeg.ts';
import { readHeader } from '../../../src/processor/codecs/read-header.ts';
import { flatten } from '../../../src/processor/image/alpha.ts';
import { cropStart } from '../../../src/processor/image/crop.ts';
import { grayToRgb, type Pixels } from '../../../src/processor/image/pixels.ts';
import { outOfScratch } from '../../../src/processor/workers/scratch.ts';
import { partOf } from '../../support/part-of.ts';
import { encoded, gradient, photoLike } from '../../support/pictures.ts';
import type { Fit, PlanOptions } from '../../support/plans.ts';
import { runStages } from '../../support/stages.ts';

const folder = new URL('../../fixtures/decode/', import.meta.url);
const fixture = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));

interface Golden {
  readonly width: number;
  readonly height: number;
  /** SHA-256 of the pixels as RGB. */
  readonly sha256: string;
  /** The pixels as RGB in Base64, if the decoder is not Pillow's. */
  readonly pixels?: string;
}

const { goldens } = JSON.parse(
  readFileSync(new URL('../../parity/decode-goldens.json', import.meta.url), 'utf8'),
) as { goldens: Readonly<Record<string, Golden>> };

const fast = (width: number, height: number, fit: Fit = 'fill'): PlanOptions => ({
  numerics: 'fast',
  resize: { width, height, fit, filter: 'bilinear' },
});

async function decoded(content: Uint8Array, options: PlanOptions = {}): Promise<Pixels> {
  const header = await readHeader(content, 100_000_000);
  const { data, ...shape } = await runStages(content, header, options);
  return { ...shape, data: outOfScratch(data) };
}

/** In the form of the golden: three channels, alpha dropped. */
async function decodedRgb(content: Uint8Array): Promise<Pixels> {
  return grayToRgb(flatten(await decoded(content), 'dropped'));
}

const described = ({ data, width, height }: Pixels) => ({ width, height, sha256: hash('sha256', data) });

async function refusal(content: Uint8Array, options?: PlanOptions): Promise<Failure> {
  const failure = await decoded(content, options).catch((error: unknown) => error);
  if (failure instanceof Failure) return failure;
  throw failure instanceof Error ? failure : new Error('it was decoded');
}

/** For each pixel of the golden, whether ours differs, and the largest difference of a value. */
async function againstGolden(name: string) {
  const { pixels = '' } = goldens[name] ?? {};
  const theirs = Buffer.from(pixels, 'base64');
  const { data: ours } = await decodedRgb(fixture(name));
  expect(ours.length).toBe(theirs.length);
  const differences = Array.from(theirs, (value, at) => Math.abs(value - (ours[at] ?? 0)));
  const mean = differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
  return { theirs, ours, max: Math.max(...differences), mean };
}

describe('decoding', () => {
  describe('pillow', () => {
    const same = Object.entries(goldens).filter(([, { pixels }]) => pixels === undefined);

    it.each(same)('decodes %s to Pillow’s bytes', async (name, { width, height, sha256 }) => {
      expect(described(await decodedRgb(fixture(name)))).toEqual({ width, height, sha256 });
    });

    it('has a golden for every supported picture', () => {
      const refused = ['gray-float.tiff', 'cmyk-16-bit.tiff', 'cmyk-alpha.tiff', 'rgb-2-extra.tiff'];
      const names = readdirSync(folder).filter((name) => !refused.includes(name));
      expect(names.sort()).toEqual(Object.keys(goldens).sort());
    });

    it.each([
      ['gray.jpg', 1],
      ['gray-16-bit.png', 1],
      ['group4.tiff', 1],
      ['rgb.png', 3],
      ['palette.png', 3],
      ['cmyk-adobe.jpg', 3],
      ['rgba.png', 4],
      ['gray-alpha.png', 4],
      ['palette-transparency.png', 4],
    ])('returns %s in %d channels', async (name, channels) => {
      expect((await decoded(fixture(name))).channels).toBe(channels);
    });

    it('uses the high byte of every 16-bit gray', async () => {
      const levels = Uint16Array.from({ length: 65_536 }, (_, value) => value);
      const png = await sharp(levels, { raw: { width: 256, height: 256, channels: 1 } })
        .toColourspace('grey16')
        .png()
        .toBuffer();
      expect(await decoded(png)).toEqual({
        data: Buffer.from(levels.map((value) => value >> 8)),
        width: 256,
        height: 256,
        channels: 1,
      });
    });

    // The transparent colour is (201, 137, 216), which Pillow's convert("RGB") shows.
    it('keeps the colour under the transparent pixels of a GIF', async () => {
      expect(await againstGolden('two-frames-transparency.gif')).toMatchObject({ max: 0 });
      const { data } = await decoded(fixture('two-frames-transparency.gif'));
      expect(new Set(data.filter((_, at) => at % 4 === 3))).toEqual(new Set([0, 255]));
    });

    // Pillow fills the screen with the first colour of the palette, which is (0, 0, 255).
    it('fills the screen around a GIF’s first frame with a colour', async () => {
      const { ours, max } = await againstGolden('small-frame.gif');
      expect(max).toBe(0);
      expect([...ours.subarray(0, 3)]).toEqual([0, 0, 255]);
    });
  });

  describe('damaged', () => {
    it.each([
      ['420.jpg', 590],
      ['progressive.jpg', 830],
      ['gray.jpg', 305],
      ['lossy.webp', 305],
      ['lossless.webp', 101],
      ['444.avif', 540],
      ['plain.gif', 240],
      ['strips.tiff', 1300],
      ['lzw.tiff', 1600],
    ])('refuses %s wherever it is cut off, up to byte %d', async (name, end) => {
      const whole = fixture(name);
      // In steps that cover every part of the file: headers, tables, pixels.
      for (let length = 32; length <= end; length += 31) {
        expect(await refusal(whole.subarray(0, length))).toMatchObject({ reason: 'IMAGE_CORRUPT' });
      }
      expect(await refusal(whole.subarray(0, end))).toMatchObject({ reason: 'IMAGE_CORRUPT' });
    });

    // The last 12 bytes are the chunk IEND. Without it all pixels are present, and Pillow accepts the file too.
    it.each(['rgb.png', 'rgb-interlaced.png', 'palette.png'])(
      'refuses %s wherever its pixels are cut off, and takes it without its last chunk',
      async (name) => {
        const whole = fixture(name);
        for (let length = 40; length < whole.length - 12; length += 31) {
          expect(await refusal(whole.subarray(0, length))).toMatchObject({ reason: 'IMAGE_CORRUPT' });
        }
        const { width, height, sha256 } = goldens[name] ?? {};
        expect(described(await decodedRgb(whole.subarray(0, whole.length - 12)))).toEqual({
          width,
          height,
          sha256,
        });
      },
    );

    it.each(['pillow', 'fast'] as const)(
      'never gives the part of a larger JPEG that has arrived: %s',
      async (numerics) => {
        const jpegs = [
          await encoded(photoLike(640, 480), 'jpeg'),
          await encoded(photoLike(640, 480), 'jpeg', { progressive: true }),
        ];
        for (const jpeg of jpegs) {
          for (const part of [0.25, 0.5, 0.9, 0.999]) {
            const cut = jpeg.subarray(0, Math.floor(jpeg.length * part));
            const resize = { width: 32, height: 24, fit: 'fill', filter: 'bilinear' } as const;
            expect(await refusal(cut, { numerics, resize })).toMatchObject({ reason: 'IMAGE_CORRUPT' });
          }
        }
      },
    );

    it('refuses a PNG whose pixels do not match their checksum', async () => {
      const png = fixture('rgb.png');
      const at = Buffer.from(png).indexOf('IDAT') + 100;
      png[at] = (png[at] ?? 0) ^ 0xff;
      expect(await refusal(png)).toMatchObject({ reason: 'IMAGE_CORRUPT' });
    });

    it('states the claimed format and size, without the library’s text', async () => {
      const failure = await refusal(fixture('420.jpg').subarray(0, 500));
      expect(failure.message).toBe('The JPEG (23 × 17) cannot be decoded: it is cut off or damaged.');
      expect(failure.metadata).toEqual({ format: 'jpeg' });
      expect(failure.cause).toBeInstanceOf(Error);
    });
  });

  describe('fast', () => {
    it.each<[fit: Fit, width: number, height: number]>([
      ['fill', 50, 20],
      ['cover', 50, 20],
      ['contain', 50, 20],
      ['inside', 27, 20],
      ['outside', 50, 38],
    ])('returns pixels of the size for fit %s', async (fit, width, height) => {
      const jpeg = await encoded(gradient(640, 480), 'jpeg');
      expect(await decoded(jpeg, fast(50, 20, fit))).toMatchObject({ width, height, channels: 3 });
    });

    it.skipIf(turboJpeg === undefined)(
      'gives what a crop keeps of a JPEG, turned upright, and no more',
      async () => {
        const jpeg = fixture('orientation-6.jpg');
        for (const options of [fast(40, 60), { numerics: 'fast' } as const]) {
          const crop = { width: 10, height: 16, origin: 'torchvision' } as const;
          const cropped = await decoded(jpeg, { ...options, crop });
          expect(cropped).toMatchObject({ width: 10, height: 16 });
          const whole = await decoded(jpeg, options);
          const left = cropStart(whole.width, crop.width, crop.origin);
          const top = cropStart(whole.height, crop.height, crop.origin);
          const cutout = { left, top, right: left + crop.width, bottom: top + crop.height };
          expect(described(cropped)).toEqual(described(partOf(whole, cutout)));
        }
      },
    );

    // libvips needs up to five times as long for them.
    it.each(['png', 'webp'] as const)('gives a larger %s the pixels of exact numerics', async (format) => {
      const content = await encoded(photoLike(60, 40), format);
      for (const grayscale of [false, true]) {
        const larger = { ...fast(100, 90), grayscale };
        expect(described(await decoded(content, larger))).toEqual(
          described(await decoded(content, { ...larger, numerics: 'pillow' })),
        );
      }
    });

    // libvips needs up to twice as long for them.
    it.each([
      ['png', 'lanczos'],
      ['tiff', 'bilinear'],
    ] as const)(
      'gives a small %s that becomes smaller, %s, the pixels of exact numerics',
      async (format, filter) => {
        const content = await encoded(photoLike(60, 40), format);
        const smaller = { resize: { fit: 'cover', width: 20, height: 18, filter } } as const;
        expect(described(await decoded(content, { ...smaller, numerics: 'fast' }))).toEqual(
          described(await decoded(content, { ...smaller, numerics: 'pillow' })),
        );
      },
    );

    it('turns upright before it resizes', async () => {
      for (const [orientation, width, height] of [
        [1, 20, 10],
        [6, 20, 10],
        [8, 20, 10],
      ] as const) {
        const pixels = await decoded(fixture(`orientation-${orientation}.jpg`), fast(width, height));
        expect(pixels).toMatchObject({ width, height });
      }
      const turned = await decoded(fixture('orientation-6.jpg'), { numerics: 'fast' });
      expect(described(turned)).toEqual(goldens['orientation-6.jpg']);
    });

    it('keeps gray in one channel', async () => {
      expect(await decoded(fixture('gray.jpg'), fast(10, 10))).toMatchObject({ channels: 1 });
      expect(await decoded(fixture('gray-16-bit.png'), fast(10, 10))).toMatchObject({ channels: 1 });
    });

    it('converts CMYK to colours', async () => {
      expect(await decoded(fixture('cmyk-adobe.jpg'), fast(10, 10))).toMatchObject({ channels: 3 });
    });

    // The profile swaps red and blue.
    it('converts ICC profiles, which exact ignores', async () => {
      for (const name of ['icc.png', 'icc.jpg']) {
        const exact = await decoded(fixture(name));
        const converted = await decoded(fixture(name), { numerics: 'fast' });
        const levels = (pixels: Pixels, channel: number) => pixels.data.filter((_, at) => at % 3 === channel);
        const apart = (a: Uint8Array, b: Uint8Array) =>
          a.reduce((sum, value, at) => sum + Math.abs(value - (b[at] ?? 0)), 0) / a.length;
        expect(apart(levels(converted, 0), levels(exact, 2))).toBeLessThan(20);
        expect(apart(levels(converted, 2), levels(exact, 0))).toBeLessThan(20);
        expect(apart(levels(converted, 0), levels(exact, 0))).toBeGreaterThan(40);
      }
    });

    // The mean over a picture with grain; docs/numerics.md states the full error.
    it('is a level or two away from exact', async () => {
      const jpeg = await encoded(photoLike(1024, 768), 'jpeg');
      const exact = await decoded(jpeg, { ...fast(224, 168), numerics: 'pillow' });
      const { data, ...shape } = await decoded(jpeg, fast(224, 168));
      expect(shape).toMatchObject({ width: 224, height: 168, channels: 3 });
      const sum = data.reduce((total, value, at) => total + Math.abs(value - (exact.data[at] ?? 0)), 0);
      expect(sum / data.length).toBeLessThan(2);
    });
  });
});
