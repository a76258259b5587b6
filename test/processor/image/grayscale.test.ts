import { describe, expect, it } from 'vitest';
import { toLuma } from '../../../src/processor/image/grayscale.ts';
import { noise } from '../../support/pictures.ts';

const row = (channels: 1 | 2 | 3 | 4, ...values: number[]) => ({
  data: Uint8Array.from(values),
  width: values.length / channels,
  height: 1,
  channels,
});

describe(toLuma, () => {
  it('converts pure red, green and blue to 76, 150 and 29', () => {
    expect(toLuma(row(3, 255, 0, 0, 0, 255, 0, 0, 0, 255))).toEqual(row(1, 76, 150, 29));
  });

  it('keeps white, black and every gray', () => {
    const grays = Array.from({ length: 256 }, (_, value) => value);
    expect(toLuma(row(3, ...grays.flatMap((value) => [value, value, value])))).toEqual(row(1, ...grays));
  });

  // 19595·1 + 38470·1 + 7471·0 + 32768 = 90833, and 90833 / 65536 = 1.39; without the half it would be 0.
  it('rounds instead of truncating', () => {
    expect(toLuma(row(3, 1, 1, 0))).toEqual(row(1, 1));
  });

  it('keeps alpha beside luma', () => {
    expect(toLuma(row(4, 255, 0, 0, 0, 0, 255, 0, 9, 0, 0, 255, 255))).toEqual(
      row(2, 76, 0, 150, 9, 29, 255),
    );
  });

  it.each([row(1, 7, 8), row(2, 7, 255)])('returns gray unchanged', (image) => {
    expect(toLuma(image)).toBe(image);
  });

  it('is (19595·R + 38470·G + 7471·B + 2¹⁵) >> 16 for any colour', () => {
    const { pixels, width, height } = noise(211, 97);
    const { data } = toLuma({ data: pixels, width, height, channels: 3 });
    const expected = Array.from({ length: width * height }, (_, pixel) => {
      const [red = 0, green = 0, blue = 0] = pixels.subarray(pixel * 3, pixel * 3 + 3);
      return Number((19595n * BigInt(red) + 38470n * BigInt(green) + 7471n * BigInt(blue) + 32768n) >> 16n);
    });
    expect([...data]).toEqual(expected);
  });

  it('gives colours the same luma with and without alpha', () => {
    const { pixels, width, height } = noise(53, 31, 2);
    const rgba = Uint8Array.from({ length: width * height * 4 }, (_, at) =>
      at % 4 === 3 ? at % 251 : (pixels[(at >> 2) * 3 + (at % 4)] ?? 0),
    );
    const gray = toLuma({ data: pixels, width, height, channels: 3 });
    const grayAlpha = toLuma({ data: rgba, width, height, channels: 4 });
    expect(grayAlpha.data.filter((_, at) => at % 2 === 0)).toEqual(gray.data);
    expect(grayAlpha.data.filter((_, at) => at % 2 === 1)).toEqual(rgba.filter((_, at) => at % 4 === 3));
  });
});
