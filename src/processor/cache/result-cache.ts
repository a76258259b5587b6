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

export interface ResultCache {
  get(key: string): Promise<{ value: Uint8Array; tier: TierName } | undefined>;
  /**
   * The value from the first tier that has it, or else from `compute`, which runs once for all who ask for
   * the same key while it does. Nobody waits for Redis to store what was computed.
   *
   * @param compute - gets a signal that aborts when every caller has left; what it throws isn't remembered
   * @returns the value and where it came from: `computed` for the caller whose `compute` ran, `shared` for
   *   those who joined it
   * @throws what `compute` throws; Failure CANCELLED or DEADLINE_EXCEEDED when the caller's signal aborts
   */
  getOrCompute(
    key: string,
    signal: AbortSignal,
    compute: (signal: AbortSignal) => Promise<Uint8Array>,
  ): Promise<{ value: Uint8Array; from: TierName | 'computed' | 'shared' }>;
  /** Keeps the value in every tier. Never rejects and need not be waited for. */
  set(key: string, value: Uint8Array, ttlMs?: number): Promise<void>;
  close(): Promise<void>;
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
  const flights = createSingleFlight<{ value: Uint8Array; from: TierName | 'computed' }>();

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

  return {
    get: (key) => lookUp(tiers, key),

    async getOrCompute(key, signal, compute) {
      const atHand = await lookUp(near, key);
      if (atHand !== undefined) return { value: atHand.value, from: atHand.tier };

      const { value: result, shared } = await flights.run(key, signal, async (workSignal) => {
        const found = await lookUp(far, key);
        if (found !== undefined) return { value: found.value, from: found.tier };
        if (workSignal.aborted) throw failureFromAbort(workSignal);
        const value = await compute(workSignal);
        void store(tiers, key, value);
        return { value, from: 'computed' };
      });
      return { value: result.value, from: shared && result.from === 'computed' ? 'shared' : result.from };
    },

    set: (key, value, ttlMs) => store(tiers, key, value, ttlMs),

    async close() {
      await Promise.all(tiers.map((tier) => attempt(tier, () => tier.close())));
    },
  };
}
