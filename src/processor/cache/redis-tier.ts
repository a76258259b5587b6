import type { CacheTier } from './cache-tier.ts';
import { frameOverheadBytes, frameValue, unframeValue } from './frame.ts';
import { openRedisConnection } from './redis-connection.ts';

const mebibyte = 2 ** 20;
const hourMs = 3_600_000;

/** Limit of values being sent to Redis at once; further ones are dropped. */
const maxBytesOnTheWay = 64 * mebibyte;

/**
 * Stores values in a Redis that several processors share. If anything is wrong with Redis, `get` returns undefined and
 * `set` drops the value, within `timeoutMs` and usually at once. Neither ever rejects.
 *
 * @param options.url - redis:// or rediss://, with credentials and database if needed
 * @param options.keyPrefix - prefix of every key; default `image:v1:`
 * @param options.ttlMs - for values without their own time to live; default 24 hours
 * @param options.timeoutMs - for a reply; default 100. A Redis that needs longer is slower than the work
 * @param options.connectTimeoutMs - for a connection; no request waits for it; default 2000
 * @param options.pauseMs - time without requests to Redis after a failure; `onError` is called at most once in this
 *   time for failures of one kind; default 1000
 * @param options.maxValueBytes - larger values are not sent; default 16 MiB
 * @param options.clock - monotonic time in milliseconds, for the pauses after a refusal
 * @throws Error if `url` is not a Redis URL
 */
export function createRedisTier(options: {
  url: string;
  onError: (error: Error) => void;
  keyPrefix?: string;
  ttlMs?: number;
  timeoutMs?: number;
  connectTimeoutMs?: number;
  pauseMs?: number;
  maxValueBytes?: number;
  clock?: { now(): number };
}): CacheTier {
  const { url, onError, keyPrefix = 'image:v1:', clock = performance } = options;
  const { timeoutMs = 100, connectTimeoutMs = 2000, pauseMs = 1000 } = options;
  const { ttlMs: defaultTtlMs = 24 * hourMs, maxValueBytes = 16 * mebibyte } = options;
  const connection = openRedisConnection({ url, timeoutMs, connectTimeoutMs, pauseMs, onError });
  // A Redis that refuses writes (full, or a replica) still reads, so each direction has its own pause.
  const reading = createPause(pauseMs, clock);
  const writing = createPause(pauseMs, clock);
  const complaining = createPause(pauseMs, clock);
  let bytesOnTheWay = 0;

  function reportDamage(text: string): void {
    if (complaining.begin()) onError(new Error(text));
  }

  async function read(key: string) {
    try {
      return await connection.send((client) =>
        // GETRANGE, because GET would load any value that another program left under the key, even half a gigabyte.
        Promise.all([client.getRange(key, 0, maxValueBytes + frameOverheadBytes - 1), client.pTTL(key)]),
      );
    } catch (error) {
      const refusal = error as Error;
      // The fault is in one key, not in Redis. The next SET replaces the value.
      if (refusal.message.startsWith('WRONGTYPE')) reportDamage(refusal.message);
      else if (reading.begin()) onError(refusal);
      return undefined;
    }
  }

  return {
    name: 'redis',

    async get(key) {
      if (reading.isOn()) return undefined;
      const reply = await read(keyPrefix + key);
      if (reply === undefined) return undefined;
      const [framed, ttlMs] = reply;
      if (framed === null || framed.length === 0) return undefined;
      const value = unframeValue(key, framed);
      if (value === undefined) {
        reportDamage('a value in Redis is damaged or not ours; it counts as missing');
        return undefined;
      }
      if (ttlMs === noExpiry) return { value };
      return ttlMs > 0 ? { value, ttlMs } : undefined;
    },

    async set(key, value, ttlMs = defaultTtlMs) {
      if (ttlMs <= 0 || value.byteLength > maxValueBytes || writing.isOn()) return;
      if (bytesOnTheWay + value.byteLength > maxBytesOnTheWay) return;
      bytesOnTheWay += value.byteLength;
      try {
        await connection.send((client) =>
          client.set(keyPrefix + key, frameValue(key, value), {
            expiration: { type: 'PX', value: Math.ceil(ttlMs) },
          }),
        );
      } catch (error) {
        if (writing.begin()) onError(error as Error);
      } finally {
        bytesOnTheWay -= value.byteLength;
      }
    },

    close: () => connection.close(),
  };
}

/** PTTL's reply for a key that does not expire. */
const noExpiry = -1;

/** A period without requests. */
function createPause(pauseMs: number, clock: { now(): number }) {
  let until = Number.NEGATIVE_INFINITY;
  const isOn = () => clock.now() < until;
  return {
    isOn,
    /** False if it has already begun. */
    begin(): boolean {
      if (isOn()) return false;
      until = clock.now() + pauseMs;
      return true;
    },
  };
}
