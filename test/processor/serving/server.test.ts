import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { Code, ConnectError, createClient, type ServiceImpl, type Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from '@connectrpc/connect-node';
import { describe, expect, it, vi } from 'vitest';
import { ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.ts';
import { ProcessorService } from '../../../gen/image/v1/processor_pb.ts';
import { http2Settings, maxSessionMemory } from '../../../src/grpc/transport.ts';
import { callerKey, startGrpcServer } from '../../../src/processor/serving/server.ts';

const megabyte = 1024 * 1024;

/** Returns the bytes that it receives. */
const echo: Pick<ServiceImpl<typeof ProcessorService>, 'process'> = {
  process: ({ source }) => ({
    content: source.case === 'content' ? source.value : new Uint8Array(),
    width: 1,
    height: 1,
  }),
};

type Service = Partial<ServiceImpl<typeof ProcessorService>>;

async function start(service: Service = echo, maxSourceBytes = 4 * megabyte, trustCallerMetadata = false) {
  const server = await startGrpcServer((router) => router.service(ProcessorService, service), {
    host: '127.0.0.1',
    port: 0,
    maxSourceBytes,
    trustCallerMetadata,
  });
  const url = `http://127.0.0.1:${server.port}`;
  const sessionManager = new Http2SessionManager(url, {}, { settings: http2Settings, maxSessionMemory });
  return {
    ...server,
    url,
    client: createClient(ProcessorService, createGrpcTransport({ baseUrl: url, sessionManager })),
    async [Symbol.asyncDispose]() {
      sessionManager.abort();
      await server.drain().catch(() => {});
    },
  };
}

/** A service whose calls end on command. */
function createHeld() {
  const begun = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  return {
    service: {
      async process() {
        begun.resolve();
        await end.promise;
        return { width: 7, height: 7 };
      },
    } satisfies typeof echo,
    begun: begun.promise,
    end: () => end.resolve(),
  };
}

const content = (length: number) => ({ source: { case: 'content', value: new Uint8Array(length) } }) as const;

const errorOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => (error instanceof ConnectError ? error : undefined),
  );

async function connected(url: string): Promise<ClientHttp2Session> {
  const session = connect(url, { settings: http2Settings });
  await once(session, 'remoteSettings');
  return session;
}

describe(startGrpcServer, () => {
  it.each<[protocol: string, transport: (baseUrl: string) => Transport]>([
    ['gRPC', (baseUrl) => createGrpcTransport({ baseUrl })],
    ['gRPC-Web', (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '2' })],
    ['Connect', (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2' })],
  ])('speaks %s', async (_, transport) => {
    await using server = await start();
    const client = createClient(ProcessorService, transport(server.url));
    expect((await client.process(content(5))).content.length).toBe(5);
  });

  it('grants windows for messages of several megabytes', async () => {
    await using server = await start();
    const session = await connected(server.url);
    expect(session.remoteSettings.initialWindowSize).toBe(4 * megabyte);
    // The connection's window has no setting: the server grants it by a WINDOW_UPDATE.
    await vi.waitUntil(() => session.state.remoteWindowSize === 8 * megabyte, {
      timeout: 10_000,
      interval: 1,
    });
    session.destroy();
  });

  // With Node’s default of 10 MB per session, 38 of 48 such calls fail with ENHANCE_YOUR_CALM.
  it('carries many megabytes at once over one connection', async () => {
    await using server = await start();
    const responses = await Promise.all(
      Array.from({ length: 32 }, () => server.client.process(content(megabyte))),
    );
    expect(responses.map(({ content }) => content.length)).toEqual(Array(32).fill(megabyte));
  });

  it('does not compress responses, whatever a client accepts', async () => {
    await using server = await start();
    const session = await connected(server.url);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/image.v1.ProcessorService/Process',
      'content-type': 'application/grpc+proto',
      'grpc-accept-encoding': 'gzip,identity',
      te: 'trailers',
    });
    const empty = Buffer.alloc(5);
    stream.end(empty);
    const [headers] = await once(stream, 'response');
    expect(headers['grpc-encoding'] ?? 'identity').toBe('identity');
    stream.resume();
    await once(stream, 'close');
    session.destroy();
  });

  it('reads a message with as many bytes as the limit and some room for its other fields', async () => {
    await using server = await start(echo, megabyte);
    expect((await server.client.process(content(megabyte))).content.length).toBe(megabyte);
    expect((await server.client.process(content(megabyte + 60_000))).content.length).toBe(megabyte + 60_000);
  });

  // The gRPC library refuses it before any code of ours runs, so there is no ErrorInfo. Clients have only the code.
  it('refuses a larger message with RESOURCE_EXHAUSTED, and keeps the connection', async () => {
    await using server = await start(echo, megabyte);
    const error = await errorOf(server.client.process(content(megabyte + 70_000)));
    expect(error?.code).toBe(Code.ResourceExhausted);
    const [info] = error?.findDetails(ErrorInfoSchema) ?? [];
    expect(info).toMatchObject({
      reason: 'SOURCE_BYTES_OVER_LIMIT',
      domain: 'image.v1',
      metadata: { limit: '1048576', actual: expect.stringMatching(/^1118\d\d\d$/) },
    });
    expect((await server.client.process(content(5))).content.length).toBe(5);
  });

  it('discards the unread rest of a message over the limit, and can drain', async () => {
    const server = await start(echo, megabyte);
    const session = await connected(server.url);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/image.v1.ProcessorService/Process',
      'content-type': 'application/grpc+proto',
      te: 'trailers',
    });
    // One message of 64 MiB, of which only a part is sent.
    const head = Buffer.alloc(5);
    head.writeUInt32BE(64 * megabyte, 1);
    stream.write(head);
    stream.write(Buffer.alloc(2 * megabyte));
    stream.resume();
    const [trailers] = await once(stream, 'trailers');
    expect(trailers['grpc-status']).toBe(String(Code.ResourceExhausted));
    await once(stream, 'close');
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    await server.drain();
  });

  it('fails an unknown method with UNIMPLEMENTED', async () => {
    await using server = await start();
    async function* nothing() {}
    const stream = server.client.processStream(nothing());
    const error = await errorOf(stream[Symbol.asyncIterator]().next());
    expect(error?.code).toBe(Code.Unimplemented);
  });

  describe('drain', () => {
    it('ends at once without connections', async () => {
      const server = await start();
      await server.drain();
    });

    it('ends although connections are idle', async () => {
      const server = await start();
      const session = await connected(server.url);
      const closed = once(session, 'close');
      await server.drain();
      await closed;
    });

    it('ends although a peer has sent nothing, and does not read', async () => {
      const server = await start();
      const socket = connectSocket(Number(new URL(server.url).port), '127.0.0.1');
      socket.on('error', () => {});
      await once(socket, 'connect');
      // The server has accepted the connection before this one, whose call it responds to.
      await errorOf(server.client.process({}));
      await server.drain();
      socket.destroy();
    });

    it('lets a call in flight finish with its response', async () => {
      const held = createHeld();
      const server = await start(held.service);
      const call = server.client.process({});
      await held.begun;
      let drained = false;
      const draining = server.drain().then(() => {
        drained = true;
      });
      // One round trip over the network, on a connection that is refused below.
      await expect(once(connect(server.url), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      expect(drained).toBe(false);
      held.end();
      expect((await call).width).toBe(7);
      await draining;
    });

    it('sends GOAWAY on connections and accepts no new call on them', async () => {
      const held = createHeld();
      const server = await start(held.service);
      const session = await connected(server.url);
      const goneAway = once(session, 'goaway');
      const path = '/image.v1.ProcessorService/Process';
      const headers = {
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc+proto',
        te: 'trailers',
      };
      const stream = session.request(headers);
      stream.end(Buffer.alloc(5));
      await held.begun;
      const draining = server.drain();
      // NO_ERROR: nothing went wrong.
      expect((await goneAway)[0]).toBe(0);
      const refused = session.request(headers);
      expect((await once(refused, 'error'))[0]).toMatchObject({ code: 'ERR_HTTP2_GOAWAY_SESSION' });
      held.end();
      stream.resume();
      const [trailers] = await once(stream, 'trailers');
      expect(trailers['grpc-status']).toBe('0');
      await draining;
    });

    it('refuses new connections', async () => {
      const server = await start();
      await server.drain();
      const error = await errorOf(server.client.process({}));
      expect(error?.code).toBe(Code.Unavailable);
    });
  });

  describe.each<[protocol: string, transport: (baseUrl: string) => Transport]>([
    ['gRPC', (baseUrl) => createGrpcTransport({ baseUrl })],
    ['gRPC-Web', (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '2' })],
    ['Connect', (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2' })],
  ])('names the callers of %s calls', (_, transport) => {
    const named: Service = {
      process: (_request, { values }) => ({ key: values.get(callerKey) }),
      async *processStream(_requests, { values }) {
        yield { id: values.get(callerKey) };
      },
    };

    async function namesWith(trustCallerMetadata: boolean, name: string) {
      await using server = await start(named, megabyte, trustCallerMetadata);
      const client = createClient(ProcessorService, transport(server.url));
      const headers = { 'x-image-caller': name };
      const names = [(await client.process({}, { headers })).key];
      async function* nothing() {}
      for await (const { id } of client.processStream(nothing(), { headers })) names.push(id);
      return names;
    }

    it('by their metadata if that is trusted', async () => {
      expect(await namesWith(true, 'key:team-a')).toEqual(['key:team-a', 'key:team-a']);
    });

    it('by their address if metadata is not trusted', async () => {
      expect(await namesWith(false, 'key:team-a')).toEqual(['ip:127.0.0.1', 'ip:127.0.0.1']);
    });

    it('by their address if metadata is malformed', async () => {
      expect(await namesWith(true, 'team a')).toEqual(['ip:127.0.0.1', 'ip:127.0.0.1']);
    });
  });
});

describe('an unknown method', () => {
  it.each(['application/grpc', 'application/grpc+proto'])(
    'ends a call of %s by its headers, as Trailers-Only',
    async (contentType) => {
      await using server = await start();
      const session = connect(server.url);
      try {
        const call = session.request({
          ':method': 'POST',
          ':path': '/image.v1.ProcessorService/None',
          'content-type': contentType,
          te: 'trailers',
        });
        call.end();
        call.resume();
        const [headers, flags] = await once(call, 'response');
        expect(headers['grpc-status']).toBe('12');
        expect(flags & constants.NGHTTP2_FLAG_END_STREAM).not.toBe(0);
      } finally {
        session.destroy();
      }
    },
  );
});
