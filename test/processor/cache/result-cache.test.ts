import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { CacheTier } from '../../../src/processor/cache/cache-tier.ts';
import { createMemoryTier } from '../../../src/processor/cache/memory-tier.ts';
import { createRedisTier } from '../../../src/processor/cache/redis-tier.ts';
import {
  createResultCache,
  type Found,
  type ResultCache,
} from '../../../src/processor/cache/result-cache.ts';
import { resultOf } from '../../../src/processor/outcome.ts';
import { startRedis } from '../../support/redis.ts';
import { redisServer } from '../../support/tools.ts';

const stays = () => new AbortController().signal;
const value = (...bytes: number[]) => new Uint8Array(bytes);
const keyed = (...keys: string[]) => keys.map((key) => ({ key }));
/** The outcome of computing a value, with a report. */
const computed = (value: Uint8Array, report = 'a report') => ({ result: { value, report } });

/** A cache with what it reported, as `redis hit`, `memory miss`, `redis error`. */
function openCache(tiers: CacheTier[]) {
  const reports: string[] = [];
  const cache = createResultCache<string>({
    tiers,
    onLookup: (tier, hit) => reports.push(`${tier} ${hit ? 'hit' : 'miss'}`),
    onError: (tier) => reports.push(`${tier} error`),
  });
  onTestFinished(() => cache.close());
  return { cache, reports };
}

/** The outcome of one key. */
async function computeOne(
  cache: ResultCache<string>,
  key: string,
  signal: AbortSignal,
  compute: (signal: AbortSignal) => Promise<Uint8Array>,
): Promise<Found> {
  const [outcome] = await cache.getOrCompute(keyed(key), signal, async (_, shared) => [
    computed(await compute(shared)),
  ]);
  return resultOf(outcome as NonNullable<typeof outcome>);
}

const memory = () => createMemoryTier({ maxBytes: 1_000_000 });

/** A tier in which everything fails, at once or with a rejection. */
const broken: CacheTier = {
  name: 'redis',
  get: () => Promise.reject(new Error('broken')),
  set: () => {
    throw new Error('broken');
  },
  close: () => Promise.reject(new Error('broken')),
};

async function connectedTier(url: string) {
  const tier = createRedisTier({ url, timeoutMs: 5000, onError: () => {} });
  await vi.waitFor(async () => {
    await tier.set('probe', value(0));
    expect(await tier.get('probe')).toBeDefined();
  });
  return tier;
}

describe(createResultCache, () => {
  it('computes a value once and then returns it from memory', async () => {
    const { cache, reports } = openCache([memory()]);
    const compute = vi.fn(async () => value(1, 2));
    expect(await computeOne(cache, 'a', stays(), compute)).toEqual({
      value: value(1, 2),
      from: 'computed',
      report: 'a report',
    });
    expect(await computeOne(cache, 'a', stays(), compute)).toEqual({ value: value(1, 2), from: 'memory' });
    expect(await cache.get('a')).toEqual({ value: value(1, 2), from: 'memory' });
    expect(compute).toHaveBeenCalledTimes(1);
    expect(reports).toEqual(['memory miss', 'memory hit', 'memory hit']);
  });

  it('computes once for all callers that request the same key at the same time', async () => {
    const { cache } = openCache([memory()]);
    const compute = vi.fn(async () => value(1));
    const outcomes = await Promise.all(
      ['a', 'a', 'a', 'b'].map((key) => computeOne(cache, key, stays(), compute)),
    );
    expect(outcomes.map(({ from }) => from)).toEqual(['computed', 'shared', 'shared', 'computed']);
    expect(compute).toHaveBeenCalledTimes(2);
  });

  it('continues for the remaining callers when the first caller leaves', async () => {
    const { cache } = openCache([memory()]);
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    const signals: AbortSignal[] = [];
    const compute = (signal: AbortSignal) => {
      signals.push(signal);
      return promise;
    };
    const first = new AbortController();
    const leaving = computeOne(cache, 'a', first.signal, compute);
    const staying = computeOne(cache, 'a', stays(), compute);
    // Both have missed in memory and are in the flight.
    await new Promise((resolve) => setImmediate(resolve));
    first.abort();
    await expect(leaving).rejects.toMatchObject({ reason: 'CANCELLED' });
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    resolve(value(1));
    expect(await staying).toEqual({ value: value(1), from: 'shared' });
  });

  it('computes all missing values of several keys together', async () => {
    const { cache } = openCache([memory()]);
    await cache.set('b', value(2));
    const compute = vi.fn(async (missing: readonly { readonly key: string }[]) =>
      missing.map(({ key }, index) => computed(value(index), `of ${key}`)),
    );
    expect(await cache.getOrCompute(keyed('a', 'b', 'c', 'a'), stays(), compute)).toEqual([
      { result: { value: value(0), from: 'computed', report: 'of a' } },
      { result: { value: value(2), from: 'memory' } },
      { result: { value: value(1), from: 'computed', report: 'of c' } },
      { result: { value: value(0), from: 'shared' } },
    ]);
    expect(compute.mock.calls.map(([missing]) => missing)).toEqual([keyed('a', 'c')]);
    expect(await cache.get('c')).toEqual({ value: value(1), from: 'memory' });
  });

  it('waits for keys that another call is computing, and computes the others', async () => {
    const { cache } = openCache([memory()]);
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    const first = computeOne(cache, 'a', stays(), () => promise);
    const requested: unknown[] = [];
    const both = cache.getOrCompute(keyed('a', 'b'), stays(), async (missing) => {
      requested.push(missing);
      resolve(value(7));
      return [computed(value(8))];
    });
    expect(await both).toEqual([
      { result: { value: value(7), from: 'shared' } },
      { result: { value: value(8), from: 'computed', report: 'a report' } },
    ]);
    expect(await first).toMatchObject({ value: value(7), from: 'computed' });
    expect(requested).toEqual([keyed('b')]);
  });

  it('fails only one key, and no caller that waits for another', async () => {
    const { cache } = openCache([memory()]);
    const bad = new Error('bad');
    const both = cache.getOrCompute(keyed('a', 'b'), stays(), async () => [
      { error: bad },
      computed(value(2)),
    ]);
    // Requested while the two are being computed.
    const other = computeOne(cache, 'b', stays(), async () => value(0));
    expect(await both).toMatchObject([{ error: bad }, { result: { value: value(2), from: 'computed' } }]);
    expect((await other).value).toEqual(value(2));
  });

  it('stops computing several keys when the last caller of any of them has left', async () => {
    const { cache } = openCache([memory()]);
    const [leaves, leavesLater] = [new AbortController(), new AbortController()];
    let working: AbortSignal | undefined;
    const started = Promise.withResolvers<void>();
    const both = cache.getOrCompute(keyed('a', 'b'), leaves.signal, (_, signal) => {
      working = signal;
      started.resolve();
      return new Promise(() => {});
    });
    await started.promise;
    const other = computeOne(cache, 'b', leavesLater.signal, async () => value(0)).catch(() => 'left');
    // It has joined once it has missed in memory.
    await new Promise(setImmediate);
    leaves.abort();
    expect(await both).toMatchObject([
      { error: { reason: 'CANCELLED' } },
      { error: { reason: 'CANCELLED' } },
    ]);
    expect(working?.aborted).toBe(false);
    leavesLater.abort();
    expect(await other).toBe('left');
    expect(working?.aborted).toBe(true);
  });

  it('does not store a failure', async () => {
    const { cache } = openCache([memory()]);
    const failing = computeOne(cache, 'a', stays(), () => Promise.reject(new Error('corrupt')));
    await expect(failing).rejects.toThrow('corrupt');
    expect(await cache.get('a')).toBeUndefined();
    expect(await computeOne(cache, 'a', stays(), async () => value(1))).toMatchObject({ from: 'computed' });
  });

  it('finds all keys of a call or none', async () => {
    const { cache } = openCache([memory()]);
    await cache.set('a', value(1));
    expect(await cache.getAll(keyed('a', 'b'))).toBeUndefined();
    await cache.set('b', value(2));
    expect(await cache.getAll(keyed('a', 'b'))).toEqual([
      { value: value(1), from: 'memory' },
      { value: value(2), from: 'memory' },
    ]);
  });

  it('serves and computes although every operation of a tier fails', async () => {
    const { cache, reports } = openCache([memory(), broken]);
    expect(await computeOne(cache, 'a', stays(), async () => value(1))).toMatchObject({ from: 'computed' });
    expect(await computeOne(cache, 'a', stays(), async () => value(2))).toMatchObject({
      value: value(1),
      from: 'memory',
    });
    expect(await cache.get('b')).toBeUndefined();
    await cache.set('b', value(3));
    await cache.close();
    expect(reports).toEqual([
      ...['memory miss', 'redis error', 'redis miss', 'redis error'],
      'memory hit',
      ...['memory miss', 'redis error', 'redis miss'],
      ...['redis error', 'redis error'],
    ]);
  });

  it('does not make a caller wait until a computed value is stored', async () => {
    const { promise: never } = Promise.withResolvers<void>();
    const slow: CacheTier = {
      name: 'redis',
      get: async () => undefined,
      set: () => never,
      close: async () => {},
    };
    const { cache } = openCache([memory(), slow]);
    expect(await computeOne(cache, 'a', stays(), async () => value(1))).toMatchObject({ from: 'computed' });
  });

  it('computes every time without any tier', async () => {
    const { cache } = openCache([]);
    await cache.set('a', value(9));
    expect(await cache.get('a')).toBeUndefined();
    expect(await computeOne(cache, 'a', stays(), async () => value(1))).toMatchObject({ from: 'computed' });
    expect(await computeOne(cache, 'a', stays(), async () => value(1))).toMatchObject({ from: 'computed' });
  });
});

describe.skipIf(redisServer === undefined)('createResultCache, with a redis-server', () => {
  it('finds another processor’s value in Redis, and from then on in memory', async () => {
    await using server = await startRedis();
    const one = openCache([memory(), await connectedTier(server.url)]);
    const two = openCache([memory(), await connectedTier(server.url)]);
    await computeOne(one.cache, 'a', stays(), async () => value(1, 2));
    await one.cache.close();

    const compute = vi.fn(async () => value(3));
    const found = await computeOne(two.cache, 'a', stays(), compute);
    expect({ ...found, value: [...found.value] }).toEqual({ value: [1, 2], from: 'redis' });
    expect(await computeOne(two.cache, 'a', stays(), compute)).toMatchObject({ from: 'memory' });
    expect(compute).not.toHaveBeenCalled();
    expect(two.reports).toEqual(['memory miss', 'redis hit', 'memory hit']);
  });

  it('requests a key from Redis once for all callers at the same time', async () => {
    await using server = await startRedis();
    const redis = await connectedTier(server.url);
    await redis.set('a', value(1));
    const { cache, reports } = openCache([memory(), redis]);
    const compute = vi.fn(async () => value(2));
    const outcomes = await Promise.all([1, 2, 3].map(() => computeOne(cache, 'a', stays(), compute)));
    expect(outcomes.map(({ from }) => from)).toEqual(['redis', 'redis', 'redis']);
    expect(reports.filter((report) => report.startsWith('redis'))).toEqual(['redis hit']);
  });

  it('keeps a record in memory no longer than Redis would', async () => {
    await using server = await startRedis();
    const redis = await connectedTier(server.url);
    await redis.set('a', value(1), 60_000);
    let now = 1;
    const { cache } = openCache([
      createMemoryTier({ maxBytes: 1_000_000, clock: { now: () => now } }),
      redis,
    ]);
    expect(await cache.get('a')).toMatchObject({ from: 'redis' });
    expect(await cache.get('a')).toMatchObject({ from: 'memory' });
    now = 60_002;
    expect(await cache.get('a')).toMatchObject({ from: 'redis' });
  });

  it('responds while Redis is frozen', async () => {
    await using server = await startRedis();
    const redis = createRedisTier({ url: server.url, onError: () => {} });
    const { cache } = openCache([memory(), redis]);
    await vi.waitFor(async () => {
      await redis.set('probe', value(0));
      expect(await redis.get('probe')).toBeDefined();
    });
    server.freeze();
    expect(await computeOne(cache, 'a', stays(), async () => value(1))).toMatchObject({ from: 'computed' });
    await cache.set('b', value(2), 1000);
    expect(await cache.get('b')).toMatchObject({ from: 'memory' });
  });
});
