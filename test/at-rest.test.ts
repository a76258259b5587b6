import { describe, expect, it } from 'vitest';
import { collectAll } from '../src/at-rest.ts';

function makeGarbage(): number {
  return Array.from({ length: 500_000 }, (_, index) => ({ index })).length;
}

describe(collectAll, () => {
  it('gives the memory of what nothing refers to back to the system', () => {
    collectAll();
    const { heapTotal: before } = process.memoryUsage();
    makeGarbage();
    const { heapTotal: full } = process.memoryUsage();
    expect(full).toBeGreaterThan(before + 5_000_000);
    collectAll();
    expect(process.memoryUsage().heapTotal).toBeLessThan(before + 3_000_000);
  });
});
