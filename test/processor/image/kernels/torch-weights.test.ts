import { describe, expect, it } from 'vitest';
import { computeTorchWindows } from '../../../../src/processor/image/kernels/torch-weights.ts';

describe(computeTorchWindows, () => {
  it('uses as many fraction bits as fit the largest weight into 16 bits', () => {
    // Distances 1/4, 1/4 and 3/4 of the triangle: 3/7, 3/7 and 1/7. 3/7 · 2¹⁶ is 28087; 2¹⁷ would be 56174.
    expect(computeTorchWindows(0, 4, 2, 'bilinear')).toEqual({
      starts: Int32Array.of(0, 1),
      offsets: Int32Array.of(0, 3, 6),
      weights: Int32Array.of(28087, 28087, 9362, 9362, 28087, 28087),
      fractionBits: 16,
    });
  });

  it('weighs by the cubic of Keys with a = −0.5', () => {
    // Keys' cubic at 1/4, 1/4, 3/4 and 5/4 is (111, 111, 29, −9)/128. Their sum is 242: −9/242 · 2¹⁶ is −2437.3.
    const { weights } = computeTorchWindows(0, 4, 2, 'bicubic');
    expect([...weights.subarray(0, 4)]).toEqual([30060, 30060, 7853, -2437]);
  });

  it('uses at most 22 fraction bits, however small the weights', () => {
    expect(computeTorchWindows(0, 100_000, 1, 'bilinear').fractionBits).toBe(22);
  });

  it('uses no pixel outside of the part that is resampled', () => {
    const whole = computeTorchWindows(0, 4, 2, 'bilinear');
    expect(computeTorchWindows(3, 7, 2, 'bilinear')).toEqual({ ...whole, starts: Int32Array.of(3, 4) });
  });

  it('uses the precision of the whole result for a part of it', () => {
    const all = computeTorchWindows(0, 37, 20, 'lanczos');
    const some = computeTorchWindows(0, 37, 20, 'lanczos', 5, 9);
    const [from = 0, to] = [all.offsets[5], all.offsets[9]];
    expect(some).toEqual({
      starts: all.starts.subarray(5, 9),
      offsets: all.offsets.subarray(5, 10).map((offset) => offset - from),
      weights: all.weights.subarray(from, to),
      fractionBits: all.fractionBits,
    });
  });
});
