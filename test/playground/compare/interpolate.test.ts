import { describe, expect, it } from 'vitest';
import { interpolateBilinear } from '../../../src/playground/compare/interpolate.ts';

const source = { width: 7, height: 5 };
/** 37 × the index of the pixel modulo 256 in red, twice the column in green. */
const pixels = Uint8ClampedArray.from({ length: 4 * 35 }, (_, at) => {
  const pixel = Math.floor(at / 4);
  return [(37 * pixel) % 256, 2 * (pixel % 7), 0, 255][at % 4] ?? 0;
});

function reds(width: number, height: number): number[][] {
  const output = interpolateBilinear(pixels, source, { width, height });
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_value, x) => output[4 * (y * width + x)] ?? 0),
  );
}

describe(interpolateBilinear, () => {
  // torch.round(F.interpolate(x, (height, width), mode="bilinear")) of torch 2.15.
  it('equals torch where it reduces', () => {
    expect(reds(3, 2)).toEqual([
      [27, 113, 200],
      [34, 121, 207],
    ]);
  });

  it('equals torch where it enlarges', () => {
    expect(reds(9, 8).slice(0, 2)).toEqual([
      [0, 25, 53, 82, 111, 140, 169, 197, 222],
      [1, 26, 55, 84, 112, 141, 170, 199, 223],
    ]);
  });

  it('treats each channel by itself', () => {
    expect([...interpolateBilinear(pixels, source, { width: 1, height: 1 })]).toEqual([117, 6, 0, 255]);
  });
});
