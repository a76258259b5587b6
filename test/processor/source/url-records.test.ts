import { describe, expect, it } from 'vitest';
import { createRequestHeaders } from '../../../src/processor/source/request-headers.ts';
import type { OriginResponse } from '../../../src/processor/source/response-image.ts';
import { createUrlRecords, type RecordStore } from '../../../src/processor/source/url-records.ts';

const sha256 = 'a'.repeat(64);
const otherSha256 = 'b'.repeat(64);
const url = 'http://images.example/a.png';
const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;

/** Records in a Map, with a clock that the test sets. It starts at noon of 1 November 2026. */
function startRecords() {
  const entries = new Map<string, { value: Uint8Array; ttlMs: number }>();
  const clock = { now: Date.UTC(2026, 10, 1, 12) };
  const store: RecordStore = {
    get: async (key) => entries.get(key)?.value,
    set: (key, value, ttlMs) => {
      entries.set(key, { value, ttlMs });
    },
  };
  return {
    records: createUrlRecords(store, () => clock.now, createRequestHeaders('image-processor')),
    entries,
    clock,
  };
}

function response(headers: Record<string, string>, status = 200, of = url): OriginResponse {
  return { url: of, status, headers };
}

/** Stores the response, waits, and returns the record at that time. */
async function knownAfter(milliseconds: number, ...responses: readonly OriginResponse[]) {
  const { records, clock } = startRecords();
  records.keep(url, responses, sha256, undefined);
  clock.now += milliseconds;
  return records.find(url);
}

describe(createUrlRecords, () => {
  it.each([
    ['max-age', { 'cache-control': 'max-age=60' }],
    ['max-age in capitals', { 'cache-control': 'Max-Age=60, Public' }],
    ['s-maxage, which goes before max-age', { 'cache-control': 'max-age=1, s-maxage=60' }],
    ['Expires', { date: 'Sun, 01 Nov 2026 12:00:00 GMT', expires: 'Sun, 01 Nov 2026 12:01:00 GMT' }],
    ['Age taken off', { 'cache-control': 'max-age=100', age: '40' }],
    ['must-revalidate beside', { 'cache-control': 'max-age=60, must-revalidate, proxy-revalidate' }],
    ['a cookie that is public', { 'cache-control': 'public, max-age=60', 'set-cookie': 'a=1' }],
    ['Vary by what is always the same', { 'cache-control': 'max-age=60', vary: 'Accept, Accept-Encoding' }],
  ])('is fresh for 60 seconds: %s', async (_words, headers) => {
    expect(await knownAfter(59 * second, response(headers))).toMatchObject({ sha256, isFresh: true });
    expect((await knownAfter(60 * second, response(headers)))?.isFresh ?? false).toBe(false);
  });

  it.each([
    ['no-store', { 'cache-control': 'no-store, max-age=60', etag: '"v1"' }],
    ['no-store in capitals', { 'cache-control': 'No-Store', etag: '"v1"' }],
    ['private', { 'cache-control': 'private, max-age=60', etag: '"v1"' }],
    ['no word about freshness and no validator', {}],
    ['no-cache and no validator', { 'cache-control': 'no-cache' }],
    ['max-age=0 and no validator', { 'cache-control': 'max-age=0' }],
    ['Expires of the past and no validator', { expires: '0' }],
    ['Vary by everything and no validator', { 'cache-control': 'max-age=60', vary: '*' }],
    ['a cookie and no validator', { 'cache-control': 'max-age=60', 'set-cookie': 'a=1' }],
  ])('keeps nothing for %s', async (_words, headers) => {
    const { records, entries } = startRecords();
    records.keep(url, [response(headers)], sha256, undefined);
    expect(entries.size).toBe(0);
    expect(await records.find(url)).toBeUndefined();
  });

  it.each([
    ['no-cache', { 'cache-control': 'no-cache', etag: '"v1"' }, { 'if-none-match': '"v1"' }],
    ['Pragma', { pragma: 'no-cache', etag: '"v1"' }, { 'if-none-match': '"v1"' }],
    ['nothing else', { etag: 'W/"v1"' }, { 'if-none-match': 'W/"v1"' }],
    [
      'nothing else, as nginx gives a file that has not changed for long',
      {
        date: 'Sun, 01 Nov 2026 12:00:00 GMT',
        'last-modified': 'Sun, 01 Mar 2026 12:00:00 GMT',
        etag: '"v1"',
      },
      { 'if-none-match': '"v1"', 'if-modified-since': 'Sun, 01 Mar 2026 12:00:00 GMT' },
    ],
    [
      'a date',
      { 'cache-control': 'max-age=0', 'last-modified': 'Sun, 01 Nov 2026 11:50:00 GMT' },
      { 'if-modified-since': 'Sun, 01 Nov 2026 11:50:00 GMT' },
    ],
    [
      'a cookie',
      { 'cache-control': 'max-age=60', 'set-cookie': 'a=1', etag: '"v1"' },
      { 'if-none-match': '"v1"' },
    ],
  ])('revalidates each time with a validator of %s', async (_words, headers, validators) => {
    expect(await knownAfter(0, response(headers))).toMatchObject({
      isFresh: false,
      validators: { url, headers: validators },
    });
  });

  it('revalidates after a day, however long an origin allows', async () => {
    const forever = response({ 'cache-control': 'max-age=31536000, immutable', etag: '"v1"' });
    expect(await knownAfter(day - 1, forever)).toMatchObject({ isFresh: true });
    expect(await knownAfter(day, forever)).toMatchObject({ isFresh: false });
  });

  it('keeps records as long as they are of use', () => {
    const ttlOf = (headers: Record<string, string>): number | undefined => {
      const { records, entries } = startRecords();
      records.keep(url, [response(headers)], sha256, undefined);
      return [...entries.values()][0]?.ttlMs;
    };
    expect(ttlOf({ 'cache-control': 'max-age=60' })).toBe(60 * second);
    expect(ttlOf({ 'cache-control': 'max-age=31536000' })).toBe(day);
    expect(ttlOf({ 'cache-control': 'max-age=60', etag: '"v1"' })).toBe(7 * day);
  });

  it('distinguishes URLs, and stores them under their hash', async () => {
    const { records, entries } = startRecords();
    records.keep(url, [response({ 'cache-control': 'max-age=60' })], sha256, undefined);
    expect(await records.find('http://images.example/b.png')).toBeUndefined();
    // printf %s http://images.example/a.png | sha256sum
    expect([...entries.keys()]).toEqual([
      'url:55d63c09dca2b5c791af00e2fb8ce6be3a2a64d45e3450d9bdaa9b89f25fdef3',
    ]);
  });

  it('stores no cookies', () => {
    const { records, entries } = startRecords();
    const headers = { 'cache-control': 'public, max-age=60', 'set-cookie': 'session=secret' };
    records.keep(url, [response(headers)], sha256, undefined);
    expect(Buffer.from([...entries.values()][0]?.value ?? []).toString()).not.toContain('secret');
  });

  describe('behind redirects', () => {
    const target = 'http://cdn.example/a.png';
    const image = response({ 'cache-control': 'max-age=60', etag: '"v1"' }, 200, target);

    it('is fresh while each response is', async () => {
      const redirect = response({ 'cache-control': 'max-age=30' }, 302);
      expect(await knownAfter(29 * second, redirect, image)).toMatchObject({ isFresh: true });
      expect(await knownAfter(30 * second, redirect, image)).toMatchObject({ isFresh: false });
    });

    it.each([301, 302, 303, 307, 308])(
      'is never fresh if a %i does not state its freshness',
      async (status) => {
        expect(await knownAfter(0, response({}, status), image)).toMatchObject({ isFresh: false });
      },
    );

    it('has the validators of the last URL', async () => {
      expect(await knownAfter(0, response({ etag: '"v0"' }, 302), image)).toMatchObject({
        validators: { url: target, headers: { 'if-none-match': '"v1"' } },
      });
    });

    it.each(['no-store', 'private'])('keeps nothing if one response contains %s', async (directive) => {
      expect(await knownAfter(0, response({ 'cache-control': directive }, 302), image)).toBeUndefined();
    });
  });

  describe('after a 304', () => {
    const first = response({ 'cache-control': 'max-age=60', etag: '"v1"' });

    async function revalidated(stored: OriginResponse, headers: Record<string, string>) {
      const { records, clock, entries } = startRecords();
      records.keep(url, [stored], sha256, undefined);
      clock.now += hour;
      records.keep(url, [response(headers, 304)], sha256, await records.find(url));
      return { records, clock, entries };
    }

    it.each([
      ['with the same entity-tag', { etag: '"v1"' }],
      ['with the same entity-tag, now weak', { etag: 'W/"v1"' }],
      ['without any', {}],
    ])('is fresh again %s', async (_words, headers) => {
      const { records, clock } = await revalidated(first, headers);
      clock.now += 59 * second;
      expect(await records.find(url)).toMatchObject({ sha256, isFresh: true });
      clock.now += second;
      expect(await records.find(url)).toMatchObject({
        isFresh: false,
        validators: { headers: { 'if-none-match': expect.stringContaining('"v1"') } },
      });
    });

    it('is fresh again without a Last-Modified, as many origins respond', async () => {
      const date = 'Sun, 01 Nov 2026 11:50:00 GMT';
      const stored = response({ 'cache-control': 'max-age=60', 'last-modified': date });
      const { records } = await revalidated(stored, {});
      expect(await records.find(url)).toMatchObject({
        isFresh: true,
        validators: { headers: { 'if-modified-since': date } },
      });
    });

    it('uses the freshness of the 304', async () => {
      const { records, clock } = await revalidated(first, { etag: '"v1"', 'cache-control': 'max-age=600' });
      clock.now += 599 * second;
      expect(await records.find(url)).toMatchObject({ isFresh: true });
    });

    it('is discarded when its validator differs', async () => {
      const { records } = await revalidated(first, { etag: '"v2"' });
      expect(await records.find(url)).toBeUndefined();
    });
  });

  it('deletes the record when a new response may not be stored', async () => {
    const { records } = startRecords();
    records.keep(url, [response({ 'cache-control': 'max-age=60' })], sha256, undefined);
    const previous = await records.find(url);
    expect(previous).toMatchObject({ sha256, isFresh: true });
    records.keep(url, [response({ 'cache-control': 'no-store' })], otherSha256, previous);
    expect(await records.find(url)).toBeUndefined();
  });

  it('replaces the record by a new response', async () => {
    const { records } = startRecords();
    records.keep(url, [response({ 'cache-control': 'max-age=60' })], sha256, undefined);
    records.keep(url, [response({ 'cache-control': 'max-age=60' })], otherSha256, await records.find(url));
    expect(await records.find(url)).toMatchObject({ sha256: otherSha256 });
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{"sha256":'],
    ['other bytes', '\0\xff\xfe'],
    ['null', 'null'],
    ['another shape', '{"sha256":"x","policies":[]}'],
    ['no policies', `{"sha256":"${sha256}","policies":[]}`],
    [
      'a policy of another version',
      `{"sha256":"${sha256}","policies":[{"v":2,"t":1,"u":"http://a/","resh":{},"rescc":{}}]}`,
    ],
    ['a policy without a URL', `{"sha256":"${sha256}","policies":[{"v":1,"t":1,"resh":{},"rescc":{}}]}`],
    ['a policy of no URL', `{"sha256":"${sha256}","policies":[{"v":1,"t":1,"u":"a","resh":{},"rescc":{}}]}`],
  ])('has no record if the store contains %s', async (_words, stored) => {
    const { records, entries } = startRecords();
    records.keep(url, [response({ 'cache-control': 'max-age=60' })], sha256, undefined);
    for (const entry of entries.values()) entry.value = Buffer.from(stored, 'latin1');
    expect(await records.find(url)).toBeUndefined();
  });

  it('has no record, and no failure, when the store fails', async () => {
    const failing: RecordStore = {
      get: () => Promise.reject(new Error('down')),
      set: () => Promise.reject(new Error('down')),
    };
    const records = createUrlRecords(failing, Date.now, createRequestHeaders('image-processor'));
    records.keep(url, [response({ 'cache-control': 'max-age=60' })], sha256, undefined);
    expect(await records.find(url)).toBeUndefined();
  });
});
