import { describe, expect, it } from 'vitest';
import { roundPercentage } from '../../../src/playground/page/figures.ts';

describe(roundPercentage, () => {
  it.each([
    [0, '0 %'],
    [0.000_01, '< 0.01 %'],
    [0.0624, '6.24 %'],
    [0.931, '93 %'],
    [0.999_9, '99 %'],
    [1, '100 %'],
  ])('of %d is %s: only all is 100 %%, and only none is 0 %%', (share, expected) => {
    expect(roundPercentage(share)).toBe(expected);
  });
});
