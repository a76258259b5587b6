import { once } from 'node:events';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHttp2Connection } from '../../src/grpc/http2-connection.ts';

async function connectTo(server: Server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connection = createHttp2Connection(`http://127.0.0.1:${port}`, {
    connectTimeoutMs: 2000,
    pingIntervalMs: 50,
  });
  onTestFinished(() => {
    connection.abort();
    server.close();
  });
  const ask = async () => {
    const stream = await connection.request('GET', '/', {}, {});
    const [headers] = (await once(stream, 'response')) as [{ ':status': number }];
    stream.resume();
    await once(stream, 'close');
    return headers[':status'];
  };
  return { connection, ask };
}

describe(createHttp2Connection, () => {
  it('sends all calls over one connection, and opens another after the server has sent GOAWAY', async () => {
    const sessions: ServerHttp2Session[] = [];
    const server = createHttp2Server((_, response) => response.end('hello'));
    server.on('session', (session) => sessions.push(session));
    const { ask } = await connectTo(server);
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([200, 200, 200]);
    expect(sessions).toHaveLength(1);
    sessions[0]?.goaway();
    await expect.poll(async () => [await ask(), sessions.length]).toEqual([200, 2]);
  });

  it('detects a peer that is silent, and opens another connection for the next call', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.on('error', () => {}).resume();
    });
    const { connection } = await connectTo(server);
    for (let calls = 1; calls <= 3; calls++) {
      const stream = await connection.request('GET', '/', {}, {});
      const [error] = await once(stream, 'error').catch((thrown: unknown) => [thrown]);
      expect(ConnectError.from(error)).toMatchObject({ code: Code.Unavailable });
      expect(connections).toBe(calls);
    }
  });

  it('is unavailable, and leaves the event loop free, where nothing listens or connections end at once', async () => {
    const server = createServer((socket) => void socket.resetAndDestroy());
    const { connection } = await connectTo(server);
    const failures = Array.from({ length: 50 }, async () => {
      const stream = await connection.request('GET', '/', {}, {});
      await once(stream, 'close');
    });
    const outcomes = await Promise.allSettled(failures);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    await new Promise((closed) => server.close(closed));
    await expect(connection.request('GET', '/', {}, {})).rejects.toMatchObject({ code: Code.Unavailable });
  });
});
