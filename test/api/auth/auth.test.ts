import { hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ProcessorService } from '../../../gen/image/v1/processor_pb.ts';
import { announceAuthentication, createGate } from '../../../src/api/auth/auth.ts';
import { signLink } from '../../../src/api/auth/signed-links.ts';
import { readApiConfig } from '../../../src/api/config.ts';
import { openApiDocument } from '../../../src/api/openapi/openapi.ts';
import { failureFromConnectError } from '../../../src/grpc/rpc-failures.ts';
import {
  plainResponse,
  problemOf,
  type ScriptedProcessor,
  send,
  startScriptedProcessor,
  startTestApi,
  type TestApi,
} from '../../support/api.ts';

const bytes = new Uint8Array([1, 2, 3]);
const [alphaKey, betaKey, slowKey] = ['alpha-key-of-a-team', 'beta-key-of-a-team', 'slow-key-of-a-team'];
const linkSecret = 'the secret that links are signed with';
const folder = mkdtempSync(join(tmpdir(), 'auth-'));
const keysPath = join(folder, 'keys.json');
const linksPath = join(folder, 'links.json');

const keyEntry = (id: string, key: string, more = {}) => ({ id, sha256: hash('sha256', key), ...more });
const keysText = JSON.stringify({
  keys: [
    keyEntry('alpha', alphaKey),
    keyEntry('beta', betaKey),
    // Two at once, and then one in 1000 seconds.
    keyEntry('slow', slowKey, { requests_per_second: 0.001, burst: 2 }),
  ],
});

let processor: ScriptedProcessor;
let api: TestApi;

beforeAll(async () => {
  writeFileSync(keysPath, keysText);
  writeFileSync(linksPath, JSON.stringify({ secrets: [{ id: '2026-11', secret: linkSecret }] }));
  processor = await startScriptedProcessor();
  api = await startTestApi({
    PROCESSOR_URL: processor.url,
    API_KEYS_FILE: keysPath,
    LINK_SECRETS_FILE: linksPath,
    CORS_ORIGINS: 'https://app.example',
  });
});
beforeEach(() => processor.reset());
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await processor[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const post = (headers: Record<string, string>, to = api, query = '') =>
  fetch(`${to.url}/v1/images${query}`, { method: 'POST', body: bytes, headers });

/** A link with its signature, good until a second in 2100. */
function link(query: Record<string, string>): string {
  const parameters = new URLSearchParams({ expires: '4102444800', ...query });
  parameters.set('signature', signLink(linkSecret, '/v1/images', parameters));
  return `/v1/images?${parameters}`;
}

describe(createGate, () => {
  describe('with API keys', () => {
    it.each([
      ['Authorization: Bearer', { Authorization: `Bearer ${alphaKey}` }],
      ['X-API-Key', { 'X-API-Key': betaKey }],
      ['Bearer beside an empty X-API-Key', { 'X-API-Key': '', Authorization: `Bearer ${alphaKey}` }],
    ])('lets in who sends one as %s', async (_words, headers) => {
      const response = await post(headers as unknown as Record<string, string>);
      expect(response.status).toBe(200);
      expect(processor.requests.length).toBe(1);
    });

    it.each([
      ['no key', {}, 'Bearer realm="image-api"'],
      ['an unknown key', { 'X-API-Key': 'gamma' }, 'Bearer realm="image-api", error="invalid_token"'],
      [
        'the hash of a key',
        { 'X-API-Key': hash('sha256', alphaKey) },
        'Bearer realm="image-api", error="invalid_token"',
      ],
      ["a key's id", { Authorization: 'Bearer alpha' }, 'Bearer realm="image-api", error="invalid_token"'],
      [
        'two keys in one',
        { 'X-API-Key': `${alphaKey}, ${alphaKey}` },
        'Bearer realm="image-api", error="invalid_token"',
      ],
      ['a password', { Authorization: 'Basic YTpi' }, 'Bearer realm="image-api"'],
    ])('keeps out who sends %s', async (_words, headers, challenge) => {
      const response = await post(headers as Record<string, string>);
      expect(response.headers.get('www-authenticate')).toBe(challenge);
      expect(await problemOf(response)).toMatchObject({ status: 401, reason: 'UNAUTHENTICATED' });
      expect(processor.requests).toEqual([]);
    });

    it('marks responses to a key as private', async () => {
      const url = `${api.url}/v1/images?url=https://images.example/cat.jpg`;
      const get = await fetch(url, { headers: { 'X-API-Key': alphaKey } });
      expect(get.headers.get('cache-control')).toBe('private, no-cache');
      const etag = get.headers.get('etag') ?? '';
      const known = await fetch(url, { headers: { 'X-API-Key': alphaKey, 'If-None-Match': etag } });
      expect([known.status, known.headers.get('cache-control')]).toEqual([304, 'private, no-cache']);
      expect((await post({ 'X-API-Key': alphaKey })).headers.get('cache-control')).toBe('no-store');
    });

    it("tells the processor the key's name, and the client's address for a signed link", async () => {
      const names: (string | null)[] = [];
      processor.script.process = (_request, { requestHeader }) => {
        names.push(requestHeader.get('x-image-caller'));
        return plainResponse;
      };
      await post({ 'X-API-Key': alphaKey, 'x-image-caller': 'key:beta' });
      await fetch(`${api.url}${link({ url: 'https://images.example/cat.jpg' })}`);
      expect(names).toEqual(['key:alpha', 'ip:127.0.0.1']);
    });

    it('refuses callers before it reads their bodies', async () => {
      const response = await send(`${api.url}/v1/images`, {
        method: 'POST',
        headers: { Expect: '100-continue', 'Content-Length': 1_000_000 },
        chunks: [new Uint8Array(1_000_000)],
      });
      expect(response.status).toBe(401);
      expect(response.gotContinue).toBe(false);
    });

    it('refuses callers at every method and spelling of a path that leads to images', async () => {
      for (const method of ['GET', 'HEAD', 'POST']) {
        for (const path of [
          '/v1/images',
          '/v1/images?url=https://a.example/',
          '/v1/%69mages',
          '//v1/images',
          '/v1/./images',
        ]) {
          const { status } = await fetch(api.url + path, { method });
          expect([401, 404], `${method} ${path}`).toContain(status);
        }
      }
      expect(processor.requests).toEqual([]);
    });

    it('refuses callers at every method of the service', async () => {
      for (const method of ProcessorService.methods) {
        const isUnary = method.methodKind === 'unary';
        const response = await fetch(`${api.url}/${ProcessorService.typeName}/${method.name}`, {
          method: 'POST',
          headers: { 'Content-Type': isUnary ? 'application/json' : 'application/connect+json' },
          body: isUnary ? '{}' : new Uint8Array(),
        });
        expect(response.status, method.name).toBe(isUnary ? 401 : 200);
        expect(await response.text(), method.name).toContain('"code":"unauthenticated"');
      }
      expect(processor.requests).toEqual([]);
    });

    it.each(['/healthz', '/readyz', '/metrics', '/openapi.json', '/problems/UNAUTHENTICATED'])(
      'asks nobody at %s',
      async (path) => {
        expect((await fetch(api.url + path)).status).toBe(200);
      },
    );

    it('allows a preflight without a key, and names the headers for keys', async () => {
      for (const path of ['/v1/images', '/image.v1.ProcessorService/Process']) {
        const { status, headers } = await fetch(api.url + path, {
          method: 'OPTIONS',
          headers: {
            Origin: 'https://app.example',
            'Access-Control-Request-Method': 'POST',
            'Access-Control-Request-Headers': 'authorization,x-api-key',
          },
        });
        expect(status).toBe(204);
        expect(headers.get('access-control-allow-headers')?.split(',')).toEqual(
          expect.arrayContaining(['Authorization', 'X-API-Key']),
        );
      }
    });

    it('lets a page of a named origin read why it is refused', async () => {
      const { headers } = await post({ Origin: 'https://app.example' });
      expect(headers.get('access-control-allow-origin')).toBe('https://app.example');
      expect(headers.get('access-control-expose-headers')?.split(',')).toEqual(
        expect.arrayContaining(['WWW-Authenticate', 'Retry-After', 'RateLimit', 'RateLimit-Policy']),
      );
    });

    it("has the key's id in the access log, and never the key", async () => {
      await post({ 'X-API-Key': alphaKey, 'X-Request-Id': 'in-1' });
      expect(await api.accessLine('in-1')).toMatchObject({ key_id: 'alpha', status: 200 });
      await post({ Authorization: 'Bearer gamma-ray', 'X-Request-Id': 'in-2' });
      const line = await api.accessLine('in-2');
      expect(line).toMatchObject({ status: 401, reason: 'UNAUTHENTICATED' });
      expect(line).not.toHaveProperty('key_id');
      const log = JSON.stringify(api.lines);
      for (const secret of [alphaKey, 'gamma-ray', linkSecret]) expect(log).not.toContain(secret);
    });

    it('accepts a new key and no longer an old one, without a restart', async () => {
      const path = join(folder, 'rotated.json');
      const write = (...keys: string[]) =>
        writeFileSync(path, JSON.stringify({ keys: keys.map((key, at) => keyEntry(`${at}`, key)) }));
      write('old');
      await using other = await startTestApi({ PROCESSOR_URL: processor.url, API_KEYS_FILE: path });
      const status = async (key: string) => (await post({ 'X-API-Key': key }, other)).status;
      expect([await status('old'), await status('new')]).toEqual([200, 401]);
      write('old', 'new');
      await expect.poll(() => status('new'), { timeout: 10_000 }).toBe(200);
      expect(await status('old')).toBe(200);
      writeFileSync(path, '{"keys": [');
      await expect.poll(() => other.lines.some(({ level }) => level === 50), { timeout: 10_000 }).toBe(true);
      expect(await status('new')).toBe(200);
      write('new');
      await expect.poll(() => status('old'), { timeout: 10_000 }).toBe(401);
      expect(await status('new')).toBe(200);
    });
  });

  describe('with a rate limit', () => {
    it('lets the burst through and then states when to try again', async () => {
      await using other = await startTestApi({ PROCESSOR_URL: processor.url, API_KEYS_FILE: keysPath });
      for (const remaining of [1, 0]) {
        const { status, headers } = await post({ 'X-API-Key': slowKey }, other);
        expect(status).toBe(200);
        expect(headers.get('ratelimit-policy')).toBe('"key";q=2;w=2000');
        expect(headers.get('ratelimit')).toMatch(new RegExp(`^"key";r=${remaining};t=(1\\d{3}|2000)$`));
      }
      processor.reset();
      const refused = await post({ 'X-API-Key': slowKey, 'X-Request-Id': 'slow' }, other);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(1000);
      expect(refused.headers.get('ratelimit')).toMatch(/^"key";r=0;t=\d+$/);
      expect(await problemOf(refused)).toMatchObject({
        status: 429,
        reason: 'RATE_LIMITED',
        metadata: { limit: '0.001', burst: '2' },
      });
      expect(processor.requests).toEqual([]);
      expect(await other.accessLine('slow')).toMatchObject({ key_id: 'slow', reason: 'RATE_LIMITED' });
      // Other requests are not delayed.
      expect((await post({ 'X-API-Key': alphaKey }, other)).status).toBe(200);
    });

    it('uses the limit of the environment for keys without their own', async () => {
      await using other = await startTestApi({
        PROCESSOR_URL: processor.url,
        API_KEYS_FILE: keysPath,
        RATE_LIMIT_RPS: '5',
        RATE_LIMIT_BURST: '50',
      });
      const policy = async (key: string) =>
        (await post({ 'X-API-Key': key }, other)).headers.get('ratelimit-policy');
      expect(await policy(alphaKey)).toBe('"key";q=50;w=10');
      expect(await policy(slowKey)).toBe('"key";q=2;w=2000');
    });

    it('sends no limit headers for keys without limits', async () => {
      expect((await post({ 'X-API-Key': alphaKey })).headers.get('ratelimit')).toBeNull();
    });
  });

  describe('with signed links', () => {
    it.each([
      ['LINK_MAX_AGE_SECONDS', 4_000, 300],
      ['what is left of its expiry', 100, 100],
    ])('has responses that caches keep for %s at most', async (_words, secondsLeft, mostSeconds) => {
      const expires = String(Math.floor(Date.now() / 1000) + secondsLeft);
      const path = link({ url: 'https://images.example/cat.jpg', expires });
      const response = await fetch(`${api.url}${path}`);
      const [, maxAge] = /^public, max-age=(\d+)$/.exec(response.headers.get('cache-control') ?? '') ?? [];
      expect(Number(maxAge)).toBeLessThanOrEqual(mostSeconds);
      expect(Number(maxAge)).toBeGreaterThan(mostSeconds - 60);
    });

    it('admits a request with one, for the image that it was made for', async () => {
      const response = await fetch(api.url + link({ url: 'https://a.example/b.jpg', width: '7' }), {
        headers: { 'X-Request-Id': 'link-1' },
      });
      expect(response.status).toBe(200);
      expect(processor.request()).toMatchObject({
        source: { case: 'url', value: 'https://a.example/b.jpg' },
        resize: { width: 7 },
      });
      const line = await api.accessLine('link-1');
      expect(line).toMatchObject({ link_id: '2026-11', path: '/v1/images' });
      expect(JSON.stringify(line)).not.toContain('signature');
    });

    it('handles HEAD as GET', async () => {
      const { status } = await fetch(api.url + link({ url: 'https://a.example/' }), { method: 'HEAD' });
      expect(status).toBe(200);
    });

    it.each([
      ['another width', '&width=8', 403, 'SIGNATURE_INVALID'],
      ['a second url', '&url=https://b.example/', 403, 'SIGNATURE_INVALID'],
    ])('keeps out who adds %s', async (_words, more, status, reason) => {
      const response = await fetch(api.url + link({ url: 'https://a.example/', width: '7' }) + more);
      expect(await problemOf(response)).toMatchObject({ status, reason });
      expect(processor.requests).toEqual([]);
    });

    it('reports that a valid link has expired', async () => {
      const response = await fetch(api.url + link({ url: 'https://a.example/', expires: '1700000000' }));
      expect(await problemOf(response)).toMatchObject({
        status: 403,
        reason: 'LINK_EXPIRED',
        metadata: { expires: '1700000000' },
      });
    });

    it('is valid only for GET: a signature admits no upload', async () => {
      const response = await fetch(api.url + link({ width: '7' }), { method: 'POST', body: bytes });
      expect(await problemOf(response)).toMatchObject({ status: 401, reason: 'UNAUTHENTICATED' });
      expect(processor.requests).toEqual([]);
    });

    it('is an unknown option where no links are set up', async () => {
      await using other = await startTestApi({ PROCESSOR_URL: processor.url });
      const response = await fetch(other.url + link({ url: 'https://a.example/' }));
      expect(await problemOf(response)).toMatchObject({ status: 400, reason: 'OPTION_UNKNOWN' });
    });

    it('refuses every request without a link if there are no API keys', async () => {
      await using other = await startTestApi({ PROCESSOR_URL: processor.url, LINK_SECRETS_FILE: linksPath });
      expect((await post({ 'X-API-Key': alphaKey }, other)).status).toBe(401);
      expect((await fetch(`${other.url}/v1/images?url=https://a.example/`)).status).toBe(401);
      expect((await fetch(other.url + link({ url: 'https://a.example/' }))).status).toBe(200);
    });
  });

  describe.each([
    ['Connect', createConnectTransport, 'application/proto'],
    ['gRPC-Web', createGrpcWebTransport, 'application/grpc-web+proto'],
  ] as const)('on the %s interface', (_protocol, createTransport, contentType) => {
    const client = (headers: Record<string, string>, url = api.url) =>
      createClient(
        ProcessorService,
        createTransport({
          baseUrl: url,
          httpVersion: '1.1',
          interceptors: [
            (next) => (request) => {
              for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
              return next(request);
            },
          ],
        }),
      );
    const source = { case: 'content', value: bytes } as const;
    const stream = async (of: ReturnType<typeof client>) => {
      const ids: string[] = [];
      const requests = (async function* () {
        yield { id: 'a', request: { source } };
      })();
      for await (const { id } of of.processStream(requests)) ids.push(id);
      return ids;
    };
    const failure = async (call: Promise<unknown>) => {
      const error = await call.catch((thrown: unknown) => thrown);
      if (!(error instanceof ConnectError)) throw new Error('no ConnectError', { cause: error });
      return { code: error.code, reason: failureFromConnectError(error)?.reason, metadata: error.metadata };
    };

    it('lets a key in', async () => {
      expect((await client({ 'X-API-Key': alphaKey }).process({ source })).width).toBe(4);
      expect((await client({ Authorization: `Bearer ${betaKey}` }).process({ source })).width).toBe(4);
    });

    it.each([[{}], [{ 'X-API-Key': 'gamma' }]])('keeps %j out of calls and streams', async (headers) => {
      const unknown = client(headers as Record<string, string>);
      const unary = await failure(unknown.process({ source }));
      expect(unary).toMatchObject({ code: Code.Unauthenticated, reason: 'UNAUTHENTICATED' });
      expect(unary.metadata.get('www-authenticate')).toContain('Bearer realm="image-api"');
      expect(await failure(stream(unknown))).toMatchObject({
        code: Code.Unauthenticated,
        reason: 'UNAUTHENTICATED',
      });
      expect(processor.requests).toEqual([]);
    });

    it('refuses callers before it reads their messages', async () => {
      const response = await send(`${api.url}/image.v1.ProcessorService/Process`, {
        method: 'POST',
        headers: {
          Expect: '100-continue',
          'Content-Length': 1_000_000,
          'Content-Type': contentType,
          'Connect-Protocol-Version': '1',
        },
        chunks: [new Uint8Array(1_000_000)],
      });
      expect(response.gotContinue).toBe(false);
      expect(response.status).toBe(contentType === 'application/proto' ? 401 : 200);
    });

    it('applies the rate limit of the key', async () => {
      await using other = await startTestApi({ PROCESSOR_URL: processor.url, API_KEYS_FILE: keysPath });
      const slow = client({ 'X-API-Key': slowKey }, other.url);
      await slow.process({ source });
      await slow.process({ source });
      const refused = await failure(slow.process({ source }));
      expect(refused).toMatchObject({ code: Code.ResourceExhausted, reason: 'RATE_LIMITED' });
      expect(Number(refused.metadata.get('retry-after'))).toBeGreaterThan(1000);
    });
  });

  it('admits every caller when neither keys nor links are set up', async () => {
    await using other = await startTestApi({ PROCESSOR_URL: processor.url });
    expect((await post({}, other)).status).toBe(200);
    expect((await post({ Authorization: 'Bearer whatever' }, other)).status).toBe(200);
  });
});

describe(announceAuthentication, () => {
  const announced = (environment: Record<string, string>) => {
    const lines: { level: number; msg: string }[] = [];
    const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
    announceAuthentication(readApiConfig(environment), log);
    return lines;
  };

  it.each(['127.0.0.1', '127.3.2.1', '::1', 'localhost'])('says at %s that it is off', (HOST) => {
    const words = 'authentication is off: only this machine reaches the port';
    expect(announced({ HOST })).toMatchObject([{ level: 30, msg: words }]);
  });

  it.each(['0.0.0.0', '::', '10.1.2.3', 'api.example'])('warns at %s, which others reach', (HOST) => {
    expect(announced({ HOST })).toMatchObject([
      {
        level: 40,
        msg: expect.stringContaining('HOST is not loopback: everybody who reaches the port may use it'),
      },
    ]);
  });

  it('logs nothing when keys or links are set up', () => {
    expect(announced({ HOST: '0.0.0.0', API_KEYS_FILE: keysPath })).toEqual([]);
    expect(announced({ HOST: '0.0.0.0', LINK_SECRETS_FILE: linksPath })).toEqual([]);
  });
});

describe(readApiConfig, () => {
  it.each([
    [
      { API_KEYS_FILE: '/nowhere' },
      /^API_KEYS_FILE is "\/nowhere"; allowed: .*it cannot be read \(ENOENT\)$/,
    ],
    [{ LINK_SECRETS_FILE: '/nowhere' }, /^LINK_SECRETS_FILE is .*; allowed: .*\(ENOENT\)$/],
    [{ RATE_LIMIT_RPS: '5' }, /^RATE_LIMIT_RPS is "5"; allowed: only with API_KEYS_FILE$/],
    [
      { API_KEYS_FILE: keysPath, RATE_LIMIT_BURST: '5' },
      /^RATE_LIMIT_BURST is "5"; allowed: only with RATE_LIMIT_RPS$/,
    ],
  ])('stops at %j', (environment, message) => {
    expect(() => readApiConfig(environment as Record<string, string>)).toThrow(message);
  });

  it('stops at a file of keys with invalid content, and does not quote it', () => {
    const path = join(folder, 'wrong.json');
    onTestFinished(() => rmSync(path));
    writeFileSync(path, JSON.stringify({ keys: [{ id: 'a', sha256: 'my-secret-key' }] }));
    const read = () => readApiConfig({ API_KEYS_FILE: path });
    expect(read).toThrow("keys.0.sha256: SHA-256 of the key's text, 64 hexadecimal digits");
    expect(read).not.toThrow('my-secret-key');
  });
});

describe(openApiDocument, () => {
  const document = (environment: Record<string, string>) =>
    openApiDocument(readApiConfig(environment)) as {
      components: { securitySchemes?: Record<string, unknown> };
      paths: Record<string, Record<'get' | 'post', { security?: unknown; responses: object }>>;
    };

  it('lists the security schemes, and for each path those that it accepts', () => {
    const { components, paths } = document({ API_KEYS_FILE: keysPath, LINK_SECRETS_FILE: linksPath });
    expect(components.securitySchemes).toMatchObject({
      bearerKey: { type: 'http', scheme: 'bearer' },
      headerKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      signedLink: { type: 'apiKey', in: 'query', name: 'signature' },
    });
    const byKey = [{ bearerKey: [] }, { headerKey: [] }];
    expect(paths['/v1/images']?.get.security).toEqual([...byKey, { signedLink: [] }]);
    expect(paths['/v1/images']?.post.security).toEqual(byKey);
    expect(paths['/image.v1.ProcessorService/Process']?.post.security).toEqual(byKey);
    expect(paths['/healthz']?.get).not.toHaveProperty('security');
    for (const status of ['401', '403', '429']) {
      expect(paths['/v1/images']?.get.responses).toHaveProperty(status);
    }
  });

  it('has none of that where authentication is off', () => {
    const { components, paths } = document({});
    expect(components).not.toHaveProperty('securitySchemes');
    expect(paths['/v1/images']?.get).not.toHaveProperty('security');
    expect(paths['/v1/images']?.get.responses).not.toHaveProperty('401');
    expect(paths['/v1/images']?.get.responses).not.toHaveProperty('429');
  });
});
