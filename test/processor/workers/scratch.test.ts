import { describe, expect, it } from 'vitest';
import { outOfScratch, takeScratch } from '../../../src/processor/workers/scratch.ts';

describe(takeScratch, () => {
  it('returns the same memory again', () => {
    const first = takeScratch(1000);
    expect(takeScratch(500).buffer).toBe(first.buffer);
    expect(takeScratch(500)).toHaveLength(500);
  });

  it('keeps no buffer larger than 48 MiB', () => {
    const large = takeScratch(48 * 2 ** 20 + 1);
    expect(takeScratch(48 * 2 ** 20 + 1).buffer).not.toBe(large.buffer);
    expect(takeScratch(10).buffer).not.toBe(large.buffer);
  });
});

describe(outOfScratch, () => {
  it('copies only bytes that the next image would overwrite', () => {
    const pixels = takeScratch(3).fill(7);
    const kept = outOfScratch(pixels.subarray(1));
    takeScratch(3).fill(9);
    expect([...kept]).toEqual([7, 7]);
    const own = Uint8Array.of(1, 2);
    expect(outOfScratch(own)).toBe(own);
  });
});
