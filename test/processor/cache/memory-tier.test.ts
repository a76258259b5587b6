import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryTier } from '../../../src/processor/cache/memory-tier.ts';

const bytes = (length: number, fill = 1) => new Uint8Array(length).fill(fill);

/** The keys of the list that are in the tier, requested in that order. */
async function present(tier: ReturnType<typeof createMemoryTier>, keys: readonly string[]) {
  const entries = await Promise.all(keys.map((key) => tier.get(key)));
  return keys.filter((_, at) => entries[at] !== undefined);
}

describe(createMemoryTier, () => {
  it('returns the bytes that were set last', async () => {
    const tier = createMemoryTier({ maxBytes: 100_000 });
    await tier.set('a', bytes(3, 1));
    await tier.set('a', bytes(3, 2));
    expect(await tier.get('a')).toEqual({ value: new Uint8Array([2, 2, 2]), ttlMs: undefined });
    expect(await tier.get('b')).toBeUndefined();
  });

  it('evicts the least recently used value when there is no room left', async () => {
    // Four entries of 10,000 bytes, with their keys and bookkeeping, fit into 45,000; five do not.
    const tier = createMemoryTier({ maxBytes: 45_000 });
    for (const key of ['a', 'b', 'c', 'd']) await tier.set(key, bytes(10_000));
    await tier.get('a');
    await tier.set('e', bytes(10_000));
    expect(await present(tier, ['a', 'b', 'c', 'd', 'e'])).toEqual(['a', 'c', 'd', 'e']);
  });

  it('never exceeds its limit of bytes, whatever is set and requested', async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
    const step = fc.oneof(
      fc.record({ key, length: fc.nat(40_000), ttlMs: fc.option(fc.nat(5), { nil: undefined }) }),
      fc.record({ key }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const tier = createMemoryTier({ maxBytes: 100_000 });
        for (const step of steps) {
          if ('length' in step) await tier.set(step.key, bytes(step.length), step.ttlMs);
          else await tier.get(step.key);
          expect(tier.bytes()).toBeLessThanOrEqual(100_000);
        }
        let held = 0;
        for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
          held += (await tier.get(name))?.value.buffer.byteLength ?? 0;
        }
        expect(held).toBeLessThanOrEqual(tier.bytes());
      }),
      { numRuns: 100 },
    );
  });

  // 9500 bytes are too many because of their bookkeeping.
  it.each([9500, 10_001])(
    'does not keep %i bytes if a quarter of its limit is 10,000, nor the value that they replace',
    async (length) => {
      const tier = createMemoryTier({ maxBytes: 40_000 });
      await tier.set('a', bytes(5000));
      await tier.set('b', bytes(5000));
      await tier.set('a', bytes(length));
      expect(await present(tier, ['a', 'b'])).toEqual(['b']);
      expect((await tier.get('b'))?.value).toHaveLength(5000);
    },
  );

  it('keeps nothing with a limit of 0', async () => {
    const tier = createMemoryTier({ maxBytes: 0 });
    await tier.set('a', bytes(0));
    expect(await tier.get('a')).toBeUndefined();
    expect(tier.bytes()).toBe(0);
  });

  it('drops a value when its time is over, and reports the remaining time before', async () => {
    let now = 1000;
    const tier = createMemoryTier({ maxBytes: 100_000, clock: { now: () => now } });
    await tier.set('a', bytes(1), 500);
    await tier.set('b', bytes(1));
    now = 1400;
    expect(await tier.get('a')).toMatchObject({ ttlMs: 100 });
    now = 1501;
    expect(await present(tier, ['a', 'b'])).toEqual(['b']);
  });

  it('drops a value that is set without time left', async () => {
    const tier = createMemoryTier({ maxBytes: 100_000 });
    await tier.set('a', bytes(1));
    await tier.set('a', bytes(2), 0);
    expect(await tier.get('a')).toBeUndefined();
  });

  it('does not keep the large buffer of a small view in memory', async () => {
    const tier = createMemoryTier({ maxBytes: 100_000 });
    const message = Buffer.alloc(1_000_000, 7);
    await tier.set('a', message.subarray(10, 14));
    const entry = await tier.get('a');
    expect(entry?.value).toEqual(new Uint8Array([7, 7, 7, 7]));
    expect(entry?.value.buffer.byteLength).toBe(4);
  });

  it('does not copy a value that fills its buffer', async () => {
    const tier = createMemoryTier({ maxBytes: 100_000 });
    const value = bytes(1000);
    await tier.set('a', value);
    expect((await tier.get('a'))?.value).toBe(value);
  });

  it('is empty after it is closed', async () => {
    const tier = createMemoryTier({ maxBytes: 100_000 });
    await tier.set('a', bytes(1));
    await tier.close();
    expect(await tier.get('a')).toBeUndefined();
  });
});
