import { describe, expect, it } from 'vitest';
import { differenceOf, heatColour } from '../../../src/playground/compare/difference.ts';

describe(differenceOf, () => {
  it('compares red, green and blue, and never alpha', () => {
    const a = new Uint8ClampedArray([10, 20, 30, 255, 0, 0, 0, 255]);
    const b = new Uint8ClampedArray([10, 21, 24, 255, 0, 0, 0, 9]);
    expect(differenceOf(a, b)).toEqual({
      max: 6,
      mean: 7 / 6,
      shareDifferent: 2 / 6,
      shareOverOne: 1 / 6,
      perPixel: new Uint8Array([6, 0]),
    });
  });

  it('refuses images of two sizes', () => {
    expect(() => differenceOf(new Uint8ClampedArray(4), new Uint8ClampedArray(8))).toThrow('different sizes');
  });
});

describe(heatColour, () => {
  it('goes from nearly black to pale yellow, and no further', () => {
    expect([heatColour(0), heatColour(0.5), heatColour(1), heatColour(7)]).toEqual([
      [8, 8, 16],
      [184, 60, 81],
      [252, 255, 164],
      [252, 255, 164],
    ]);
  });
});
