import { describe, expect, it } from 'vitest';
import { naturalLog } from '../../../src/processor/image/natural-log.ts';
import { slices } from '../../../src/processor/image/views/slices.ts';

describe(naturalLog, () => {
  it('is rounded to the nearest double, where Math.log is not', () => {
    expect(naturalLog(9)).toBe(2 * naturalLog(3));
    expect(Math.log(9)).not.toBe(2 * Math.log(3));
  });

  // As Python's math.log.
  it.each([
    [1, 0],
    [0.7, -0.35667494393873245],
    [9, 2.1972245773362196],
    [1e300, 690.7755278982137],
    [1e-300, -690.7755278982137],
  ])('is that of C for %d', (value, expected) => {
    expect(naturalLog(value)).toBe(expected);
  });

  it('decides between two grids whose ratios are equally close, as Python does', () => {
    const views = { kind: 'slices', scale: 112, maxSlices: 36, multiple: 56, enlarges: true } as const;
    const [, cut] = slices.branches({ ...views, filter: 'bicubic' }, { width: 1986, height: 662 });
    const [resize] = cut?.steps ?? [];
    const { width = 1, height = 1 } = cut?.tiles ?? {};
    // 9 / 4 and 12 / 3 are equally close to 3. Math.log gives 9 columns.
    expect(resize).toMatchObject({ width: 12 * width, height: 3 * height });
  });
});
