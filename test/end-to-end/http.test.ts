import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Origin, redirects, routes, sends, startOrigin } from '../support/origin.ts';
import { decoded, encoded, noise, photoLike, redGreenBlue } from '../support/pictures.ts';
import { startRedis } from '../support/redis.ts';
import { type Service, startService } from '../support/service.ts';
import { redisServer } from '../support/tools.ts';

/** Both services as processes of their own, and real requests over HTTP. */
describe('the whole service over HTTP', () => {
  let service: Service;
  let origin: Origin;
  let folder: string;
  let png: Uint8Array<ArrayBuffer>;

  beforeAll(async () => {
    png = await encoded(redGreenBlue, 'png');
    origin = await startOrigin(
      routes({
        '/image.png': sends(await encoded(noise(40, 30, 5), 'png'), {
          etag: '"v1"',
          'cache-control': 'no-cache',
        }),
        '/fresh.png': sends(await encoded(noise(41, 30, 6), 'png'), {
          etag: '"v1"',
          'cache-control': 'max-age=600',
        }),
        '/busy': (_request, response) => void response.writeHead(429, { 'retry-after': '9' }).end(),
        '/page': sends('<!doctype html><title>no image</title>', { 'content-type': 'image/png' }),
        '/inside': redirects(302, 'http://169.254.169.254/latest/meta-data/'),
        '/circle': redirects(302, '/circle'),
        '/slow': (_request, response) => void response.writeHead(200).write('x'),
      }),
    );
    folder = await mkdtemp(join(tmpdir(), 'http-'));
    const headersFile = join(folder, 'headers.json');
    await writeFile(headersFile, JSON.stringify({ [`127.0.0.1:${origin.port}`]: { 'X-Token': 'secret' } }));
    service = await startService({
      processor: {
        ORIGIN_HEADERS_FILE: headersFile,
        ORIGIN_USER_AGENT: 'images/1.0 (ops@example.com)',
        URL_ALLOWED_HOSTS: '127.0.0.1',
        DOWNLOAD_TIMEOUT_MS: '1500',
        MAX_SOURCE_PIXELS: '7000000',
        MAX_SOURCE_BYTES: '4000000',
      },
      api: { MAX_UPLOAD_BYTES: '4000000', REQUEST_TIMEOUT_MS: '20000' },
    });
  });
  afterAll(async () => {
    await service?.stop();
    await origin?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const send = (query: string, body: Uint8Array<ArrayBuffer>): Promise<Response> =>
    fetch(`${service.url}/v1/images${query}`, { method: 'POST', body });
  const get = (url: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${service.url}/v1/images?scale=false&grayscale=false&url=${encodeURIComponent(url)}`, { headers });
  const bytesOf = async (response: Response): Promise<Uint8Array> =>
    new Uint8Array(await response.arrayBuffer());
  const reasonOf = async (response: Response): Promise<unknown> => [
    response.status,
    ((await response.json()) as { reason: string }).reason,
  ];

  it('sends megabytes whole to a caller that reads late, after others have come and left', async () => {
    const query = '?width=800&height=800&grayscale=false&format=raw';
    const body = await encoded(photoLike(300, 300), 'jpeg');
    const late = await send(query, body);
    const left = await send(query, body);
    await left.body?.cancel();
    const others = await Promise.all([send(query, body), send(query, body)]);
    const [one, other] = await Promise.all(others.map((response) => response.arrayBuffer()));
    const tensor = Buffer.from(await late.arrayBuffer());
    expect(tensor.length).toBe(800 * 800 * 3 * 4);
    expect(tensor.equals(Buffer.from(one as ArrayBuffer))).toBe(true);
    expect(tensor.equals(Buffer.from(other as ArrayBuffer))).toBe(true);
  });

  it('turns a 2725 × 2225 JPEG into a gray JPEG of 1024 × 768 without any option', async () => {
    const body = new FormData();
    const photo = await encoded(photoLike(2725, 2225), 'jpeg', { quality: 80 });
    body.set('image', new Blob([photo]), 'photo.jpg');
    const response = await fetch(`${service.url}/v1/images`, { method: 'POST', body });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    const { width, height, channels } = await decoded(await bytesOf(response));
    expect([width, height, channels]).toEqual([1024, 768, 1]);
  });

  it('returns a PNG for a PNG', async () => {
    const response = await send('', await encoded(noise(50, 40), 'png'));
    expect(response.headers.get('content-type')).toBe('image/png');
    const { width, height, channels } = await decoded(await bytesOf(response));
    expect([width, height, channels]).toEqual([1024, 768, 1]);
  });

  it('turns pure red, green and blue into 76, 150 and 29', async () => {
    const { pixels } = await decoded(await bytesOf(await send('?scale=false', png)));
    expect([...pixels]).toEqual([76, 150, 29]);
  });

  it('computes the gray of the library that numerics names, and reports its version', async () => {
    for (const [numerics, gray, version] of [
      ['exact', [76, 150, 29], '"3+pillow-13.0"'],
      ['pillow', [76, 150, 29], '"3+pillow-13.0"'],
      ['torch', [76, 149, 29], '"2+torch-2.15-cpu"'],
      ['opencv', [76, 150, 29], '"1+opencv-5.0"'],
      ['fast', [76, 150, 29], '"5+libvips"'],
    ] as const) {
      const response = await send(`?scale=false&numerics=${numerics}`, png);
      expect(response.headers.get('image-numerics')).toBe(version);
      expect([...(await decoded(await bytesOf(response))).pixels]).toEqual(gray);
    }
  });

  it('refuses a filter that the library of the numerics does not have, and lists those that it has', async () => {
    const response = await send('?width=2&numerics=opencv&filter=lanczos', png);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'filter', allowed: 'one of nearest, box, bilinear, bicubic with opencv numerics' },
    });
  });

  it('returns a tensor that NumPy loads: shape, type and values', async () => {
    const response = await send('?scale=false&grayscale=false&format=npy&mean=0.5&std=0.5', png);
    expect(response.headers.get('content-type')).toBe('application/x-npy');
    const content = Buffer.from(await bytesOf(response));
    expect(content.subarray(10, 80).toString('latin1')).toContain(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 1, 3), }",
    );
    const values = Array.from({ length: 9 }, (_, at) => content.readFloatLE(content.length - 36 + at * 4));
    expect(values).toEqual([1, -1, -1, -1, 1, -1, -1, -1, 1]);
  });

  it('reports a hit the second time, and processes nothing again', async () => {
    const picture = await encoded(noise(64, 64, 77), 'png');
    const first = await send('?width=8&height=8', picture);
    const second = await send('?width=8&height=8', picture);
    expect(first.headers.get('cache-status')).toContain('fwd=miss');
    expect(second.headers.get('cache-status')).toContain('hit');
    expect(second.headers.get('server-timing')).not.toContain('decode');
    expect(await bytesOf(second)).toEqual(await bytesOf(first));
  });

  it('revalidates an image with its origin before it is stale if the caller sends no-cache', async () => {
    const url = origin.url('/fresh.png');
    const requestCount = () => origin.requests.filter(({ path }) => path === '/fresh.png').length;
    await get(url);
    expect((await get(url)).headers.get('cache-status')).toContain('hit');
    expect(requestCount()).toBe(1);
    expect((await get(url, { 'cache-control': 'no-cache' })).status).toBe(200);
    expect(requestCount()).toBe(2);
    const post = (path: string, body: unknown, headers = {}) =>
      fetch(`${service.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
    expect((await post('/v1/images', { url }, { 'cache-control': 'no-cache' })).status).toBe(200);
    expect(requestCount()).toBe(3);
    const process = '/image.v1.ProcessorService/Process';
    expect((await post(process, { url }, { 'cache-control': 'no-cache' })).status).toBe(200);
    expect(requestCount()).toBe(4);
    expect((await post(process, { url })).status).toBe(200);
    expect(requestCount()).toBe(4);
  });

  it('sends an origin the headers that the operator has set for it', async () => {
    await get(origin.url('/image.png'));
    expect(origin.requests.at(-1)?.headers).toMatchObject({
      'user-agent': 'images/1.0 (ops@example.com)',
      'x-token': 'secret',
    });
  });

  it('passes on when an origin asks to try again later', async () => {
    const response = await get(origin.url('/busy'));
    expect(response.headers.get('retry-after')).toBe('9');
    expect(await response.json()).toMatchObject({ retryable: true, metadata: { status: '429' } });
  });

  it('processes the same image once, sent as bytes and by URL, and revalidates it with the origin', async () => {
    const sent = await send('?scale=false&grayscale=false', await encoded(noise(40, 30, 5), 'png'));
    const byUrl = await get(origin.url('/image.png'));
    expect(byUrl.headers.get('cache-status')).toContain('hit');
    expect(byUrl.headers.get('etag')).toBe(sent.headers.get('etag'));
    expect(await bytesOf(byUrl)).toEqual(await bytesOf(sent));
    const again = await get(origin.url('/image.png'), { 'if-none-match': String(byUrl.headers.get('etag')) });
    expect(again.status).toBe(304);
    expect(origin.requests.filter(({ path }) => path === '/image.png').at(-1)?.headers['if-none-match']).toBe(
      '"v1"',
    );
  });

  it.each([
    ['an address that is not public', (): string => 'http://169.254.169.254/', 403, 'URL_ADDRESS_FORBIDDEN'],
    ['a redirect to one', (): string => origin.url('/inside'), 403, 'URL_ADDRESS_FORBIDDEN'],
    ['a redirect in a circle', (): string => origin.url('/circle'), 502, 'ORIGIN_REDIRECTS_OVER_LIMIT'],
    ['an origin that responds with 404', (): string => origin.url('/nothing'), 502, 'ORIGIN_STATUS'],
    ['an origin that responds with HTML', (): string => origin.url('/page'), 415, 'FORMAT_UNSUPPORTED'],
    ['an origin that never ends', (): string => origin.url('/slow'), 504, 'ORIGIN_TIMEOUT'],
    ['a file', (): string => 'file:///etc/passwd', 400, 'URL_SCHEME_UNSUPPORTED'],
    ['no URL', (): string => 'not a URL', 400, 'URL_INVALID'],
    ['a name without an address', (): string => 'http://nowhere.invalid/', 403, 'URL_ADDRESS_FORBIDDEN'],
    ['an origin that asks to try again later', (): string => origin.url('/busy'), 503, 'ORIGIN_BUSY'],
  ] as const)('refuses a URL that is or leads to %s', async (_what, url, status, reason) => {
    expect(await reasonOf(await get(url()))).toEqual([status, reason]);
  });

  it.each([
    ['a text file, whatever its name', new TextEncoder().encode('hello'), 415, 'FORMAT_UNSUPPORTED'],
    [
      'an SVG',
      new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>'),
      415,
      'FORMAT_UNSUPPORTED',
    ],
    ['nothing', new Uint8Array(), 400, 'SOURCE_MISSING'],
    ['more bytes than the limit', new Uint8Array(4_000_001), 413, 'SOURCE_BYTES_OVER_LIMIT'],
  ] as const)('refuses %s', async (_what, body, status, reason) => {
    expect(await reasonOf(await send('', new Uint8Array(body)))).toEqual([status, reason]);
  });

  it.each(['jpeg', 'png'] as const)(
    'refuses a %s that is cut off, and gives no pixels of it',
    async (format) => {
      const whole = await encoded(photoLike(300, 200), format);
      const response = await send('', whole.slice(0, whole.length >> 1));
      expect(await reasonOf(response)).toEqual([422, 'IMAGE_CORRUPT']);
    },
  );

  it('refuses a progressive JPEG over the pixel limit by its header, with the limit and the actual value', async () => {
    const large = await encoded(photoLike(3000, 2500), 'jpeg', { quality: 20, progressive: true });
    const response = await send('', large);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      reason: 'SOURCE_PIXELS_OVER_LIMIT',
      metadata: { limit: '7000000', actual: '7500000', width: '3000', height: '2500' },
    });
  });

  it('ends with 0 at SIGTERM, after the request that was in flight', async () => {
    await using other = await startService({ processor: { URL_ALLOWED_HOSTS: '127.0.0.1' } });
    const requested = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    await using holding = await startOrigin((_request, response) => {
      requested.resolve();
      void released.promise.then(() => response.end(png));
    });
    const response = fetch(`${other.url}/v1/images?scale=false&url=${encodeURIComponent(holding.url('/'))}`);
    await requested.promise;
    const codes = other.stop();
    // The API accepts no new requests while the old one is in flight.
    await expect
      .poll(() =>
        fetch(`${other.url}/healthz`).then(
          () => 'taken',
          () => 'refused',
        ),
      )
      .toBe('refused');
    released.resolve();
    expect((await response).status).toBe(200);
    expect(await codes).toEqual({ api: 0, processor: 0 });
  });

  it('reports that no processor can be reached, and resumes when one is back', async () => {
    await using other = await startService();
    other.processor.kill('SIGKILL');
    await other.processor.exited;
    const response = await fetch(`${other.url}/v1/images`, { method: 'POST', body: png });
    expect(response.headers.get('retry-after')).toBe('2');
    expect(await reasonOf(response)).toEqual([503, 'PROCESSOR_UNAVAILABLE']);
    expect((await fetch(`${other.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${other.url}/readyz`)).status).toBe(503);
  });

  it.skipIf(redisServer === undefined)(
    'shares responses between two processors by Redis, and works when Redis dies',
    async () => {
      await using redis = await startRedis();
      await using one = await startService({ processor: { REDIS_URL: redis.url } });
      await using two = await startService({ processor: { REDIS_URL: redis.url } });
      const ask = (at: Service, picture: Uint8Array<ArrayBuffer>): Promise<Response> =>
        fetch(`${at.url}/v1/images?width=16&height=16`, { method: 'POST', body: picture });
      // The response is sent before Redis stores it, and a cache may evict it: another picture for each try.
      let seed = 9;
      const outputs = new Map<string, Uint8Array>();
      const sharedBy = async (): Promise<string> => {
        const picture = await encoded(noise(32, 32, seed++), 'png');
        const first = await ask(one, picture);
        outputs.set(String(first.headers.get('etag')), await bytesOf(first));
        const second = await ask(two, picture);
        expect(outputs.get(String(second.headers.get('etag')))).toEqual(await bytesOf(second));
        return String(second.headers.get('cache-status'));
      };
      await expect.poll(sharedBy, { timeout: 20_000 }).toContain('detail=redis');
      await redis.stop();
      const afterwards = await ask(one, await encoded(noise(32, 32, 1000), 'png'));
      expect(afterwards.status).toBe(200);
      expect(afterwards.headers.get('cache-status')).toContain('fwd=miss');
    },
  );
});
