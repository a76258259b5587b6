import { hash, randomBytes } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ObjectStorage, openObjectStorage } from '../../src/object-storage/object-storage.ts';
import { StorageFailure } from '../../src/object-storage/storage-failure.ts';
import { type FaultyS3, startFaultyS3 } from '../support/faulty-s3.ts';
import { type S3Server, startS3 } from '../support/s3.ts';
import type { Fault, FaultProxy } from '../support/s3-faults.ts';
import { s3Program } from '../support/tools.ts';

const bucket = 'photos';
const at = (key: string, versionId?: string) => ({ bucket, key, versionId });
const text = { contentType: 'text/plain' };
const never = () => AbortSignal.timeout(20_000);
const bytesOf = (words: string) => new TextEncoder().encode(words);

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const page of pages) list.push(page);
  return list;
}

async function problemOf(work: Promise<unknown>): Promise<unknown> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof StorageFailure)) throw new Error('no StorageFailure', { cause: error });
  expect(error.message).not.toMatch(/secret|127\.0\.0\.1|testaccess/);
  return error.problem;
}

describe.skipIf(s3Program === undefined)('object storage', () => {
  let s3: FaultyS3;
  let server: S3Server;
  let proxy: FaultProxy;
  let storage: ObjectStorage;
  /** The same with a short time-out, where one is waited for. */
  let impatient: ObjectStorage;

  beforeAll(async () => {
    s3 = await startFaultyS3();
    ({ server, proxy } = s3);
    storage = openObjectStorage({ endpoint: proxy.endpoint, forcePathStyle: true });
    impatient = openObjectStorage({ endpoint: proxy.endpoint, forcePathStyle: true, idleTimeoutMs: 300 });
    await server.createBucket(bucket);
  });
  beforeEach(() => {
    proxy.faults.length = 0;
  });
  afterAll(async () => {
    storage?.close();
    impatient?.close();
    await s3?.[Symbol.asyncDispose]();
  });

  test('an object comes back with its bytes, type, checksum and metadata', async () => {
    const content = randomBytes(300_000);
    const metadata = { provenance: '{"a":1}' };
    await storage.put(at('a/b.bin'), content, { contentType: 'image/webp', metadata }, never());
    const read = await storage.read(at('a/b.bin'), {}, never());
    expect(Buffer.from(read?.content ?? []).equals(content)).toBe(true);
    expect(read?.info).toMatchObject({ bytes: 300_000, contentType: 'image/webp', metadata });
    expect(await storage.head(at('a/b.bin'), never())).toMatchObject({
      bytes: 300_000,
      sha256: hash('sha256', content, 'base64'),
      metadata,
    });
    expect(await storage.head(at('a/c.bin'), never())).toBeUndefined();
  });

  test('a part of an object, and an object that did not change, are less than the object', async () => {
    await storage.put(at('range'), bytesOf('0123456789'), text, never());
    const part = await storage.read(at('range'), { range: [2, 4] }, never());
    expect(Buffer.from(part?.content ?? []).toString()).toBe('234');
    const etag = part?.info.etag ?? '';
    expect(await storage.read(at('range'), { ifNoneMatch: etag }, never())).toBeUndefined();
    expect(await storage.read(at('range'), { ifNoneMatch: '"other"' }, never())).toBeDefined();
  });

  test('an object over the limit is refused before its bytes are read', async () => {
    await storage.put(at('long'), bytesOf('0123456789'), text, never());
    expect(await problemOf(storage.read(at('long'), { maxBytes: 9 }, never()))).toBe('BYTES_OVER_LIMIT');
    expect((await storage.read(at('long'), { maxBytes: 10 }, never()))?.content).toHaveLength(10);
  });

  test('each version of an object keeps its bytes', async () => {
    await server.createBucket('versions', { isVersioned: true });
    const key = { bucket: 'versions', key: 'x' };
    await storage.put(key, bytesOf('one'), text, never());
    const first = await storage.read(key, {}, never());
    await storage.put(key, bytesOf('two'), text, never());
    const versionId = first?.info.versionId;
    expect(versionId).toBeTruthy();
    const read = async (address: typeof key & { versionId?: string | undefined }) =>
      Buffer.from((await storage.read(address, {}, never()))?.content ?? []).toString();
    expect([await read(key), await read({ ...key, versionId })]).toEqual(['two', 'one']);
    expect(await problemOf(storage.read({ ...key, versionId: 'none' }, {}, never()))).toMatch(
      /OBJECT_MISSING|REFUSED/,
    );
  });

  test('of 20 writers of one key, one writes', async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        storage.putIfAbsent(at('once'), bytesOf(`writer ${index}`), text, never()),
      ),
    );
    expect(results.filter((result) => result === 'written')).toHaveLength(1);
    const content = (await storage.read(at('once'), {}, never()))?.content ?? [];
    expect(Buffer.from(content).toString()).toBe(`writer ${results.indexOf('written')}`);
  });

  test('a file is written once, from a new stream at each attempt', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'put-'));
    const content = randomBytes(2_000_000);
    const path = join(folder, 'shard');
    writeFileSync(path, content);
    const body = {
      bytes: content.length,
      sha256: hash('sha256', content, 'buffer'),
      open: () => createReadStream(path),
    };
    proxy.faults.push('dropped upload', { code: 'SlowDown', status: 503 });
    expect(await storage.putIfAbsent(at('shards/0.tar'), body, text, never())).toBe('written');
    expect(await storage.putIfAbsent(at('shards/0.tar'), body, text, never())).toBe('present');
    const read = await storage.read(at('shards/0.tar'), {}, never());
    expect(hash('sha256', read?.content ?? '', 'hex')).toBe(hash('sha256', content, 'hex'));
    const wrong = { ...body, sha256: new Uint8Array(32) };
    expect(await problemOf(storage.putIfAbsent(at('shards/1.tar'), wrong, text, never()))).toBe('CORRUPT');
    expect(await storage.head(at('shards/1.tar'), never())).toBeUndefined();
    rmSync(folder, { recursive: true });
  });

  test('a list has the objects below its prefix only', async () => {
    await Promise.all(
      ['list/a', 'list/b/c', 'list-other/a', 'list'].map((key) =>
        storage.put(at(key === 'list' ? 'listing' : key), bytesOf(key), text, never()),
      ),
    );
    const pages = await all(storage.list({ bucket, prefix: 'list' }, never()));
    expect(pages.flat().map(({ key, bytes }) => [key, bytes])).toEqual([
      ['list/a', 6],
      ['list/b/c', 8],
    ]);
    expect(await problemOf(all(storage.list({ bucket: 'nowhere', prefix: '' }, never())))).toBe(
      'BUCKET_MISSING',
    );
  });

  test('a link gives the object to anybody, and not another one', async () => {
    await storage.put(at('link ü'), bytesOf('linked'), text, never());
    const link = await storage.presignGet(at('link ü'), 60);
    expect(await (await fetch(link)).text()).toBe('linked');
    expect((await fetch(link.replace('link%20', 'other%20'))).status).toBe(403);
    expect((await fetch(link.split('?')[0] as string)).status).toBe(403);
  });

  test.each([
    'ü/日本 語.jpg',
    'a+b&c=d;e',
    'e\u0301\u200d\u{1F469}',
    "it's (1)!*~$",
    'a%2Fb%',
    'q?x=1#y',
    'a:b@c,d',
  ])('the key %j is stored as it is', async (key) => {
    await storage.put(at(key), bytesOf(key), text, never());
    const read = await storage.read(at(key), {}, never());
    expect(Buffer.from(read?.content ?? []).toString()).toBe(key);
  });

  describe('under faults', () => {
    const slowDown: Fault = { code: 'SlowDown', status: 503 };

    test.each<[string, readonly Fault[]]>([
      ['throttling', [slowDown, slowDown]],
      ['resets', ['reset', 'reset']],
      ['half bodies', ['half a body', 'half a body']],
      ['errors of the server', [{ code: 'InternalError', status: 500 }]],
      ['a clock that differs', [{ code: 'RequestTimeTooSkewed', status: 403 }]],
    ])('%s cost an attempt, not the call', async (_, faults) => {
      await storage.put(at('fault'), randomBytes(50_000), text, never());
      proxy.faults.push(...faults);
      expect((await storage.read(at('fault'), {}, never()))?.content).toHaveLength(50_000);
    });

    test.each<[string, Fault, string]>([
      ['throttling', slowDown, 'THROTTLED'],
      ['a status without a body that says more', { code: '', status: 429 }, 'THROTTLED'],
      ['resets', 'reset', 'DROPPED'],
      ['half bodies', 'half a body', 'DROPPED'],
      ['denial', { code: 'AccessDenied', status: 403 }, 'DENIED'],
      ['expired credentials', { code: 'ExpiredToken', status: 400 }, 'CREDENTIALS_INVALID'],
      ['a clock that differs', { code: 'RequestTimeTooSkewed', status: 403 }, 'CLOCK_SKEWED'],
      ['another region', { code: 'PermanentRedirect', status: 301 }, 'REGION_WRONG'],
      ['a redirect', { code: '', status: 307, headers: { location: 'http://127.0.0.1:1/' } }, 'REGION_WRONG'],
      ['what it does not have', { code: 'NotImplemented', status: 501 }, 'BROKEN'],
    ])('%s that lasts is named', async (_, fault, problem) => {
      await storage.put(at('fault'), randomBytes(50_000), text, never());
      proxy.faults.push(fault, fault, fault);
      expect(await problemOf(storage.read(at('fault'), {}, never()))).toBe(problem);
    });

    test('a server that does not respond is not waited for', async () => {
      await storage.put(at('fault'), randomBytes(50_000), text, never());
      proxy.faults.push('silence', 'silence', 'silence');
      expect(await problemOf(impatient.read(at('fault'), {}, never()))).toBe('TIMEOUT');
    });

    test('a long Retry-After is passed on and not waited for', async () => {
      proxy.faults.push({ ...slowDown, headers: { 'retry-after': '30' } });
      const failure = await storage.read(at('fault'), {}, never()).catch((error: unknown) => error);
      expect(failure).toMatchObject({ problem: 'THROTTLED', retryAfterSeconds: 30, isRetryable: true });
    });

    test('a conflict of two writers is tried again', async () => {
      proxy.faults.push({ code: 'ConditionalRequestConflict', status: 409 });
      expect(await storage.putIfAbsent(at('conflict'), bytesOf('1'), text, never())).toBe('written');
    });

    test('a write whose response was lost is present at the next attempt', async () => {
      proxy.faults.push('lost response');
      expect(await storage.putIfAbsent(at('lost'), bytesOf('1'), text, never())).toBe('present');
      expect((await storage.read(at('lost'), {}, never()))?.content).toHaveLength(1);
    });

    test('an abort ends a call at once, with its own reason', async () => {
      const reason = new Error('enough');
      for (const fault of ['silence', { ...slowDown, headers: { 'retry-after': '2' } }] satisfies Fault[]) {
        proxy.faults.push(fault);
        const before = proxy.requests.length;
        const stop = new AbortController();
        const call = storage.read(at('fault'), {}, stop.signal);
        await vi.waitFor(() => expect(proxy.requests.length).toBeGreaterThan(before));
        stop.abort(reason);
        await expect(call).rejects.toBe(reason);
      }
    });

    test('an abort ends the reading of a body, also one that stalls', async () => {
      await storage.put(at('stalled'), randomBytes(100_000), text, never());
      proxy.faults.push('stalled body');
      const stop = new AbortController();
      const opened = await storage.get(at('stalled'), {}, stop.signal);
      const reason = new Error('enough');
      const read = all(opened?.body as AsyncIterable<Uint8Array>);
      setTimeout(() => stop.abort(reason), 100);
      await expect(read).rejects.toBe(reason);
    });

    test('nothing listening, missing buckets, missing objects have names', async () => {
      using nowhere = open('http://127.0.0.1:1');
      expect(await problemOf(nowhere.storage.read(at('x'), {}, never()))).toBe('UNREACHABLE');
      expect(await problemOf(storage.read({ bucket: 'nowhere', key: 'x' }, {}, never()))).toBe(
        'BUCKET_MISSING',
      );
      expect(await problemOf(storage.read(at('nothing'), {}, never()))).toBe('OBJECT_MISSING');
    });
  });

  test('credentials that change in their file are read again when the server refuses the old ones', async () => {
    await using own = await startS3();
    const folder = mkdtempSync(join(tmpdir(), 'aws-'));
    const file = join(folder, 'credentials');
    const save = (id: string, secret: string) =>
      writeFileSync(file, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`);
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file);
    try {
      await own.createBucket(bucket);
      save('testaccess', 'testsecret');
      using other = open(own.endpoint);
      await other.storage.put(at('x'), bytesOf('1'), text, never());
      await own.restart({ accessKeyId: 'second', secretAccessKey: 'secondsecret' });
      save('second', 'secondsecret');
      expect((await other.storage.read(at('x'), {}, never()))?.content).toHaveLength(1);
      // Refused again a moment later: the file is not read for every request.
      save('third', 'thirdsecret');
      await own.restart({ accessKeyId: 'fourth', secretAccessKey: 'fourthsecret' });
      expect(await problemOf(other.storage.read(at('x'), {}, never()))).toBe('CREDENTIALS_INVALID');
    } finally {
      for (const [name, value] of Object.entries(server.environment)) vi.stubEnv(name, value);
      rmSync(folder, { recursive: true });
    }
  });

  function open(endpoint: string) {
    const opened = openObjectStorage({ endpoint, forcePathStyle: true });
    return { storage: opened, [Symbol.dispose]: () => opened.close() };
  }
});
