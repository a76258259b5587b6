import { describe, expect, it } from 'vitest';
import { judgeAtRest, judgeLive, leastSquares } from './slope.ts';

const points = (values: readonly number[]) =>
  values.map((value, second): [number, number] => [second, value]);

describe(leastSquares, () => {
  it('finds the slope of a line, without noise', () => {
    expect(leastSquares(points([1, 3, 5, 7, 9, 11, 13, 15]))).toEqual({ perStep: 2, noise: 0 });
  });

  it('gives the interval of NumPy and a table: standard error 0.08694, t of 6 degrees 3.707', () => {
    const { perStep, noise } = leastSquares(
      points([0, 1, 2, 3, 4, 5, 6, 7].map((x) => x + (x % 2 ? 0.5 : -0.5))),
    );
    expect(perStep).toBeCloseTo(1.0476, 4);
    expect(noise).toBeCloseTo(0.08694 * 3.707, 2);
  });

  it('says of values that go up and down that their slope is noise', () => {
    const { perStep, noise } = leastSquares(points([5, 9, 4, 8, 6, 5, 9, 4, 7, 6, 5, 8]));
    expect(Math.abs(perStep)).toBeLessThan(noise);
  });
});

/** A look after each 500 requests; `noise` bytes go up and down. */
const looksAt = (bytesPerRequest: number, noise: number, start = 30e6) =>
  Array.from({ length: 10 }, (_, look): [number, number] => {
    const swing = [0, 1, -1, 0.5, -0.5][look % 5] as number;
    return [look * 500, start + bytesPerRequest * look * 500 + noise * swing];
  });

describe(judgeLive, () => {
  it('finds 120 bytes a request in 4500 requests, through noise of 20 KB', () => {
    expect(judgeLive(looksAt(120, 20_000))).toMatchObject({ verdict: 'grows' });
  });

  it('calls a slope flat whose interval is within the limit', () => {
    expect(judgeLive(looksAt(10, 20_000))).toMatchObject({ verdict: 'flat' });
  });

  it('does not know where the noise is more than the limit', () => {
    expect(judgeLive(looksAt(40, 200_000))).toMatchObject({ verdict: 'unknown' });
  });
});

describe(judgeAtRest, () => {
  it('takes pages that come and go for nothing, however high one look is', () => {
    expect(judgeAtRest(looksAt(0, 2e6))).toMatchObject({ verdict: 'flat' });
    expect(judgeAtRest([...looksAt(0, 1e6), [5000, 60e6]])).toMatchObject({ verdict: 'flat' });
  });

  it('finds a page that stays of each request', () => {
    expect(judgeAtRest(looksAt(4096, 1e6))).toMatchObject({ verdict: 'grows' });
  });
});
