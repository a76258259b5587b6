import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createRateLimiter,
  rateLimit,
  rateLimitHeaders,
  rateLimitOf,
} from '../../../src/api/auth/rate-limit.ts';

describe(createRateLimiter, () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const limit = { requestsPerSecond: 2, burst: 4 };

  /** The remaining requests after each of some requests; "no" for one that is over the limit. */
  async function left(count: ReturnType<typeof createRateLimiter>, id: string, times: number, of = limit) {
    const states = [];
    for (let time = 0; time < times; time += 1) states.push(await count(id, of));
    return states.map(({ isExceeded, remaining }) => (isExceeded ? 'no' : remaining));
  }

  it('lets a burst through at once, and another one when the window is over', async () => {
    const count = createRateLimiter();
    expect(await left(count, 'a', 6)).toEqual([3, 2, 1, 0, 'no', 'no']);
    vi.advanceTimersByTime(1999);
    expect(await left(count, 'a', 1)).toEqual(['no']);
    vi.advanceTimersByTime(1);
    expect(await left(count, 'a', 5)).toEqual([3, 2, 1, 0, 'no']);
  });

  it('admits requests within the rate without end', async () => {
    const count = createRateLimiter();
    for (let time = 0; time < 100; time += 1) {
      expect((await count('a', limit)).isExceeded).toBe(false);
      vi.advanceTimersByTime(500);
    }
  });

  it('states in whole seconds when the next window begins', async () => {
    const count = createRateLimiter();
    expect((await count('a', limit)).resetSeconds).toBe(2);
    vi.advanceTimersByTime(999);
    expect((await count('a', limit)).resetSeconds).toBe(2);
    vi.advanceTimersByTime(1);
    expect((await count('a', limit)).resetSeconds).toBe(1);
    vi.advanceTimersByTime(999);
    expect((await count('a', limit)).resetSeconds).toBe(1);
  });

  it('counts each id separately', async () => {
    const count = createRateLimiter();
    expect(await left(count, 'a', 5)).toEqual([3, 2, 1, 0, 'no']);
    expect(await left(count, 'b', 2)).toEqual([3, 2]);
  });

  it('applies a new limit of an id at once', async () => {
    const count = createRateLimiter();
    expect(await left(count, 'a', 5)).toEqual([3, 2, 1, 0, 'no']);
    expect(await left(count, 'a', 2, { requestsPerSecond: 2, burst: 100 })).toEqual([99, 98]);
  });
});

describe(rateLimitOf, () => {
  const common = { requestsPerSecond: 10, burst: 50 };

  it.each([
    ['nothing', {}, undefined, undefined],
    ['the environment', {}, common, common],
    ['its own rate', { requests_per_second: 3 }, common, { requestsPerSecond: 3, burst: 3 }],
    ['its own burst', { burst: 7 }, common, { requestsPerSecond: 10, burst: 7 }],
    ['both', { requests_per_second: 0.5, burst: 7 }, undefined, { requestsPerSecond: 0.5, burst: 7 }],
    ['a burst without any rate', { burst: 7 }, undefined, undefined],
  ])('comes of %s', (_words, entry, environment, expected) => {
    expect(rateLimitOf(entry, environment)).toEqual(expected);
  });
});

describe(rateLimit, () => {
  it("has a burst of one second's requests, and of one at least", () => {
    expect(rateLimit(10)).toEqual({ requestsPerSecond: 10, burst: 10 });
    expect(rateLimit(0.1)).toEqual({ requestsPerSecond: 0.1, burst: 1 });
    expect(rateLimit(10, 3)).toEqual({ requestsPerSecond: 10, burst: 3 });
  });
});

describe(rateLimitHeaders, () => {
  it('contains quota and window, the remaining requests and the remaining time', () => {
    const state = {
      isExceeded: false,
      limit: { requestsPerSecond: 3, burst: 10 },
      remaining: 9,
      resetSeconds: 2,
    };
    expect(rateLimitHeaders(state)).toEqual({
      'RateLimit-Policy': '"key";q=10;w=4',
      RateLimit: '"key";r=9;t=2',
    });
  });
});
