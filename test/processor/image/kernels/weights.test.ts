import { describe, expect, it } from 'vitest';
import { computeWindows, reachedPixels } from '../../../../src/processor/image/kernels/weights.ts';

describe(computeWindows, () => {
  it('widens the filter by the scale when reducing', () => {
    // Distances 1/4, 1/4 and 3/4 of the triangle: 0.75, 0.75 and 0.25 of 1.75, times 2²².
    expect(computeWindows(4, 0, 4, 2, 'bilinear')).toEqual({
      starts: Int32Array.of(0, 1),
      offsets: Int32Array.of(0, 3, 6),
      weights: Int32Array.of(1797559, 1797559, 599186, 599186, 1797559, 1797559),
      fractionBits: 22,
    });
  });

  it('keeps the width of the filter when enlarging', () => {
    expect(computeWindows(2, 0, 2, 4, 'bilinear')).toEqual({
      starts: Int32Array.of(0, 0, 0, 1),
      offsets: Int32Array.of(0, 1, 3, 5, 6),
      weights: Int32Array.of(4194304, 3145728, 1048576, 1048576, 3145728, 4194304),
      fractionBits: 22,
    });
  });

  it('rounds negative weights like positive ones', () => {
    // Keys' cubic at 1/4, 1/4, 3/4 and 5/4 is (111, 111, 29, −9)/128. Their sum is 242: −9/242 · 2²² is −155986.51.
    const { weights } = computeWindows(4, 0, 4, 2, 'bicubic');
    expect([...weights.subarray(0, 4)]).toEqual([1923834, 1923834, 502623, -155987]);
  });

  it('omits weights of 0', () => {
    // At scale 1 the sinc is 0 at each of its neighbours.
    expect(computeWindows(9, 0, 9, 9, 'lanczos')).toEqual({
      starts: Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8),
      offsets: Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
      weights: new Int32Array(9).fill(2 ** 22),
      fractionBits: 22,
    });
  });

  it('accepts a part of the source, whose neighbours still count', () => {
    expect(computeWindows(10, 4, 6, 1, 'box')).toEqual({
      starts: Int32Array.of(4),
      offsets: Int32Array.of(0, 2),
      weights: Int32Array.of(2097152, 2097152),
      fractionBits: 22,
    });
    expect([...computeWindows(10, 4, 6, 1, 'bilinear').starts]).toEqual([3]);
  });

  it('computes the windows of a part of the result as they are in the whole', () => {
    const all = computeWindows(37, 1.5, 33.25, 20, 'lanczos');
    const some = computeWindows(37, 1.5, 33.25, 20, 'lanczos', 5, 9);
    const [from = 0, to] = [all.offsets[5], all.offsets[9]];
    expect(some).toEqual({
      starts: all.starts.subarray(5, 9),
      offsets: all.offsets.subarray(5, 10).map((offset) => offset - from),
      weights: all.weights.subarray(from, to),
      fractionBits: 22,
    });
  });
});

describe(reachedPixels, () => {
  it('counts the source pixels in the windows', () => {
    // 2 : 1, a triangle of 2 pixels to each side of the centres 1, 3, 5, …
    expect(reachedPixels(100, 0, 100, 50, 'bilinear')).toBe(100);
    expect(reachedPixels(100, 0, 100, 50, 'bilinear', 10, 11)).toBe(4);
    expect(reachedPixels(100, 0, 100, 50, 'bilinear', 10, 20)).toBe(22);
    expect(reachedPixels(100, 0, 100, 50, 'bilinear', 0, 1)).toBe(3);
    // Of pixels 40 to 60, centres 41 and 59.
    expect(reachedPixels(100, 40, 60, 10, 'bilinear')).toBe(22);
  });
});
