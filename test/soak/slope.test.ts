import { describe, expect, it } from 'vitest';
import { blockMedians, theilSen } from './slope.ts';

const points = (values: readonly number[]) =>
  values.map((value, second): [number, number] => [second, value]);

describe(theilSen, () => {
  it('finds the slope of a line, without noise', () => {
    expect(theilSen(points([1, 3, 5, 7, 9, 11, 13, 15]))).toEqual({ perSecond: 2, noise: 0 });
  });

  it('is not moved by a wild point', () => {
    expect(theilSen(points([1, 2, 3, 4, 5000, 6, 7, 8, 9, 10])).perSecond).toBe(1);
  });

  it('says of values that go up and down that its slope is noise', () => {
    const { perSecond, noise } = theilSen(points([5, 9, 4, 8, 6, 5, 9, 4, 7, 6, 5, 8]));
    expect(Math.abs(perSecond)).toBeLessThan(noise);
  });
});

describe(blockMedians, () => {
  it('gives the median of each block at its middle', () => {
    expect(blockMedians(points([1, 100, 2, 10, 30, 20]), 2)).toEqual([
      [1, 2],
      [4, 20],
    ]);
  });
});
