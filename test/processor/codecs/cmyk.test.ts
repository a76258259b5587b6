import { describe, expect, it } from 'vitest';
import { cmykToRgb } from '../../../src/processor/codecs/cmyk.ts';

const rgbOf = (cmyk: readonly number[]) => {
  const { data, ...rest } = cmykToRgb({
    data: Uint8Array.from(cmyk),
    width: cmyk.length / 4,
    height: 1,
    channels: 4,
  });
  expect(rest).toEqual({ width: cmyk.length / 4, height: 1, channels: 3 });
  return [...data];
};

describe(cmykToRgb, () => {
  it('converts no ink to white and full black to black', () => {
    expect(rgbOf([0, 0, 0, 0])).toEqual([255, 255, 255]);
    expect(rgbOf([0, 0, 0, 255])).toEqual([0, 0, 0]);
  });

  it('converts cyan, magenta and yellow to white without red, green and blue', () => {
    expect(rgbOf([255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0])).toEqual([
      0, 255, 255, 255, 0, 255, 255, 255, 0,
    ]);
  });

  // K = 55 leaves 200. Of it 100/255 are 78.4, 1/255 is 0.8 and 128/255 are 100.4.
  it('subtracts each ink from the rest after black, rounded', () => {
    expect(rgbOf([100, 1, 128, 55])).toEqual([200 - 78, 200 - 1, 200 - 100]);
  });

  it('rounds c·(255 − k)/255 to the nearest for every ink', () => {
    const pairs = Array.from({ length: 65_536 }, (_, i) => [i & 255, i >> 8] as const);
    const rgb = rgbOf(pairs.flatMap(([ink, black]) => [ink, 0, 0, black]));
    expect(rgb.filter((_, at) => at % 3 === 0)).toEqual(
      pairs.map(([ink, black]) => 255 - black - Math.round((ink * (255 - black)) / 255)),
    );
  });
});
