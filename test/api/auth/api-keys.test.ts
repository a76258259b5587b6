import { describe, expect, it } from 'vitest';
import { apiKeysFile, findApiKey, presentedApiKey } from '../../../src/api/auth/api-keys.ts';

// printf %s one | sha256sum; printf %s two | sha256sum
const one = '7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed';
const two = '3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3';

describe('apiKeysFile', () => {
  it('reads keys with their hash in either case, and limits of their own', () => {
    const { keys } = apiKeysFile.parse({
      keys: [
        { id: 'a', sha256: one, requests_per_second: 0.5, burst: 3 },
        { id: 'b', sha256: two.toUpperCase() },
      ],
    });
    expect(keys.map(({ id, sha256 }) => [id, sha256.toString('hex')])).toEqual([
      ['a', one],
      ['b', two],
    ]);
    expect(keys[0]).toMatchObject({ requests_per_second: 0.5, burst: 3 });
  });

  it('accepts an empty list, which refuses every key', () => {
    expect(findApiKey(apiKeysFile.parse({ keys: [] }).keys, 'one')).toBeUndefined();
  });

  it.each([
    ['no list', {}],
    ['an id with a blank', { keys: [{ id: 'a b', sha256: one }] }],
    [
      'an id twice',
      {
        keys: [
          { id: 'a', sha256: one },
          { id: 'a', sha256: two },
        ],
      },
    ],
    ['a key instead of its hash', { keys: [{ id: 'a', sha256: 'my-own-key' }] }],
    ['a hash cut off', { keys: [{ id: 'a', sha256: one.slice(1) }] }],
    ['an unknown member', { keys: [{ id: 'a', sha256: one, rps: 3 }] }],
    ['a rate of 0', { keys: [{ id: 'a', sha256: one, requests_per_second: 0 }] }],
    ['half a request', { keys: [{ id: 'a', sha256: one, burst: 0.5 }] }],
    [
      'more keys than are compared in no time',
      { keys: Array.from({ length: 1001 }, (_, id) => ({ id: `${id}`, sha256: one })) },
    ],
  ])('refuses %s', (_words, value) => {
    expect(apiKeysFile.safeParse(value).success).toBe(false);
  });
});

describe(findApiKey, () => {
  const { keys } = apiKeysFile.parse({
    keys: [
      { id: 'a', sha256: one },
      { id: 'b', sha256: two },
    ],
  });

  it('finds the entry of a key by its SHA-256', () => {
    expect(findApiKey(keys, 'one')?.id).toBe('a');
    expect(findApiKey(keys, 'two')?.id).toBe('b');
  });

  it.each(['', 'One', 'one ', 'three', one])('finds none for %j', (presented) => {
    expect(findApiKey(keys, presented)).toBeUndefined();
  });
});

describe(presentedApiKey, () => {
  const presented = (headers: Record<string, string>) => presentedApiKey((name) => headers[name]);

  it.each([
    [{ authorization: 'Bearer one' }, 'one'],
    [{ authorization: 'bearer  one ' }, 'one'],
    [{ 'x-api-key': 'one' }, 'one'],
    [{ 'x-api-key': 'one', authorization: 'Bearer of-a-proxy' }, 'one'],
    [{ 'x-api-key': '' }, undefined],
    [{ 'x-api-key': '', authorization: 'Bearer one' }, 'one'],
    [{ authorization: 'Basic b25lOnR3bw==' }, undefined],
    [{ authorization: 'Bearer' }, undefined],
    [{ authorization: 'Bearer one two' }, undefined],
    [{}, undefined],
  ])('of %j is %j', (headers, key) => {
    expect(presented(headers as Record<string, string>)).toBe(key);
  });
});
