import { describe, expect, it } from 'vitest';
import { blockMedians, judge, leastSquares } from './slope.ts';

const points = (values: readonly number[]) =>
  values.map((value, second): [number, number] => [second, value]);

describe(leastSquares, () => {
  it('finds the slope of a line, without noise', () => {
    expect(leastSquares(points([1, 3, 5, 7, 9, 11, 13, 15]))).toEqual({ perSecond: 2, noise: 0 });
  });

  it('gives the interval of NumPy and a table: standard error 0.08694, t of 6 degrees 3.707', () => {
    const { perSecond, noise } = leastSquares(
      points([0, 1, 2, 3, 4, 5, 6, 7].map((x) => x + (x % 2 ? 0.5 : -0.5))),
    );
    expect(perSecond).toBeCloseTo(1.0476, 4);
    expect(noise).toBeCloseTo(0.08694 * 3.707, 2);
  });

  it('says of values that go up and down that their slope is noise', () => {
    const { perSecond, noise } = leastSquares(points([5, 9, 4, 8, 6, 5, 9, 4, 7, 6, 5, 8]));
    expect(Math.abs(perSecond)).toBeLessThan(noise);
  });
});

describe(judge, () => {
  const mebibytesAnHour = (count: number) => (count * 1024 ** 2) / 3600;
  const run = { requestsPerSecond: 20, seconds: 199, processes: 1 };

  it('calls 25.3 ± 5.4 MiB/h at 20 requests a second growth: 368 bytes a request', () => {
    const slope = { perSecond: mebibytesAnHour(25.3), noise: mebibytesAnHour(5.4) };
    expect(judge({ ...run, ...slope })).toBe('grows');
  });

  it('calls a slope flat whose interval is within the limit', () => {
    expect(judge({ ...run, perSecond: mebibytesAnHour(0.5), noise: mebibytesAnHour(1) })).toBe('flat');
  });

  it('does not know where the noise is more than the limit', () => {
    expect(judge({ ...run, perSecond: mebibytesAnHour(2.8), noise: mebibytesAnHour(5) })).toBe('unknown');
  });

  it('takes some pages for nothing', () => {
    expect(judge({ ...run, perSecond: 5000, noise: 0 })).toBe('unknown');
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
