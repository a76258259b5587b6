import { describe, expect, it } from 'vitest';
import { useKernels } from '../../../../src/processor/image/kernels/wasm.ts';

const mebibyte = 2 ** 20;

describe(useKernels, () => {
  it('returns memory that can be written to its end', () => {
    useKernels((arena) => {
      const first = arena.take(1000);
      const second = arena.take(mebibyte);
      arena.memory.fill(1, first, first + 1000);
      arena.memory.fill(2, second, second + mebibyte);
      expect(arena.memory[first + 999]).toBe(1);
      expect(arena.memory[second + mebibyte - 1]).toBe(2);
    });
  });

  it('keeps its memory for the next job', () => {
    useKernels((arena) => arena.take(3 * mebibyte));
    useKernels((arena) => expect(arena.memory.byteLength).toBeGreaterThan(3 * mebibyte));
  });

  it('releases the memory of an unusually large job', () => {
    useKernels((arena) => arena.take(65 * mebibyte));
    useKernels((arena) => expect(arena.memory.byteLength).toBeLessThan(mebibyte));
  });
});
