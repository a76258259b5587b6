import type { Plan } from '../image/plan.ts';

export type TierName = 'memory' | 'redis' | 'store';

/** A stored value. Do not change its bytes or transfer its buffer: later callers get the same value. */
export interface CacheEntry {
  readonly value: Uint8Array;
  /** Time left, in milliseconds. Unset: the entry does not expire. */
  readonly ttlMs?: number | undefined;
}

/** A store for values. It may drop any value at any time. */
export interface CacheTier {
  readonly name: TierName;
  /** @param plan - of the response; undefined for other values */
  get(key: string, plan?: Plan): Promise<CacheEntry | undefined>;
  /** @param ttlMs - time to live, in milliseconds. Unset: the tier decides */
  set(key: string, value: Uint8Array, ttlMs?: number): Promise<void>;
  close(): Promise<void>;
}
