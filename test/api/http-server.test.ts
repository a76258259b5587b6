import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttpServer } from '../../src/api/http-server.ts';
import { startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ PROCESSOR_URL: 'http://127.0.0.1:1' });
});
afterAll(() => api[Symbol.asyncDispose]());

/** Sends the bytes. @returns everything received until the connection ends */
const exchange = (...parts: readonly (string | Buffer)[]) =>
  exchangeWith(Number(new URL(api.url).port), ...parts);

async function exchangeWith(port: number, ...parts: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  for (const part of parts) socket.write(part);
  const chunks: Buffer[] = [];
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

const post = 'POST /v1/images HTTP/1.1\r\nHost: a\r\n';

describe(createHttpServer, () => {
  it.each<[what: string, status: number, reason: string, bytes: string | Buffer]>([
    ['bytes that are not HTTP', 400, 'REQUEST_INVALID', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00])],
    ['a client that speaks HTTP/2', 400, 'REQUEST_INVALID', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['an unknown HTTP version', 400, 'REQUEST_INVALID', 'GET / HTTP/3.7\r\nHost: a\r\n\r\n'],
    ['a broken header', 400, 'REQUEST_INVALID', 'GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n'],
    ['a bad Content-Length', 400, 'REQUEST_INVALID', `${post}Content-Length: -1\r\n\r\n`],
    [
      'Content-Length beside Transfer-Encoding',
      400,
      'REQUEST_INVALID',
      `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['two Hosts', 400, 'REQUEST_INVALID', 'GET /healthz HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n'],
    ['the same Host twice', 400, 'REQUEST_INVALID', 'GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n'],
    ['no Host', 400, 'REQUEST_INVALID', 'GET /healthz HTTP/1.1\r\n\r\n'],
    [
      'a Host that is none',
      400,
      'REQUEST_INVALID',
      'GET /healthz HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n',
    ],
    ['a bad chunk', 400, 'REQUEST_INVALID', `${post}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`],
    [
      'long headers',
      431,
      'HEADERS_TOO_LARGE',
      `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`,
    ],
    ['a long path', 431, 'HEADERS_TOO_LARGE', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    [
      'long chunk extensions',
      413,
      'CHUNK_EXTENSIONS_TOO_LARGE',
      `${post}Transfer-Encoding: chunked\r\n\r\n2;${'x'.repeat(20_000)}\r\nab\r\n`,
    ],
    [
      'an unknown expectation',
      417,
      'EXPECTATION_UNSUPPORTED',
      `${post}Expect: 200-ok\r\nContent-Length: 1\r\n\r\n`,
    ],
    [
      'CONNECT',
      405,
      'METHOD_NOT_ALLOWED',
      'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n',
    ],
  ])('responds to %s with %i %s', async (_, status, reason, bytes) => {
    const response = await exchange(bytes);
    expect(response).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(response.toLowerCase()).toContain('content-type: application/problem+json');
    const problem = JSON.parse(response.slice(response.indexOf('\r\n\r\n')));
    expect(problem).toMatchObject({ type: `/problems/${reason}`, status, reason });
    expect(response).not.toMatch(/HPE_|Parse Error/);
  });

  it('accepts HTTP/1.0 without a Host', async () => {
    expect(await exchange('GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /);
  });

  it('refuses the second of two requests without an effect on the first', async () => {
    const response = await exchange('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n');
    expect(response.match(/HTTP\/1.1 \d+/g)?.at(-1)).toBe('HTTP/1.1 400');
  });

  it('responds to headers that arrive too slowly with 408', async () => {
    const server = createHttpServer(() => new Response(), pino({ enabled: false }), {
      headersTimeout: 100,
      connectionsCheckingInterval: 20,
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const response = await exchangeWith(port, 'GET / HTTP/1.1\r\nHost:');
    expect(response).toMatch(/^HTTP\/1.1 408 /);
    expect(response).toContain('"reason":"REQUEST_TIMEOUT","retryable":true');
    server.close();
  });

  it('counts requests that Node refuses before the app sees them', async () => {
    const countOf = async (reason: string) => {
      const metrics = await (await fetch(`${api.url}/metrics`)).text();
      const name = `http_request_failures_total{route="none",reason="${reason}"} `;
      return Number(metrics.split(name)[1]?.split('\n', 1)[0] ?? 0);
    };
    const before = await countOf('REQUEST_INVALID');
    await exchange('GET / HTTP/9.9\r\n\r\n');
    await exchange('GET /healthz HTTP/1.1\r\n\r\n');
    expect(await countOf('REQUEST_INVALID')).toBe(before + 2);
  });

  it('still serves requests after all of these refusals', async () => {
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
  });
});
