import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import * as z from 'zod';

/** How many requests a key may send: `burst` requests in every `burst / requestsPerSecond` seconds. */
export interface RateLimit {
  readonly requestsPerSecond: number;
  /** Requests that may come at once. */
  readonly burst: number;
}

/** The state of a key after a request. */
export interface RateState {
  readonly isExceeded: boolean;
  readonly limit: RateLimit;
  /** Requests that are left in this window. */
  readonly remaining: number;
  /** Whole seconds until the next window, at least 1. */
  readonly resetSeconds: number;
}

/** A limit of an entry's own, in a file of keys or secrets. */
export const ownRateLimit = {
  requests_per_second: z.number().min(0.001, 'at least 0.001').max(1_000_000, 'at most 1000000').optional(),
  burst: z.int('a whole number').min(1, 'at least 1').max(1_000_000, 'at most 1000000').optional(),
};

/** An entry's limit: its own where it has one, the rest from the environment's; undefined: none. */
export function rateLimitOf(
  entry: { readonly requests_per_second?: number | undefined; readonly burst?: number | undefined },
  common: RateLimit | undefined,
): RateLimit | undefined {
  const requestsPerSecond = entry.requests_per_second ?? common?.requestsPerSecond;
  if (requestsPerSecond === undefined) return undefined;
  const isCommonRate = entry.requests_per_second === undefined;
  return rateLimit(requestsPerSecond, entry.burst ?? (isCommonRate ? common?.burst : undefined));
}

/** A limit whose burst is one second's worth unless it is given. */
export function rateLimit(requestsPerSecond: number, burst?: number): RateLimit {
  return { requestsPerSecond, burst: burst ?? Math.max(1, Math.ceil(requestsPerSecond)) };
}

/**
 * Counts requests by id, in this process's memory: N replicas let N times as much through. A window begins with an
 * id's first request, so that windows of different ids don't begin together.
 */
export function createRateLimiter(): (id: string, limit: RateLimit) => Promise<RateState> {
  const limiters = new Map<string, { readonly limit: RateLimit; readonly limiter: RateLimiterMemory }>();

  function limiterOf(id: string, limit: RateLimit): RateLimiterMemory {
    const known = limiters.get(id);
    const isSame =
      known?.limit.burst === limit.burst && known.limit.requestsPerSecond === limit.requestsPerSecond;
    if (known !== undefined && isSame) return known.limiter;
    const limiter = new RateLimiterMemory({
      points: limit.burst,
      duration: limit.burst / limit.requestsPerSecond,
    });
    limiters.set(id, { limit, limiter });
    return limiter;
  }

  return async (id, limit) => {
    const isState = (thrown: unknown): thrown is RateLimiterRes => thrown instanceof RateLimiterRes;
    const limiter = limiterOf(id, limit);
    let isExceeded = false;
    const state = await limiter.consume(id).catch((thrown: unknown) => {
      // It rejects with the state of a key that is over its limit.
      if (!isState(thrown)) throw thrown;
      isExceeded = true;
      return thrown;
    });
    const resetSeconds = Math.max(1, Math.ceil(state.msBeforeNext / 1000));
    return { isExceeded, limit, remaining: state.remainingPoints, resetSeconds };
  };
}

/** RateLimit-Policy and RateLimit of draft-ietf-httpapi-ratelimit-headers-11: quota, window; remaining, time. */
export function rateLimitHeaders({ limit, remaining, resetSeconds }: RateState): Record<string, string> {
  const windowSeconds = Math.ceil(limit.burst / limit.requestsPerSecond);
  return {
    'RateLimit-Policy': `"key";q=${limit.burst};w=${windowSeconds}`,
    RateLimit: `"key";r=${remaining};t=${resetSeconds}`,
  };
}
