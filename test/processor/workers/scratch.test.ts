import { describe, expect, it } from 'vitest';
import { freePixels, outOfScratch, takeScratch } from '../../../src/processor/workers/scratch.ts';

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

describe(freePixels, () => {
  it('frees memory of its own', () => {
    const pixels = Uint8Array.of(1, 2, 3);
    freePixels(pixels, Uint8Array.of(1));
    expect(pixels).toHaveLength(0);
  });

  it('keeps scratch memory, also where pixels take all of it', () => {
    const all = takeScratch(1);
    const pixels = new Uint8Array(all.buffer);
    freePixels(pixels);
    expect(takeScratch(1).buffer).toBe(pixels.buffer);
    expect(pixels.length).toBeGreaterThan(0);
  });

  it('keeps pixels that are still read, and those in a larger buffer', () => {
    const [read, larger] = [new Uint8Array(8), new Uint8Array(8)];
    freePixels(new Uint8Array(read.buffer), read.subarray(2));
    freePixels(larger.subarray(1));
    expect([read.length, larger.length]).toEqual([8, 8]);
  });
});
