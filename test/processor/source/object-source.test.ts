import { hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parseBucketPrefix } from '../../../src/object-storage/object-address.ts';
import { openObjectStorage } from '../../../src/object-storage/object-storage.ts';
import { createDownloadPlaces } from '../../../src/processor/source/download-places.ts';
import { createObjectSources } from '../../../src/processor/source/object-source.ts';
import { createSourceReader } from '../../../src/processor/source/read-source.ts';
import { failureOfPromise } from '../../support/failure.ts';
import { type FaultyS3, startFaultyS3 } from '../../support/faulty-s3.ts';
import type { S3Server } from '../../support/s3.ts';
import type { Fault, FaultProxy } from '../../support/s3-faults.ts';
import { s3Program } from '../../support/tools.ts';

const nobodyLeaves = new AbortController().signal;

describe.skipIf(s3Program === undefined)('objects as sources', () => {
  let s3: FaultyS3;
  let server: S3Server;
  let proxy: FaultProxy;

  beforeAll(async () => {
    s3 = await startFaultyS3();
    ({ server, proxy } = s3);
    await server.createBucket('photos');
    await server.createBucket('private');
  });
  beforeEach(() => {
    proxy.faults.length = 0;
  });
  afterAll(async () => {
    await s3?.[Symbol.asyncDispose]();
  });

  async function put(bucket: string, key: string, body: Uint8Array | string, more = {}): Promise<string> {
    const response = await server.client.send(
      new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ...more }),
    );
    return response.VersionId ?? '';
  }

  function startReader(
    allowed = 'photos,versions',
    { maxBytes = 1000, timeoutMs = 20_000, endpoint = proxy.endpoint } = {},
  ) {
    const clock = { now: Date.now() };
    const entries = new Map<string, Uint8Array>();
    const responses = new Map<string, string>();
    const storage = openObjectStorage({ endpoint, forcePathStyle: true });
    const reader = createSourceReader({
      places: createDownloadPlaces(8, 8),
      allowedHosts: new Set(),
      maxBytes,
      timeoutMs,
      objects: createObjectSources(storage, allowed.split(',').filter(Boolean).map(parseBucketPrefix), {
        maxBytes,
        timeoutMs,
      }),
      records: { get: async (key) => entries.get(key), set: (key, value) => void entries.set(key, value) },
      now: () => clock.now,
    });
    onTestFinished(async () => {
      storage.close();
      await reader.close();
    });
    return {
      clock,
      responses,
      read: async (url: string, mustRevalidate = false, signal = nobodyLeaves) => {
        const source = { case: 'url' as const, value: url, mustRevalidate };
        const read = await reader.read(source, async (sha256) => responses.get(sha256), signal);
        return 'content' in read ? Buffer.from(read.content).toString() : { known: read.known };
      },
    };
  }

  const reasonOf = async (work: Promise<unknown>) => (await failureOfPromise(work))?.reason;

  test('an object is read by its key, whatever characters that contains', async () => {
    const { read } = startReader();
    for (const key of ['a.jpg', 'ü/日本 \u{1F600}?x=1&y#z%41+.jpg', 'e\u0301', '\u00e9']) {
      await put('photos', key, key);
      expect(await read(`s3://photos/${key}`)).toBe(key);
    }
  });

  test('only buckets and prefixes of SOURCE_BUCKETS are read, and none by default', async () => {
    await put('private', 'a.jpg', 'private');
    await put('photos', 'public/a.jpg', 'public');
    await put('photos', 'public-other/a.jpg', 'other');
    const { read } = startReader('photos/public');
    expect(await read('s3://photos/public/a.jpg')).toBe('public');
    const refused = [
      's3://private/a.jpg',
      's3://photos/public-other/a.jpg',
      's3://photos/public',
      's3://photos/a',
    ];
    const before = proxy.requests.length;
    for (const url of refused) expect(await reasonOf(read(url)), url).toBe('BUCKET_FORBIDDEN');
    for (const path of ['public/../a', 'public/%2e%2e/a', 'public/..%2Fa', '/public/a', 'public/\0']) {
      expect(await reasonOf(read(`s3://photos/${path}`)), path).toBe('URL_INVALID');
    }
    const failure = await failureOfPromise(startReader('').read('s3://photos/public/a.jpg'));
    expect(failure?.message).toContain('SOURCE_BUCKETS');
    expect(proxy.requests).toHaveLength(before);
  });

  test('an object that did not change is not sent again, and one that did is', async () => {
    const { read, responses } = startReader();
    await put('photos', 'etag', 'one');
    expect(await read('s3://photos/etag')).toBe('one');
    responses.set(hash('sha256', 'one'), 'known');
    expect(await read('s3://photos/etag')).toEqual({ known: 'known' });
    await put('photos', 'etag', 'two');
    expect(await read('s3://photos/etag')).toBe('two');
  });

  test('one version is fresh for a day, and is asked for where the request says so', async () => {
    const { read, responses, clock } = startReader();
    await server.createBucket('versions', { isVersioned: true });
    const versionId = await put('versions', 'x', 'one');
    await put('versions', 'x', 'two');
    responses.set(hash('sha256', 'one'), 'known');
    const url = `s3://versions/x?versionId=${versionId}`;
    expect(await read(url)).toBe('one');
    const before = proxy.requests.length;
    expect(await read(url)).toEqual({ known: 'known' });
    expect(proxy.requests).toHaveLength(before);
    expect(await read(url, true)).toEqual({ known: 'known' });
    clock.now += 25 * 3_600_000;
    expect(await read(url)).toEqual({ known: 'known' });
    expect(proxy.requests).toHaveLength(before + 2);
    expect(await read('s3://versions/x')).toBe('two');
  });

  test('equal requests at once read the object once', async () => {
    const { read } = startReader();
    await put('photos', 'flight', 'once');
    const before = proxy.requests.length;
    proxy.faults.push({ delayMs: 200 });
    expect(await Promise.all(Array.from({ length: 10 }, () => read('s3://photos/flight')))).toEqual(
      Array.from({ length: 10 }, () => 'once'),
    );
    expect(proxy.requests).toHaveLength(before + 1);
  });

  test('the limits of bytes hold for objects, also for those with a Content-Encoding', async () => {
    const { read } = startReader();
    await put('photos', 'long', 'x'.repeat(1001));
    await put('photos', 'empty', new Uint8Array());
    await put('photos', 'gzip', gzipSync('unpacked'), { ContentEncoding: 'gzip' });
    await put('photos', 'bomb', gzipSync(Buffer.alloc(100_000)), { ContentEncoding: 'gzip' });
    expect(await failureOfPromise(read('s3://photos/long'))).toMatchObject({
      reason: 'SOURCE_BYTES_OVER_LIMIT',
      metadata: { limit: '1000', actual: '1001' },
    });
    await put('photos', 'huge', Buffer.alloc(3_000_000));
    expect(await reasonOf(read('s3://photos/huge'))).toBe('SOURCE_BYTES_OVER_LIMIT');
    expect(await reasonOf(read('s3://photos/empty'))).toBe('SOURCE_EMPTY');
    expect(await read('s3://photos/gzip')).toBe('unpacked');
    expect(await reasonOf(read('s3://photos/bomb'))).toBe('SOURCE_BYTES_OVER_LIMIT');
  });

  test.each<[string, Fault, string, boolean]>([
    ['denial', { code: 'AccessDenied', status: 403 }, 'ORIGIN_STATUS', false],
    ['throttling', { code: 'SlowDown', status: 503, headers: { 'retry-after': '7' } }, 'ORIGIN_BUSY', true],
    ['an error of the server', { code: 'InternalError', status: 500 }, 'ORIGIN_BUSY', true],
    ['dropped connections', 'reset', 'ORIGIN_UNREACHABLE', true],
    ['half an object', 'half a body', 'ORIGIN_UNREACHABLE', true],
    ['another clock', { code: 'RequestTimeTooSkewed', status: 403 }, 'STORAGE_FAILED', false],
    ['expired credentials', { code: 'ExpiredToken', status: 400 }, 'STORAGE_FAILED', true],
    [
      'a redirect',
      { code: '', status: 302, headers: { location: 'http://127.0.0.1:1/' } },
      'STORAGE_FAILED',
      false,
    ],
  ])('%s is a failure with a reason and no text of the server', async (_, fault, reason, isRetryable) => {
    const { read } = startReader();
    await put('photos', 'fault', 'x'.repeat(100));
    proxy.faults.push(fault, fault, fault);
    const failure = await failureOfPromise(read('s3://photos/fault'));
    expect(failure).toMatchObject({ reason, isRetryable });
    expect(JSON.stringify([failure?.message, failure?.metadata])).not.toMatch(
      /secret|127\.0|testaccess|http/,
    );
    if (reason === 'ORIGIN_BUSY' && typeof fault === 'object' && 'headers' in fault) {
      expect(failure?.metadata.retry_after_seconds).toBe('7');
    }
  });

  test('missing objects and buckets have the reason of a URL that leads nowhere', async () => {
    const { read } = startReader('photos,nowhere');
    expect(await failureOfPromise(read('s3://photos/none'))).toMatchObject({
      reason: 'ORIGIN_STATUS',
      metadata: { status: '404', problem: 'OBJECT_MISSING', bucket: 'photos' },
    });
    expect(await failureOfPromise(read('s3://nowhere/none'))).toMatchObject({
      reason: 'ORIGIN_STATUS',
      metadata: { problem: 'BUCKET_MISSING' },
    });
  });

  test('a storage that does not respond costs the time of a download, or until the caller leaves', async () => {
    await put('photos', 'silent', 'x');
    proxy.faults.push('silence');
    expect(await reasonOf(startReader('photos', { timeoutMs: 200 }).read('s3://photos/silent'))).toBe(
      'ORIGIN_TIMEOUT',
    );
    proxy.faults.push('silence');
    const leaves = AbortSignal.timeout(200);
    expect(await reasonOf(startReader().read('s3://photos/silent', false, leaves))).toBe('DEADLINE_EXCEEDED');
  });
});
