import { describe, expect, it } from 'vitest';
import { rangeOfExpected, rangeOfGiven } from '../../../src/playground/skew/value-range.ts';

// level = 128 · value + 64, in the first channel.
const expected = rangeOfExpected(
  { width: 2, height: 1, channels: [Float32Array.of(1, -0.5), Float32Array.of(3, 3)] },
  Uint8ClampedArray.of(192, 10, 0, 255, 0, 10, 0, 255),
);

describe(rangeOfExpected, () => {
  it('finds the line between values and pixels, for each channel', () => {
    expect(expected.channels).toEqual([
      { factor: 128, offset: 64 },
      // Equal values have no slope.
      { factor: 0, offset: 10 },
    ]);
  });
});

describe(rangeOfGiven, () => {
  const extremes = { min: -0.4, max: 0.8 };

  it('is that of the expected tensor where scale, mean and std are the same', () => {
    expect(rangeOfGiven([{ name: 'filter', yours: 'bilinear' }], expected, extremes, 2)).toBe(expected);
  });

  it('takes the mean and std that were found', () => {
    const steps = [
      { name: 'mean', yours: '0.5, 0.25, 0' },
      { name: 'std', yours: '0.5' },
    ];
    const { channels, words } = rangeOfGiven(steps, expected, extremes, 3);
    expect(channels).toEqual([
      { factor: 127.5, offset: 127.5 },
      { factor: 127.5, offset: 63.75 },
      { factor: 127.5, offset: 0 },
    ]);
    expect(words).toBe('with the mean and std that were found');
    const named = rangeOfGiven(
      [
        { name: 'mean', yours: 'CLIP' },
        { name: 'std', yours: 'ImageNet' },
      ],
      expected,
      extremes,
      1,
    );
    expect(named.channels[0]?.offset).toBeCloseTo(255 * 0.481_454_66);
    expect(named.channels[0]?.factor).toBeCloseTo(255 * 0.229);
  });

  it.each([
    [{ min: 0, max: 0.9 }, 'from 0 as black to 1 as white'],
    [{ min: -1, max: 0.9 }, 'from −1 as black to 1 as white'],
    [{ min: 0, max: 255 }, 'from 0 as black to 255 as white'],
    [{ min: -117.2, max: 151.061 }, 'from −117 as black to 151 as white'],
  ])('is a usual range, or all values: %o', (range, words) => {
    const steps = [{ name: 'scale', yours: 'something new' }];
    const given = rangeOfGiven(steps, expected, range, 3);
    expect(given.words).toBe(words);
    const [{ factor, offset } = { factor: 0, offset: 0 }] = given.channels;
    expect(range.min * factor + offset).toBeGreaterThanOrEqual(-1e-9);
    expect(range.max * factor + offset).toBeLessThanOrEqual(255 + 1e-9);
  });
});
