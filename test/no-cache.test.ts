import { describe, expect, it } from 'vitest';
import { saysNoCache } from '../src/no-cache.ts';

describe(saysNoCache, () => {
  it.each([
    ['no-cache', true],
    ['No-Cache', true],
    ['max-age=0', true],
    ['max-stale=5, no-cache', true],
    ['max-age=60', false],
    ['no-store', false],
    ['x-no-cache', false],
    ['', false],
    [undefined, false],
  ])('of %j is %s', (cacheControl, expected) => {
    expect(saysNoCache(cacheControl)).toBe(expected);
  });
});
