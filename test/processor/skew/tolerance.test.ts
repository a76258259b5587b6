import { describe, expect, it } from 'vitest';
import { isWithin } from '../../../src/processor/skew/tolerance.ts';

const difference = { isEqual: false, differingShare: 0.5, meanAbs: 0.1, maxAbs: 0.25, percentiles: [] };
const shape = { shape: [1, 3, 8, 9] };

describe(isWithin, () => {
  it('accepts a difference up to each limit, the limit included', () => {
    expect(isWithin(difference, shape, shape, { max: 0.25 })).toBe(true);
    expect(isWithin(difference, shape, shape, { max: 0.24 })).toBe(false);
    expect(isWithin(difference, shape, shape, { max: 0.25, mean: 0.1, share: 0.5 })).toBe(true);
    expect(isWithin(difference, shape, shape, { max: 1, mean: 0.09 })).toBe(false);
    expect(isWithin(difference, shape, shape, { mean: 1, share: 0.49 })).toBe(false);
  });

  it('ignores axes of length 1, and no other difference of shapes', () => {
    expect(isWithin(difference, { shape: [3, 8, 9] }, shape, { max: 1 })).toBe(true);
    expect(isWithin(difference, { shape: [1, 8, 9, 3] }, shape, { max: 1 })).toBe(false);
    expect(isWithin(undefined, { shape: [3, 8, 8] }, shape, { max: 1 })).toBe(false);
  });

  it('refuses a difference that is no number', () => {
    expect(isWithin({ ...difference, maxAbs: Number.NaN }, shape, shape, { max: 1 })).toBe(false);
  });
});
