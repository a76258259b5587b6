import { hash } from 'node:crypto';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodePng } from '../../../../src/processor/codecs/png/encode.ts';
import type { Pixels } from '../../../../src/processor/image/pixels.ts';
import { gradient, noise, type Picture, photoLike } from '../../../support/pictures.ts';

const pixelsOf = ({ pixels, ...size }: Picture): Pixels => ({ data: pixels, ...size });

/** A picture whose values a function of the place gives. */
function drawn(
  width: number,
  height: number,
  channels: Pixels['channels'],
  value: (x: number, y: number, channel: number) => number,
): Pixels {
  const data = Uint8Array.from({ length: width * height * channels }, (_, at) => {
    const pixel = Math.floor(at / channels);
    return value(pixel % width, Math.floor(pixel / width), at % channels);
  });
  return { data, width, height, channels };
}

/** Marks of 5 × 7 dots, as of a font, in lines. */
function text(width: number, height: number): Pixels {
  const isInk = (x: number, y: number) => {
    const [column, line] = [Math.floor(x / 7), Math.floor(y / 12)];
    if (x % 7 > 4 || y % 12 > 6 || (column * 31 + line * 17) % 6 === 0) return false;
    const glyph = ((column * column * 7 + line * 13 + column) % 26) + 1;
    return ((glyph * 2_654_435_761) >>> (((y % 12) * 5 + (x % 7)) % 29)) % 2 === 1;
  };
  return drawn(width, height, 3, (x, y) => (isInk(x, y) ? 20 : 255));
}

/** Panels, a gradient and lines of text. */
function screenshot(width: number, height: number): Pixels {
  const letters = text(width, height).data;
  return drawn(width, height, 3, (x, y, channel) => {
    if (y < 40) return [32, 54, 96][channel] ?? 0;
    if (x < width / 5) return [228, 231, 236][channel] ?? 0;
    if (x % 160 < 120 && y % 120 < 50) return Math.floor((x % 160) * (0.6 + 0.4 * channel)) % 256;
    return letters[(y * width + x) * 3 + channel] ?? 0;
  });
}

const mask = (width: number, height: number): Pixels =>
  drawn(width, height, 1, (x, y) => {
    const inside = [0.2, 0.5, 0.7].some(
      (at) => Math.hypot(x - at * width, y - at * height) < (0.3 - 0.2 * at) * width,
    );
    return inside ? 255 : 0;
  });

/** The nearest of 16 levels of gray, as colours. */
const sixteenColours = (width: number, height: number): Pixels => {
  const { data } = pixelsOf(photoLike(width, height));
  return drawn(width, height, 3, (x, y, channel) => {
    const level = (data[(y * width + x) * 3] ?? 0) >> 4;
    return [level * 17, 255 - level * 16, (level * 53) % 256][channel] ?? 0;
  });
};

const photograph = (width: number, height: number) => pixelsOf(photoLike(width, height));

/** As Pillow's default: libpng's choice of filters, and level 6. */
async function libpngBytes({ data, ...raw }: Pixels): Promise<number> {
  const image = sharp(data, { raw });
  const png = await (raw.channels === 1 ? image.toColourspace('b-w') : image)
    .png({ compressionLevel: 6, adaptiveFiltering: true })
    .toBuffer();
  return png.length;
}

async function decoded(png: Buffer, channels: number): Promise<Buffer> {
  const image = sharp(png);
  // sharp returns gray as R = G = B, and gray with alpha as RGBA.
  if (channels === 1) return await image.toColourspace('b-w').raw().toBuffer();
  const values = await image.raw().toBuffer();
  if (channels !== 2 || values.length % 4 !== 0) return values;
  return Buffer.from(values.filter((_, at) => at % 4 === 0 || at % 4 === 3));
}

describe(encodePng, () => {
  // Each width has another rest after the vectors of 16 bytes; each picture makes other filters the best.
  it.each([1, 2, 3, 4] as const)(
    'keeps every value of %i channels, of any width and filter',
    async (channels) => {
      const pictures: [string, (x: number, y: number, channel: number) => number][] = [
        ['noise', (x, y, channel) => (x * 7919 + y * 104_729 + channel * 1299 + x * x * y) % 251],
        ['to the right', (x, _, channel) => (x * 3 + channel) % 256],
        ['down', (_, y, channel) => (y * 5 + channel) % 256],
        ['diagonal', (x, y) => (x * 2 + y * 3) % 256],
        ['edges', (x, y) => (x > y ? 255 : x * y) % 256],
        ['flat', () => 129],
      ];
      for (const [name, value] of pictures) {
        for (const width of [1, 2, 5, 6, 15, 16, 17, 31, 33, 64]) {
          const image = drawn(width, 9, channels, value);
          const found = await decoded(encodePng(image), channels);
          expect(found.equals(Buffer.from(image.data)), `${name}, ${width} wide`).toBe(true);
        }
      }
    },
  );

  it('keeps every value of pictures that are filtered in several parts', async () => {
    for (const image of [photograph(701, 403), pixelsOf(noise(640, 480)), pixelsOf(gradient(900, 500))]) {
      expect((await decoded(encodePng(image), 3)).equals(Buffer.from(image.data))).toBe(true);
    }
  });

  it('gives equal pixels equal bytes, whatever was encoded before', () => {
    const digest = (image: Pixels) => hash('sha256', encodePng(image));
    const images = [photograph(320, 240), text(320, 240), mask(200, 100), screenshot(640, 480)];
    const first = images.map(digest);
    expect(images.toReversed().map(digest).reverse()).toEqual(first);
  });

  it.each([
    ['a photograph', photograph],
    ['a screenshot', screenshot],
    ['text', text],
    ['a mask', mask],
    ['16 colours', sixteenColours],
    ['a gradient', (width: number, height: number) => pixelsOf(gradient(width, height))],
  ])('is at most a tenth longer than libpng by default: %s', async (_, make) => {
    for (const [width, height] of [
      [224, 224],
      [640, 480],
    ] as const) {
      const image = make(width, height);
      expect(encodePng(image).length).toBeLessThan(1.1 * (await libpngBytes(image)) + 64);
    }
  });
});
