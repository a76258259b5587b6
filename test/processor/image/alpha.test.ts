import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { flatten } from '../../../src/processor/image/alpha.ts';
import type { Pixels } from '../../../src/processor/image/pixels.ts';
import type { Colour } from '../../../src/processor/image/plan.ts';

const row = (channels: Pixels['channels'], ...values: number[]): Pixels => ({
  data: Uint8Array.from(values),
  width: values.length / channels,
  height: 1,
  channels,
});

const orange: Colour = [255, 128, 0];

describe(flatten, () => {
  it.each([row(1, 7, 8), row(3, 1, 2, 3)])('returns an image without alpha unchanged', (image) => {
    expect(flatten(image, 'dropped')).toBe(image);
    expect(flatten(image, orange)).toBe(image);
  });

  // Image.convert("RGB")
  it('drops alpha and keeps the stored colours, including hidden ones', () => {
    expect(flatten(row(4, 10, 20, 30, 0, 40, 50, 60, 128, 70, 80, 90, 255), 'dropped')).toEqual(
      row(3, 10, 20, 30, 40, 50, 60, 70, 80, 90),
    );
  });

  it('shows only the background where the image is transparent, and only the image where it is opaque', () => {
    expect(flatten(row(4, 10, 20, 30, 0, 70, 80, 90, 255), orange)).toEqual(row(3, 255, 128, 0, 70, 80, 90));
  });

  // (c·a + b·(255 − a)) / 255, rounded:
  // (0·128 + 255·127)/255 = 127, (200·128 + 128·127)/255 = 164.1, 100·128/255 = 50.2
  it('mixes image and background by alpha', () => {
    expect(flatten(row(4, 0, 200, 100, 128), orange)).toEqual(row(3, 127, 164, 50));
  });

  // sha256(Image.alpha_composite(Image.new("RGBA", size, (255, 200, 3, 255)), image).convert("RGB").tobytes()) of
  // an image of 256 × 256 whose pixel at (x, y) is (x, x, x, y); Pillow 13.0.0.
  it('equals Pillow’s Image.alpha_composite for every value and alpha', () => {
    const data = Uint8Array.from({ length: 256 * 256 * 4 }, (_, at) =>
      at % 4 === 3 ? at >> 10 : (at >> 2) & 255,
    );
    const flat = flatten({ data, width: 256, height: 256, channels: 4 }, [255, 200, 3]);
    expect(hash('sha256', flat.data)).toBe(
      '988551d1f986601ee419ab77d475312d2654232b79fd080b2650fd10a6f3e164',
    );
  });
});
