import { LRUCache } from 'lru-cache';
import type { CacheTier } from './cache-tier.ts';

/**
 * What an entry takes beside its key and value, in bytes: about 460 on V8's heap (measured with 64-character
 * keys on Node 26), the rest for the allocator's rounding.
 */
const entryOverheadBytes = 1024;

/** A memory tier also tells how many bytes it charges for what it holds. */
export interface MemoryTier extends CacheTier {
  readonly name: 'memory';
  bytes(): number;
}

/**
 * Keeps the values used last, in this process, within `maxBytes` for values, keys and bookkeeping. A value
 * that takes more than a quarter of it isn't kept: it would throw out too many others. 0 keeps nothing.
 *
 * @param options.clock - milliseconds that only grow and don't start at 0
 */
export function createMemoryTier(options: { maxBytes: number; clock?: { now(): number } }): MemoryTier {
  const maxEntryBytes = Math.floor(options.maxBytes / 4);
  const chargeBytes = (value: Uint8Array, key: string) =>
    value.buffer.byteLength + key.length * 2 + entryOverheadBytes;
  // lru-cache takes a bound of 0 for none at all.
  const entries =
    maxEntryBytes === 0
      ? undefined
      : new LRUCache<string, Uint8Array>({
          maxSize: options.maxBytes,
          maxEntrySize: maxEntryBytes,
          sizeCalculation: chargeBytes,
          ttlResolution: 0,
          perf: options.clock ?? performance,
        });

  return {
    name: 'memory',
    bytes: () => entries?.calculatedSize ?? 0,

    async get(key) {
      const value = entries?.get(key);
      if (value === undefined) return undefined;
      const ttlMs = entries?.getRemainingTTL(key);
      return { value, ttlMs: ttlMs === Number.POSITIVE_INFINITY ? undefined : ttlMs };
    },

    async set(key, value, ttlMs) {
      // lru-cache takes a time to live of 0 for eternity.
      if (ttlMs !== undefined && ttlMs <= 0) entries?.delete(key);
      // Too large in any case: don't copy it first.
      else if (value.byteLength > maxEntryBytes) entries?.delete(key);
      else entries?.set(key, withoutSlack(value), ttlMs === undefined ? {} : { ttl: ttlMs });
    },

    async close() {
      entries?.clear();
    },
  };
}

/** A view keeps the whole of its buffer alive, be it a few bytes of a large message: such a one is copied. */
function withoutSlack(value: Uint8Array): Uint8Array {
  const slackBytes = value.buffer.byteLength - value.byteLength;
  return slackBytes > value.byteLength / 8 ? new Uint8Array(value) : value;
}
