import { describe, expect, it } from 'vitest';
import { createMemoryPool } from '../src/memory-pool.ts';

const kilobyte = 1024;
const megabyte = 1024 * kilobyte;

describe(createMemoryPool, () => {
  it('gives memory again that was given back, to whom it is large enough and not twice too large for', () => {
    const pool = createMemoryPool();
    const first = pool.take(megabyte);
    pool.give(first);
    expect(pool.freeBytes).toBe(megabyte);
    expect(pool.take(megabyte + 1)).not.toBe(first);
    expect(pool.take(megabyte / 2)).not.toBe(first);
    expect(pool.take(megabyte / 2 + 1)).toBe(first);
    expect(pool.freeBytes).toBe(0);
  });

  it('gives nobody what another one has', () => {
    const pool = createMemoryPool();
    const first = pool.take(megabyte);
    const second = pool.take(megabyte);
    expect(second).not.toBe(first);
    pool.give(second);
    expect(pool.take(megabyte)).toBe(second);
    expect(pool.take(megabyte)).not.toBe(second);
  });

  it('gives as much as is asked for, rounded up to steps of 64 KiB', () => {
    const pool = createMemoryPool();
    expect(pool.take(800_000).length).toBe(13 * 64 * kilobyte);
    expect(pool.take(megabyte).length).toBe(megabyte);
    expect(pool.take(1000).length).toBe(1000);
  });

  it('keeps no more than its limit, and of that what came last', () => {
    const pool = createMemoryPool(2 * megabyte);
    const three = [pool.take(megabyte), pool.take(megabyte), pool.take(megabyte)];
    for (const memory of three) pool.give(memory);
    expect(pool.freeBytes).toBe(2 * megabyte);
    expect([pool.take(megabyte), pool.take(megabyte)]).toEqual([three[2], three[1]]);
    expect(three).not.toContain(pool.take(megabyte));
    pool.give(pool.take(3 * megabyte));
    expect(pool.freeBytes).toBe(0);
  });

  it('does not keep what is short', () => {
    const pool = createMemoryPool();
    pool.give(pool.take(1000));
    expect(pool.freeBytes).toBe(0);
  });
});
