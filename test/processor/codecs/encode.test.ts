import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/processor/codecs/encode.ts';
import { longestSides } from '../../../src/processor/image/limits.ts';
import type { Pixels } from '../../../src/processor/image/pixels.ts';
import { gradient, noise, type Picture, photoLike } from '../../support/pictures.ts';

const pixelsOf = ({ pixels, ...size }: Picture): Pixels => ({ data: pixels, ...size });

const row = (channels: Pixels['channels'], ...values: number[]): Pixels => ({
  data: Uint8Array.from(values),
  width: values.length / channels,
  height: 1,
  channels,
});

/** Properties that a file states. */
async function read(content: Uint8Array) {
  const { format, width, height, channels, space, hasAlpha, chromaSubsampling } =
    await sharp(content).metadata();
  return { format, width, height, channels, space, hasAlpha, chromaSubsampling };
}

/** The largest and the mean difference between the values of two images of the same size. */
async function difference(image: Pixels, content: Uint8Array) {
  const file = sharp(content);
  const decoded = await (image.channels === 1 ? file.toColourspace('b-w') : file).raw().toBuffer();
  expect(decoded.length).toBe(image.data.length);
  const differences = decoded.map((value, at) => Math.abs(value - (image.data[at] ?? 0)));
  return {
    max: Math.max(...differences),
    mean: differences.reduce((sum, d) => sum + d, 0) / differences.length,
  };
}

describe(encode, () => {
  it.each([
    [1, { channels: 1, space: 'b-w', hasAlpha: false }],
    [2, { channels: 2, space: 'b-w', hasAlpha: true }],
    [3, { channels: 3, space: 'srgb', hasAlpha: false }],
    [4, { channels: 4, space: 'srgb', hasAlpha: true }],
  ] as const)('keeps every value of %d channels in PNG', async (channels, expected) => {
    const image = row(channels, ...Array.from({ length: 6 * channels }, (_, at) => (at * 47) % 256));
    const { content, contentType } = await encode(image, 'png', undefined);
    expect(contentType).toBe('image/png');
    expect(await read(content)).toMatchObject({ format: 'png', width: 6, height: 1, ...expected });
    // sharp returns gray as R = G = B.
    const rgba = await sharp(content).ensureAlpha().raw().toBuffer();
    const ofPixel = { 1: [0, 0, 0], 2: [0, 0, 0, 1], 3: [0, 1, 2], 4: [0, 1, 2, 3] }[channels];
    const stored = Array.from({ length: 6 }, (_, x) =>
      ofPixel.map((at) => image.data[x * channels + at] ?? 0),
    );
    const found = Array.from({ length: 6 }, (_, x) => [...rgba.subarray(x * 4, x * 4 + ofPixel.length)]);
    expect(found).toEqual(stored);
  });

  it('keeps the colours of transparent pixels in PNG', async () => {
    const { content } = await encode(row(4, 10, 20, 30, 0, 40, 50, 60, 255), 'png', undefined);
    expect([...(await sharp(content).raw().toBuffer())]).toEqual([10, 20, 30, 0, 40, 50, 60, 255]);
  });

  it('writes JPEG with 4:2:0 and one channel of gray', async () => {
    const colour = await encode(pixelsOf(gradient(64, 48)), 'jpeg', undefined);
    expect(colour.contentType).toBe('image/jpeg');
    expect(await read(colour.content)).toMatchObject({
      format: 'jpeg',
      width: 64,
      height: 48,
      channels: 3,
      chromaSubsampling: '4:2:0',
    });
    const gray = await encode(
      { ...row(1, ...new Uint8Array(64).fill(90)), width: 8, height: 8 },
      'jpeg',
      undefined,
    );
    expect(await read(gray.content)).toMatchObject({ format: 'jpeg', channels: 1, space: 'b-w' });
  });

  // A smooth picture loses a level or two at quality 90. More would mean another quality or colour space.
  it('is close to the pixels in JPEG by default', async () => {
    const image = pixelsOf(gradient(160, 120));
    const { content } = await encode(image, 'jpeg', undefined);
    const { max, mean } = await difference(image, content);
    expect(max).toBeLessThanOrEqual(6);
    expect(mean).toBeLessThan(1.5);
  });

  it('writes WebP with alpha', async () => {
    const image = { ...row(4, ...new Uint8Array(16 * 16 * 4).fill(128)), width: 16, height: 16 };
    const { content, contentType } = await encode(image, 'webp', undefined);
    expect(contentType).toBe('image/webp');
    expect(await read(content)).toMatchObject({ format: 'webp', width: 16, height: 16, hasAlpha: true });
  });

  it.each(['jpeg', 'webp'] as const)(
    'is nearer to the pixels the higher the quality is: %s',
    async (format) => {
      const image = pixelsOf(photoLike(96, 64));
      const [low, high] = await Promise.all([encode(image, format, 20), encode(image, format, 95)]);
      expect((await difference(image, high.content)).mean).toBeLessThan(
        (await difference(image, low.content)).mean / 1.5,
      );
      expect(low.content.length).toBeLessThan(high.content.length);
    },
  );

  it.each([
    ['jpeg', 90],
    ['webp', 80],
  ] as const)('uses for %s the quality %d by default', async (format, quality) => {
    const image = pixelsOf(noise(32, 32));
    expect((await encode(image, format, undefined)).content).toEqual(
      (await encode(image, format, quality)).content,
    );
  });

  it('writes no metadata', async () => {
    const { content } = await encode(row(3, 1, 2, 3), 'jpeg', undefined);
    const { exif, icc, xmp, orientation } = await sharp(content).metadata();
    expect({ exif, icc, xmp, orientation }).toEqual({});
  });
});

describe('longestSides', () => {
  it.each(['jpeg', 'webp'] as const)(
    '%s: the encoder accepts this and not one pixel more',
    async (format) => {
      const wide = (width: number): Pixels => ({
        data: new Uint8Array(width),
        width,
        height: 1,
        channels: 1,
      });
      const limit = longestSides[format];
      expect(await read((await encode(wide(limit), format, 1)).content)).toMatchObject({ width: limit });
      await expect(encode(wide(limit + 1), format, 1)).rejects.toThrow(/too large|Maximum supported/);
    },
  );
});
