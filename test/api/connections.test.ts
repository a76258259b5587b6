import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectionOptions, endUnusedConnections, limitConnections } from '../../src/api/connections.ts';
import { type ScriptedProcessor, startScriptedProcessor, startTestApi } from '../support/api.ts';

let processor: ScriptedProcessor;
beforeAll(async () => {
  processor = await startScriptedProcessor();
});
afterAll(() => processor[Symbol.asyncDispose]());

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function open(port: number, bytes = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  sockets.push(socket);
  await once(socket, 'connect');
  socket.write(bytes);
  return socket;
}

const start = (environment: Record<string, string> = {}) =>
  startTestApi({ PROCESSOR_URL: processor.url, ...environment });

const healthz = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';

async function healthIsFine(port: number): Promise<void> {
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
}

/** Resolves when the other end closes the socket. */
async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket.resume(), 'close');
}

/** Sends a request and waits for its response, after which the connection is idle. */
async function ask(socket: Socket): Promise<void> {
  const response = once(socket, 'data');
  socket.write(healthz);
  await response;
}

describe('connectionOptions', () => {
  it('ends half-sent headers, whichever part of them arrived', async () => {
    await using api = await start();
    const startedMs = performance.now();
    const parts = ['', 'GET /hea', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: '];
    // Together, because each connection waits ten seconds.
    const responses = await Promise.all(parts.map(async (bytes) => text(await open(api.port, bytes))));
    for (const response of responses) {
      expect(response === '' || response.includes('REQUEST_TIMEOUT')).toBe(true);
    }
    // Node looks every second; its default is every 30 s.
    expect(performance.now() - startedMs).toBeLessThan(25_000);
    expect(connectionOptions.headersTimeout).toBe(10_000);
  });
});

describe(limitConnections, () => {
  it('ends the longest idle connection of an address that has too many', async () => {
    await using api = await start({ MAX_IDLE_CONNECTIONS_PER_CALLER: '2' });
    const first = await open(api.port);
    await ask(first);
    const second = await open(api.port);
    await ask(second);
    await ask(first);
    await open(api.port);
    await closed(second);
    await ask(first);
  });

  it('ends a half-sent body where an address has too many connections', async () => {
    await using api = await start({ MAX_IDLE_CONNECTIONS_PER_CALLER: '2' });
    const upload = await open(
      api.port,
      'POST /v1/images HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\nabc',
    );
    await open(api.port);
    await open(api.port);
    await closed(upload);
  });

  it('counts no connection with a whole request', async () => {
    await using api = await start({ MAX_IDLE_CONNECTIONS_PER_CALLER: '1' });
    const release = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    processor.script.process = async () => {
      arrived.resolve();
      await release.promise;
      return { key: 'k' };
    };
    const working = await open(
      api.port,
      'POST /v1/images HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc',
    );
    await arrived.promise;
    const idle = [await open(api.port), await open(api.port)] as const;
    await closed(idle[0]);
    release.resolve();
    expect(await text(working)).toMatch(/^HTTP\/1.1 200/);
    processor.reset();
  });

  it('does not limit the connections of a trusted proxy', async () => {
    await using api = await start({
      MAX_IDLE_CONNECTIONS_PER_CALLER: '1',
      MAX_IDLE_CONNECTIONS: '1',
      TRUSTED_PROXIES: '127.0.0.1',
    });
    const idle = [await open(api.port), await open(api.port), await open(api.port)];
    for (const socket of idle) await ask(socket);
    expect(idle.map(({ destroyed }) => destroyed)).toEqual([false, false, false]);
  });

  it.each([
    ['GET', 'GET /healthz'],
    ['POST', 'POST /healthz'],
  ])('ends a connection whose %s has a body that does not come', async (_, line) => {
    await using api = await start({ REQUEST_TIMEOUT_MS: '1' });
    const socket = await open(api.port, `${line} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc`);
    await closed(socket);
    await healthIsFine(api.port);
  });
});

describe(endUnusedConnections, () => {
  it.each([
    ['nothing has come', ''],
    ['half of a request has come', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: '],
    ['a request has been served', healthz],
  ])('lets the server end when it drains although on a connection %s', async (_, bytes) => {
    const api = await start();
    const socket = await open(api.port, bytes);
    await healthIsFine(api.port);
    await api[Symbol.asyncDispose]();
    await closed(socket);
  });
});
