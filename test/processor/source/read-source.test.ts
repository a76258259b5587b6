import type { RequestListener } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Failure } from '../../../src/failures.ts';
import { createDownloadPlaces } from '../../../src/processor/source/download-places.ts';
import {
  createSourceReader,
  type ReadSource,
  type SourceReaderOptions,
  type WantedSource,
} from '../../../src/processor/source/read-source.ts';
import { createRequestHeaders, type OriginHeaders } from '../../../src/processor/source/request-headers.ts';
import { type Origin, redirects, routes, sends, startOrigin } from '../../support/origin.ts';

// printf %s image | sha256sum
const imageSha256 = '6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d';
// printf %s other | sha256sum
const otherSha256 = 'd9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa';

const nobodyLeaves = new AbortController().signal;
const second = 1000;

/** A reader whose clock the test sets, with its records in a Map. */
function startReader(options: Partial<SourceReaderOptions> = {}) {
  const clock = { now: Date.UTC(2026, 10, 1, 12) };
  const entries = new Map<string, Uint8Array>();
  const reader = createSourceReader({
    places: createDownloadPlaces(8, 8),
    allowedHosts: new Set(['127.0.0.1']),
    maxBytes: 1000,
    timeoutMs: 20_000,
    records: {
      get: async (key) => entries.get(key),
      set: (key, value) => {
        entries.set(key, value);
      },
    },
    now: () => clock.now,
    ...options,
  });
  onTestFinished(() => reader.close());

  const responses = new Map<string, string>();
  const findKnown = async (sha256: string): Promise<string | undefined> => responses.get(sha256);
  return {
    clock,
    /** Known responses, by the image's SHA-256. */
    responses,
    /** The stored records. */
    entries,
    read: (source: WantedSource, signal = nobodyLeaves) => reader.read(source, findKnown, signal),
    readUrl: (url: string, signal = nobodyLeaves): Promise<ReadSource<string>> =>
      reader.read({ case: 'url', value: url }, findKnown, signal),
  };
}

/** Serves 'image' and then, once changed, 'other', each with its entity-tag and fresh for 60 seconds. */
async function startRevalidatingOrigin(): Promise<Origin & { change(): void }> {
  const current = { content: 'image', etag: '"v1"' };
  const listener: RequestListener = (request, response) => {
    const headers = { etag: current.etag, 'cache-control': 'max-age=60' };
    if (request.headers['if-none-match'] === current.etag) response.writeHead(304, headers).end();
    else response.writeHead(200, headers).end(current.content);
  };
  const origin = await startOrigin(listener);
  return Object.assign(origin, {
    change() {
      current.content = 'other';
      current.etag = '"v2"';
    },
  });
}

const image = { sha256: imageSha256, content: Buffer.from('image') };
const asText = (source: ReadSource<string>) =>
  'content' in source ? { ...source, content: Buffer.from(source.content) } : source;

async function failureOf(read: Promise<unknown>): Promise<Failure> {
  const error = await read.catch((thrown: unknown) => thrown);
  if (!(error instanceof Failure)) throw new Error('no Failure', { cause: error });
  return error;
}

describe(createSourceReader, () => {
  it('returns uploaded bytes unchanged, with their hash', async () => {
    const content = Buffer.from('image');
    const source = await startReader().read({ case: 'content', value: content });
    expect(source).toEqual({ sha256: imageSha256, content });
    expect('content' in source && source.content).toBe(content);
  });

  it('does not look for responses to uploaded bytes: the caller of read does', async () => {
    const { read, responses } = startReader();
    responses.set(imageSha256, 'known');
    expect(await read({ case: 'content', value: Buffer.from('image') })).toHaveProperty('content');
  });

  it('finds the response for a SHA-256 that is known', async () => {
    const { read, responses } = startReader();
    responses.set(imageSha256, 'known');
    expect(await read({ case: 'sha256', value: imageSha256 })).toEqual({
      sha256: imageSha256,
      known: 'known',
    });
  });

  it.each([otherSha256, imageSha256.toUpperCase(), imageSha256.slice(1), ''])(
    'refuses the SHA-256 %j, for which no response is known',
    async (value) => {
      const { read, responses } = startReader();
      for (const key of [imageSha256, imageSha256.toUpperCase(), imageSha256.slice(1), '']) {
        responses.set(key, 'known');
      }
      expect(await failureOf(read({ case: 'sha256', value }))).toMatchObject({ reason: 'SOURCE_UNKNOWN' });
    },
  );

  it('refuses no source, no bytes and too many bytes', async () => {
    const { read } = startReader();
    expect(await failureOf(read({ case: undefined }))).toMatchObject({ reason: 'SOURCE_MISSING' });
    expect(await failureOf(read({ case: 'content', value: new Uint8Array() }))).toMatchObject({
      reason: 'SOURCE_EMPTY',
    });
    expect(await read({ case: 'content', value: new Uint8Array(1000) })).toHaveProperty('content');
    expect(await failureOf(read({ case: 'content', value: new Uint8Array(1001) }))).toMatchObject({
      reason: 'SOURCE_BYTES_OVER_LIMIT',
      metadata: { limit: '1000', actual: '1001' },
    });
  });

  it.each([
    ['', 'URL_INVALID'],
    ['image', 'URL_INVALID'],
    ['/image.png', 'URL_INVALID'],
    ['//127.0.0.1/image.png', 'URL_INVALID'],
    ['http://', 'URL_INVALID'],
    ['http://a b/', 'URL_INVALID'],
    ['http://127.0.0.1:99999/', 'URL_INVALID'],
    ['http://[::1', 'URL_INVALID'],
    ['http://[fe80::1%25lo]/', 'URL_INVALID'],
    ['http://256.256.256.256/', 'URL_INVALID'],
    ['http://0x100000000/', 'URL_INVALID'],
    ['http://127.0.0.1%00.example/', 'URL_INVALID'],
    ['http://name:password@127.0.0.1/', 'URL_INVALID'],
    ['file:///etc/passwd', 'URL_SCHEME_UNSUPPORTED'],
    ['FILE:/etc/passwd', 'URL_SCHEME_UNSUPPORTED'],
    ['data:image/png;base64,AAAA', 'URL_SCHEME_UNSUPPORTED'],
    ['blob:http://127.0.0.1/1', 'URL_SCHEME_UNSUPPORTED'],
    ['ws://127.0.0.1/', 'URL_SCHEME_UNSUPPORTED'],
    ['c:\\image.png', 'URL_SCHEME_UNSUPPORTED'],
  ])('refuses the URL %j', async (url, reason) => {
    expect(await failureOf(startReader().readUrl(url))).toMatchObject({ reason });
  });

  it('takes URLs of up to 8192 characters', async () => {
    await using origin = await startOrigin(sends('image'));
    const { readUrl } = startReader();
    const url = origin.url('/').padEnd(8192, 'a');
    expect(await readUrl(url)).toMatchObject({ sha256: imageSha256 });
    expect(await failureOf(readUrl(`${url}a`))).toMatchObject({
      reason: 'URL_INVALID',
      metadata: { limit: '8192', actual: '8193' },
    });
  });

  it('downloads a URL', async () => {
    await using origin = await startOrigin(sends('image'));
    expect(asText(await startReader().readUrl(origin.url()))).toEqual(image);
  });

  it('returns the known response of a fresh URL without a download', async () => {
    await using origin = await startOrigin(
      routes({
        '/fresh': (_request, response) =>
          void response.writeHead(200, { 'cache-control': 'max-age=60' }).end('image'),
        '/hangs': () => {},
      }),
    );
    const { readUrl, responses } = startReader({ places: createDownloadPlaces(1, 0) });
    const { sha256 } = await readUrl(origin.url('/fresh'));
    responses.set(sha256, 'response');
    const left = new AbortController();
    const hanging = failureOf(readUrl(origin.url('/hangs'), left.signal));
    expect(await readUrl(origin.url('/fresh'))).toEqual({ sha256, known: 'response' });
    expect(await failureOf(readUrl(origin.url('/other')))).toMatchObject({ reason: 'OVERLOADED' });
    left.abort();
    expect(await hanging).toMatchObject({ reason: 'CANCELLED' });
  });

  it('passes on the failure of a download', async () => {
    await using origin = await startOrigin(routes({ '/loop': redirects(302, '/loop') }));
    const { readUrl } = startReader();
    expect(await failureOf(readUrl(origin.url('/missing')))).toMatchObject({
      reason: 'ORIGIN_STATUS',
      metadata: { status: '404' },
    });
    expect(await failureOf(readUrl(origin.url('/loop')))).toMatchObject({
      reason: 'ORIGIN_REDIRECTS_OVER_LIMIT',
    });
    expect(await failureOf(readUrl(origin.url().replace('127.0.0.1', 'localhost')))).toMatchObject({
      reason: 'URL_ADDRESS_FORBIDDEN',
    });
  });

  describe('a URL whose image is known', () => {
    it('is not requested while it is fresh and has a response', async () => {
      await using origin = await startRevalidatingOrigin();
      const { readUrl, responses, clock } = startReader();
      await readUrl(origin.url('/a#one'));
      responses.set(imageSha256, 'known');
      clock.now += 59 * second;
      expect(await readUrl(origin.url('/a#two'))).toEqual({ sha256: imageSha256, known: 'known' });
      expect(origin.requests.length).toBe(1);
    });

    it('is downloaded again when there is no response, fresh or not', async () => {
      await using origin = await startRevalidatingOrigin();
      const { readUrl, clock } = startReader();
      await readUrl(origin.url());
      expect(asText(await readUrl(origin.url()))).toEqual(image);
      clock.now += 60 * second;
      expect(asText(await readUrl(origin.url()))).toEqual(image);
      expect(origin.requests.map(({ headers }) => headers['if-none-match'])).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    });

    it('is revalidated when it is stale, and a 304 makes it fresh again', async () => {
      await using origin = await startRevalidatingOrigin();
      const { readUrl, responses, clock } = startReader();
      await readUrl(origin.url());
      responses.set(imageSha256, 'known');
      clock.now += 60 * second;
      expect(await readUrl(origin.url())).toEqual({ sha256: imageSha256, known: 'known' });
      expect(origin.requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"v1"']);
      clock.now += 59 * second;
      expect(await readUrl(origin.url())).toEqual({ sha256: imageSha256, known: 'known' });
      expect(origin.requests.length).toBe(2);
    });

    it('is revalidated although fresh if the caller requires it', async () => {
      await using origin = await startRevalidatingOrigin();
      const { read, readUrl, responses } = startReader();
      await readUrl(origin.url());
      responses.set(imageSha256, 'known');
      const source = { case: 'url', value: origin.url(), mustRevalidate: true } as const;
      expect(await read(source)).toEqual({ sha256: imageSha256, known: 'known' });
      expect(origin.requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"v1"']);
      expect(await readUrl(origin.url())).toEqual({ sha256: imageSha256, known: 'known' });
      expect(origin.requests.length).toBe(2);
      origin.change();
      expect(asText(await read(source))).toMatchObject({ sha256: otherSha256 });
    });

    it('is unknown if other secrets are sent', async () => {
      await using origin = await startOrigin(
        sends('image', { etag: '"v1"', 'cache-control': 'public, max-age=60' }),
      );
      let secrets: OriginHeaders = {};
      const requestHeaders = createRequestHeaders('image-processor', () => secrets);
      const { readUrl, responses, entries } = startReader({ requestHeaders });
      await readUrl(origin.url());
      responses.set(imageSha256, 'known');
      expect(await readUrl(origin.url())).toMatchObject({ known: 'known' });
      const { host } = new URL(origin.url());
      secrets = { [host]: { authorization: 'Bearer one' } };
      expect(asText(await readUrl(origin.url()))).toEqual(image);
      expect(await readUrl(origin.url())).toMatchObject({ known: 'known' });
      secrets = { [host]: { authorization: 'Bearer two' } };
      expect(asText(await readUrl(origin.url()))).toEqual(image);
      expect(origin.requests.map(({ headers }) => [headers.authorization, headers['if-none-match']])).toEqual(
        [
          [undefined, undefined],
          ['Bearer one', undefined],
          ['Bearer two', undefined],
        ],
      );
      expect([...entries.values()].map((entry) => Buffer.from(entry).toString()).join()).not.toContain(
        'Bearer',
      );
    });

    it('that varies by a secret is stored without it', async () => {
      const varying = sends('image', {
        etag: '"v1"',
        'cache-control': 'public, max-age=60',
        vary: 'x-token',
      });
      await using origin = await startOrigin(varying);
      const secrets = { [new URL(origin.url()).host]: { 'x-token': 'hunter2' } };
      const requestHeaders = createRequestHeaders('image-processor', () => secrets);
      const { readUrl, responses, entries } = startReader({ requestHeaders });
      await readUrl(origin.url());
      responses.set(imageSha256, 'known');
      expect(await readUrl(origin.url())).toMatchObject({ known: 'known' });
      const stored = [...entries.values()].map((entry) => Buffer.from(entry).toString()).join();
      expect(stored).toContain('x-token');
      expect(stored).not.toContain('hunter2');
    });

    it('returns the new image when it has changed', async () => {
      await using origin = await startRevalidatingOrigin();
      const { readUrl, responses, clock } = startReader();
      await readUrl(origin.url());
      responses.set(imageSha256, 'known');
      origin.change();
      clock.now += 60 * second;
      expect(asText(await readUrl(origin.url()))).toEqual({
        sha256: otherSha256,
        content: Buffer.from('other'),
      });
      responses.set(otherSha256, 'known too');
      expect(await readUrl(origin.url())).toEqual({ sha256: otherSha256, known: 'known too' });
      expect(origin.requests.length).toBe(2);
    });

    it('is downloaded whole when it is stale and has no validator', async () => {
      await using origin = await startOrigin(sends('image', { 'cache-control': 'max-age=60' }));
      const { readUrl, responses, clock } = startReader();
      await readUrl(origin.url());
      responses.set(imageSha256, 'known');
      clock.now += 60 * second;
      expect(asText(await readUrl(origin.url()))).toEqual(image);
    });

    it('is downloaded each time when its origin forbids to keep it', async () => {
      await using origin = await startOrigin(sends('image', { 'cache-control': 'no-store', etag: '"v1"' }));
      const { readUrl, responses } = startReader();
      responses.set(imageSha256, 'known');
      expect(asText(await readUrl(origin.url()))).toEqual(image);
      expect(asText(await readUrl(origin.url()))).toEqual(image);
      expect(origin.requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, undefined]);
    });

    it('fails with its origin when it is stale: a stale image is never served', async () => {
      const route: { listener: RequestListener } = { listener: sends('image', { etag: '"v1"' }) };
      await using origin = await startOrigin((request, response) => route.listener(request, response));
      const { readUrl, responses } = startReader();
      await readUrl(origin.url());
      responses.set(imageSha256, 'known');
      route.listener = (_request, response) => response.writeHead(503).end();
      expect(await failureOf(readUrl(origin.url()))).toMatchObject({
        reason: 'ORIGIN_BUSY',
        metadata: { status: '503' },
      });
    });

    it('is revalidated behind a redirect with the validator of the target', async () => {
      await using origin = await startOrigin(
        routes({
          '/a': redirects(302, '/b'),
          '/b': (request, response) => {
            if (request.headers['if-none-match'] === '"v1"') response.writeHead(304).end();
            else sends('image', { etag: '"v1"' })(request, response);
          },
        }),
      );
      const { readUrl, responses } = startReader();
      await readUrl(origin.url('/a'));
      responses.set(imageSha256, 'known');
      expect(await readUrl(origin.url('/a'))).toEqual({ sha256: imageSha256, known: 'known' });
      expect(origin.requests.map(({ path, headers }) => [path, headers['if-none-match']])).toEqual([
        ['/a', undefined],
        ['/b', undefined],
        ['/a', undefined],
        ['/b', '"v1"'],
      ]);
    });
  });

  describe('a URL requested by several callers at once', () => {
    /** Responds when the test calls it. */
    async function startSlowOrigin() {
      const released = Promise.withResolvers<void>();
      const origin = await startOrigin((request, response) => {
        void released.promise.then(() => sends('image')(request, response));
      });
      return Object.assign(origin, { release: released.resolve });
    }

    it('is downloaded once', async () => {
      await using origin = await startSlowOrigin();
      const { readUrl } = startReader();
      const reads = [readUrl(origin.url('/a')), readUrl(origin.url('/a#b')), readUrl(origin.url('/a'))];
      await expect.poll(() => origin.requests.length).toBe(1);
      origin.release();
      expect((await Promise.all(reads)).map(asText)).toEqual([image, image, image]);
      expect(origin.requests.length).toBe(1);
      await readUrl(origin.url('/a'));
      expect(origin.requests.length).toBe(2);
    });

    it('is still downloaded for the others when the first caller leaves', async () => {
      await using origin = await startSlowOrigin();
      const { readUrl } = startReader();
      const caller = new AbortController();
      const first = failureOf(readUrl(origin.url(), caller.signal));
      const other = readUrl(origin.url());
      await expect.poll(() => origin.requests.length).toBe(1);
      caller.abort();
      expect(await first).toMatchObject({ reason: 'CANCELLED' });
      origin.release();
      expect(asText(await other)).toEqual(image);
      expect(origin.requests.length).toBe(1);
    });

    it('is no longer downloaded when all callers have left', async () => {
      await using origin = await startSlowOrigin();
      const { readUrl } = startReader();
      const caller = new AbortController();
      const reads = [readUrl(origin.url(), caller.signal), readUrl(origin.url(), caller.signal)].map(
        failureOf,
      );
      await expect.poll(() => origin.requests.length).toBe(1);
      caller.abort();
      expect(await Promise.all(reads)).toMatchObject([{ reason: 'CANCELLED' }, { reason: 'CANCELLED' }]);
      await origin.idle();
    });

    it('is requested separately by callers with a known response and callers without, which cannot use a 304', async () => {
      const released = Promise.withResolvers<void>();
      await using origin = await startOrigin((request, response) => {
        if (request.headers['if-none-match'] === '"v1"') response.writeHead(304).end();
        else if (origin.requests.length === 1) sends('image', { etag: '"v1"' })(request, response);
        else void released.promise.then(() => sends('image')(request, response));
      });
      const { readUrl, responses } = startReader();
      await readUrl(origin.url());
      const without = readUrl(origin.url());
      await expect.poll(() => origin.requests.length).toBe(2);
      responses.set(imageSha256, 'known');
      expect(await readUrl(origin.url())).toEqual({ sha256: imageSha256, known: 'known' });
      released.resolve();
      expect(asText(await without)).toEqual(image);
    });
  });

  describe('honouring opt-outs', () => {
    const optsOut = { 'x-robots-tag': 'noai', 'cache-control': 'max-age=60', etag: '"v1"' };
    const readHonouring = ({ read }: ReturnType<typeof startReader>, value: string) =>
      read({ case: 'url', value, honourOptOuts: true });

    it('refuses an image whose origin opts out, and names the directive', async () => {
      const origin = await startOrigin(sends('image', optsOut));
      const failure = await failureOf(readHonouring(startReader(), origin.url()));
      expect(failure).toMatchObject({
        reason: 'SOURCE_OPTED_OUT',
        isRetryable: false,
        metadata: { directive: 'X-Robots-Tag: noai' },
      });
    });

    it('reads the image where the request does not honour opt-outs', async () => {
      const origin = await startOrigin(sends('image', optsOut));
      expect(asText(await startReader().readUrl(origin.url()))).toEqual(image);
    });

    it('refuses an image of a redirect that opts out', async () => {
      const origin = await startOrigin(
        routes({
          '/': (_request, response) =>
            response.writeHead(302, { location: '/image', 'x-robots-tag': 'noimageai' }).end(),
          '/image': sends('image'),
        }),
      );
      const failure = await failureOf(readHonouring(startReader(), origin.url()));
      expect(failure.reason).toBe('SOURCE_OPTED_OUT');
    });

    it('remembers the opt-out of a fresh image whose response is cached', async () => {
      const origin = await startOrigin(sends('image', optsOut));
      const reader = startReader();
      await reader.readUrl(origin.url());
      reader.responses.set(imageSha256, 'known');
      expect((await failureOf(readHonouring(reader, origin.url()))).reason).toBe('SOURCE_OPTED_OUT');
      expect(await reader.readUrl(origin.url())).toEqual({ sha256: imageSha256, known: 'known' });
      expect(origin.requests).toHaveLength(1);
    });

    it('remembers the opt-out of a stale image whose origin responds with 304 and no other header', async () => {
      const origin = await startOrigin((request, response) => {
        if (request.headers['if-none-match'] === '"v1"') response.writeHead(304).end();
        else response.writeHead(200, optsOut).end('image');
      });
      const reader = startReader();
      await reader.readUrl(origin.url());
      reader.responses.set(imageSha256, 'known');
      for (const _round of [1, 2]) {
        reader.clock.now += 61 * second;
        expect((await failureOf(readHonouring(reader, origin.url()))).reason).toBe('SOURCE_OPTED_OUT');
      }
    });

    it('asks the origin if the record is of a version that did not store opt-outs', async () => {
      const origin = await startOrigin(sends('image', optsOut));
      const reader = startReader();
      await reader.readUrl(origin.url());
      reader.responses.set(imageSha256, 'known');
      for (const [key, value] of reader.entries) {
        const { optOut: _optOut, ...older } = JSON.parse(Buffer.from(value).toString());
        reader.entries.set(key, Buffer.from(JSON.stringify(older)));
      }
      expect((await failureOf(readHonouring(reader, origin.url()))).reason).toBe('SOURCE_OPTED_OUT');
      expect(origin.requests).toHaveLength(2);
    });
  });
});
