import { failureFromAbort } from '../../failures.ts';
import { createSingleFlight } from '../single-flight.ts';

export type TierName = 'memory' | 'redis';

/** A stored value. Nobody may change its bytes or transfer its buffer: whoever asks next gets the same one. */
export interface CacheEntry {
  readonly value: Uint8Array;
  /** Milliseconds that it has left; undefined if it doesn't expire. */
  readonly ttlMs?: number | undefined;
}

/** A place where results are kept. A tier may forget whatever it likes. */
export interface CacheTier {
  readonly name: TierName;
  get(key: string): Promise<CacheEntry | undefined>;
  /** Without `ttlMs` the tier keeps the value for as long as it likes. */
  set(key: string, value: Uint8Array, ttlMs?: number): Promise<void>;
  close(): Promise<void>;
}

export interface CachedOrComputed {
  readonly value: Uint8Array;
  readonly from: TierName | 'computed' | 'shared';
}

/** What came of one of several pieces of work. */
export type Outcome<T> = { readonly result: T } | { readonly error: unknown };

export interface ResultCache {
  get(key: string): Promise<{ value: Uint8Array; tier: TierName } | undefined>;
  /**
   * For each key the value from the first tier that has it, or else from `compute`, which runs once for all who ask
   * for the same key while it does, and together for all keys that are missing. Nobody waits for Redis to store what
   * was computed.
   *
   * @param compute - gets the indices of the keys that are missing and nobody is computing yet, and a signal that
   *   aborts when every caller of all of these has left. Gives an outcome for each: who waits for one key alone
   *   must not fail with another. What it throws isn't remembered
   * @returns an outcome for each key, in their order: the value and where it came from, `computed` for the caller
   *   whose `compute` ran and `shared` for those who joined it; or the error, Failure CANCELLED or DEADLINE_EXCEEDED
   *   when the caller's signal aborts
   */
  getOrCompute(
    keys: readonly string[],
    signal: AbortSignal,
    compute: (indices: readonly number[], signal: AbortSignal) => Promise<readonly Outcome<Uint8Array>[]>,
  ): Promise<readonly Outcome<CachedOrComputed>[]>;
  /** Keeps the value in every tier. Never rejects and need not be waited for. */
  set(key: string, value: Uint8Array, ttlMs?: number): Promise<void>;
  close(): Promise<void>;
}

interface Computed {
  readonly value: Uint8Array;
  readonly from: TierName | 'computed';
}

/** A key whose value is in no tier, and who waits for it. */
interface Need {
  readonly index: number;
  readonly key: string;
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal;
  resolve(value: Computed): void;
  reject(error: unknown): void;
}

/** Aborts with the last of the signals. */
function whenAllAbort(signals: readonly AbortSignal[]): AbortSignal {
  const all = new AbortController();
  const check = () => {
    if (signals.every(({ aborted }) => aborted)) all.abort(signals.at(-1)?.reason);
  };
  for (const signal of signals) signal.addEventListener('abort', check, { once: true });
  check();
  return all.signal;
}

/**
 * Results by key in tiers, the nearest first. A tier that fails is told to `onError` and counts as a miss:
 * a cache never fails a request.
 */
export function createResultCache(options: {
  tiers: readonly CacheTier[];
  onLookup?: (tier: TierName, hit: boolean) => void;
  onError?: (tier: TierName, error: unknown) => void;
}): ResultCache {
  const { tiers, onLookup, onError } = options;
  // A hit in memory is too cheap to be worth a flight; a look into Redis is not.
  const near = tiers.filter((tier) => tier.name === 'memory');
  const far = tiers.filter((tier) => tier.name !== 'memory');
  const flights = createSingleFlight<Computed>();

  async function attempt<T>(tier: CacheTier, action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      onError?.(tier.name, error);
      return undefined;
    }
  }

  async function lookUp(among: readonly CacheTier[], key: string) {
    for (const tier of among) {
      const entry = await attempt(tier, () => tier.get(key));
      onLookup?.(tier.name, entry !== undefined);
      if (entry !== undefined) {
        const missed = tiers.slice(0, tiers.indexOf(tier));
        void store(missed, key, entry.value, entry.ttlMs);
        return { value: entry.value, tier: tier.name };
      }
    }
    return undefined;
  }

  async function store(
    into: readonly CacheTier[],
    key: string,
    value: Uint8Array,
    ttlMs?: number,
  ): Promise<void> {
    await Promise.all(into.map((tier) => attempt(tier, () => tier.set(key, value, ttlMs))));
  }

  type Compute = Parameters<ResultCache['getOrCompute']>[2];

  /** What is in no far tier either is computed in one go when that is known of all keys. */
  function flyTogether(keys: readonly string[], missing: readonly number[], signal: AbortSignal) {
    const lookups: Promise<unknown>[] = [];
    const needs: Need[] = [];
    const arrivals = missing.map((index) => {
      const key = keys[index] as string;
      // Called at once or not at all, because the key is in the air already.
      return flights.run(key, signal, (workSignal) => {
        const lookup = lookUp(far, key);
        lookups.push(lookup);
        return lookup.then((found) =>
          found === undefined
            ? new Promise((resolve, reject) =>
                needs.push({ index, key, signal: workSignal, resolve, reject }),
              )
            : { value: found.value, from: found.tier },
        );
      });
    });
    const needed = Promise.all(lookups).then(() => needs);
    return { arrivals, needed };
  }

  async function fulfil(needs: readonly Need[], compute: Compute): Promise<void> {
    if (needs.length === 0) return;
    const signal = whenAllAbort(needs.map((need) => need.signal));
    try {
      if (signal.aborted) throw failureFromAbort(signal);
      const outcomes = await compute(
        needs.map(({ index }) => index),
        signal,
      );
      for (const [at, { key, resolve, reject }] of needs.entries()) {
        const outcome = outcomes[at] as Outcome<Uint8Array>;
        if ('error' in outcome) {
          reject(outcome.error);
        } else {
          void store(tiers, key, outcome.result);
          resolve({ value: outcome.result, from: 'computed' });
        }
      }
    } catch (error) {
      for (const { reject } of needs) reject(error);
    }
  }

  async function getOrCompute(
    keys: readonly string[],
    signal: AbortSignal,
    compute: Compute,
  ): Promise<readonly Outcome<CachedOrComputed>[]> {
    const found = await Promise.all(keys.map((key) => lookUp(near, key)));
    const missing = [...keys.keys()].filter((index) => found[index] === undefined);
    const { arrivals, needed } = flyTogether(keys, missing, signal);
    void needed.then((needs) => fulfil(needs, compute));
    const landed = await Promise.allSettled(arrivals);
    return keys.map((_, index): Outcome<CachedOrComputed> => {
      const atHand = found[index];
      if (atHand !== undefined) return { result: { value: atHand.value, from: atHand.tier } };
      const arrival = landed[missing.indexOf(index)] as (typeof landed)[number];
      if (arrival.status === 'rejected') return { error: arrival.reason };
      const { value, shared } = arrival.value;
      const from = shared && value.from === 'computed' ? 'shared' : value.from;
      return { result: { value: value.value, from } };
    });
  }

  return {
    get: (key) => lookUp(tiers, key),

    getOrCompute,

    set: (key, value, ttlMs) => store(tiers, key, value, ttlMs),

    async close() {
      await Promise.all(tiers.map((tier) => attempt(tier, () => tier.close())));
    },
  };
}
