import { describe, expect, it } from 'vitest';
import { proportionsInWords } from '../../../src/playground/view/proportions.ts';

describe(proportionsInWords, () => {
  it.each([
    [[400, 3000], [1024, 768], 'Stretched 10 × in width: 400 × 3000 becomes 1024 × 768.'],
    [[1280, 960], [224, 224], 'Stretched 1.33 × in height: 1280 × 960 becomes 224 × 224.'],
    [[100, 100], [250, 100], 'Stretched 2.5 × in width: 100 × 100 becomes 250 × 100.'],
  ] as const)('warns of %j as %j', ([width, height], [toWidth, toHeight], expected) => {
    expect(proportionsInWords({ width, height }, { width: toWidth, height: toHeight })).toBe(expected);
  });

  it('says nothing of a difference that is only rounding', () => {
    expect(proportionsInWords({ width: 1280, height: 960 }, { width: 298, height: 224 })).toBeUndefined();
  });
});
