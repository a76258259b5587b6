import { LRUCache } from 'lru-cache';
import type { CacheTier } from './cache-tier.ts';

/**
 * Bytes per entry besides its key and value: about 460 on V8's heap (measured with 64-character keys on Node 26), the
 * rest for the allocator's rounding.
 */
const entryOverheadBytes = 1024;

/** A memory tier also reports the bytes that it counts for its entries. */
export interface MemoryTier extends CacheTier {
  readonly name: 'memory';
  bytes(): number;
}

/**
 * Keeps the most recently used values in this process, within `maxBytes` for values, keys and bookkeeping. A value that
 * takes more than a quarter of it is not kept, since it would evict too many others. 0 keeps nothing.
 *
 * @param options.clock - monotonic time in milliseconds, not starting at 0
 */
export function createMemoryTier(options: { maxBytes: number; clock?: { now(): number } }): MemoryTier {
  const maxEntryBytes = Math.floor(options.maxBytes / 4);
  const chargeBytes = (value: Uint8Array, key: string) =>
    value.buffer.byteLength + key.length * 2 + entryOverheadBytes;
  // lru-cache treats a limit of 0 as unlimited.
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
      // lru-cache treats a time to live of 0 as unlimited.
      if (ttlMs !== undefined && ttlMs <= 0) entries?.delete(key);
      // Too large in any case, so it is not copied first.
      else if (value.byteLength > maxEntryBytes) entries?.delete(key);
      else entries?.set(key, withoutSlack(value), ttlMs === undefined ? {} : { ttl: ttlMs });
    },

    async close() {
      entries?.clear();
    },
  };
}

/** A view of a few bytes keeps the whole buffer of a large message in memory, so such a view is copied. */
function withoutSlack(value: Uint8Array): Uint8Array {
  const slackBytes = value.buffer.byteLength - value.byteLength;
  return slackBytes > value.byteLength / 8 ? new Uint8Array(value) : value;
}
