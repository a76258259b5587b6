import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import { ProcessorService } from '../../../gen/image/v1/processor_pb.ts';
import { createCallWatch } from '../../../src/processor/serving/call-watch.ts';
import { createMessageWatch } from '../../../src/processor/serving/half-sent.ts';
import { createHealth } from '../../../src/processor/serving/health.ts';
import { limitIdleConnections } from '../../../src/processor/serving/idle-connections.ts';
import { type CallerWaits, startGrpcServer } from '../../../src/processor/serving/server.ts';

const none = { total: 1000, perCaller: 1000 };
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(waiting: Partial<CallerWaits>): Promise<string> {
  const server = await startGrpcServer(
    (router) => {
      router.service(ProcessorService, {
        process: () => ({ key: 'k' }),
        async *processStream(requests) {
          for await (const { id } of requests) yield { id };
        },
      });
      router.service(Health, createHealth([]).service);
    },
    { host: '127.0.0.1', port: 0, maxSourceBytes: 1000, waiting, trustCallerMetadata: true },
  );
  cleanups.push(() => server.drain());
  return `http://127.0.0.1:${server.port}`;
}

function session(url: string): ClientHttp2Session {
  const client = connectHttp2(url);
  client.on('error', () => {});
  cleanups.push(() => client.destroy());
  return client;
}

/** A call whose message is sent partly or not at all, and its outcome. */
function halfSent(client: ClientHttp2Session, method: string, contentType: string, caller = 'key:a') {
  const stream = client.request({
    ':method': 'POST',
    ':path': `/image.v1.ProcessorService/${method}`,
    'content-type': contentType,
    'x-image-caller': caller,
    te: 'trailers',
  });
  stream.on('error', () => {});
  return { stream, end: endOf(stream) };
}

/** The reason in a response of any protocol. */
async function endOf(stream: ClientHttp2Stream): Promise<string> {
  const seen: string[] = [];
  const note = (headers: object) => {
    const details = (headers as Record<string, unknown>)['grpc-status-details-bin'];
    if (typeof details === 'string') seen.push(Buffer.from(details, 'base64').toString('latin1'));
  };
  stream.on('response', note).on('trailers', note);
  stream.on('data', (chunk: Buffer) => void seen.push(chunk.toString('latin1')));
  await new Promise((resolve) => stream.once('close', resolve));
  const all = seen
    .join(' ')
    .replace(/grpc-status-details-bin: (\S+)/, (_, details: string) =>
      Buffer.from(details, 'base64').toString('latin1'),
    );
  return /DEADLINE_EXCEEDED|OVERLOADED|STREAM_IDLE|STREAMS_OVER_LIMIT/.exec(all)?.[0] ?? all;
}

const half = Buffer.from([0, 0, 0, 0, 100, 1, 2, 3]);
const unaryTypes = [
  'application/grpc',
  'application/grpc+json',
  'application/grpc-web+proto',
  'application/proto',
  'application/json',
];
const streamTypes = ['application/grpc', 'application/grpc-web+proto', 'application/connect+proto'];

describe(createMessageWatch, () => {
  it.each(unaryTypes)('ends a call of %s whose message does not arrive', async (contentType) => {
    const client = session(await start({ halfSentMessages: { ...none, timeoutMs: 300 } }));
    const calls = [halfSent(client, 'Process', contentType), halfSent(client, 'Process', contentType)];
    calls[1]?.stream.write(half);
    expect(await Promise.all(calls.map(({ end }) => end))).toEqual([
      'DEADLINE_EXCEEDED',
      'DEADLINE_EXCEEDED',
    ]);
  });

  it.each(unaryTypes)('ends the longest wait of a caller with too many messages of %s', async (type) => {
    const client = session(await start({ halfSentMessages: { total: 10, perCaller: 1, timeoutMs: 30_000 } }));
    const first = halfSent(client, 'Process', type);
    first.stream.write(half);
    const whole = halfSent(client, 'Process', type);
    whole.stream.end(type === 'application/json' ? '{}' : wholeMessage(type));
    expect(await first.end).toBe('OVERLOADED');
    expect(await whole.end).not.toContain('OVERLOADED');
  });
});

/** An empty message, in its envelope if the type has one. */
function wholeMessage(type: string): Buffer {
  if (type === 'application/proto') return Buffer.alloc(0);
  return type.includes('json') ? Buffer.from('\0\0\0\0\x02{}') : Buffer.alloc(5);
}

describe(createCallWatch, () => {
  it.each(streamTypes)('ends a stream of %s without images in progress', async (contentType) => {
    const client = session(await start({ idleStreams: { ...none, timeoutMs: 300 } }));
    const streams = [
      halfSent(client, 'ProcessStream', contentType),
      halfSent(client, 'ProcessStream', contentType),
    ];
    streams[1]?.stream.write(half);
    expect(await Promise.all(streams.map(({ end }) => end))).toEqual(['STREAM_IDLE', 'STREAM_IDLE']);
  });

  it.each(streamTypes)('refuses more idle streams of %s than a caller may have', async (contentType) => {
    const client = session(await start({ idleStreams: { total: 10, perCaller: 2, timeoutMs: 30_000 } }));
    const [first, , third] = [1, 2, 3].map(() => halfSent(client, 'ProcessStream', contentType));
    expect(await third?.end).toBe('STREAMS_OVER_LIMIT');
    first?.stream.close();
    await first?.end;
    const other = halfSent(client, 'ProcessStream', contentType, 'key:b');
    other.stream.end();
    expect(await other.end).not.toContain('STREAM');
  });

  it('ends the longest idle stream of the caller with most of them when all places are taken', async () => {
    const client = session(await start({ idleStreams: { total: 3, perCaller: 3, timeoutMs: 30_000 } }));
    const [first] = [1, 2, 3].map(() => halfSent(client, 'ProcessStream', 'application/grpc'));
    const other = halfSent(client, 'ProcessStream', 'application/grpc', 'key:b');
    expect(await first?.end).toBe('STREAM_IDLE');
    other.stream.end();
    expect(await other.end).not.toContain('STREAM');
  });
});

describe(limitIdleConnections, () => {
  const closed = (socket: Socket) => once(socket.on('error', () => {}).resume(), 'close');

  it('ends a connection without a call after its time', async () => {
    const client = session(await start({ idleConnections: { ...none, timeoutMs: 200 } }));
    await once(client, 'close');
  });

  it('keeps a connection with a call', async () => {
    const client = session(
      await start({
        idleConnections: { ...none, timeoutMs: 100 },
        halfSentMessages: { ...none, timeoutMs: 600 },
      }),
    );
    expect(await halfSent(client, 'Process', 'application/grpc').end).toBe('DEADLINE_EXCEEDED');
    await once(client, 'close');
  });

  it('ends the longest idle connection of an address that has too many', async () => {
    const url = await start({ idleConnections: { total: 10, perCaller: 2 } });
    const sockets: Socket[] = [];
    for (let i = 0; i < 3; i++) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      cleanups.push(() => socket.destroy());
      await once(socket, 'connect');
      sockets.push(socket);
    }
    await closed(sockets[0] as Socket);
    expect(sockets.slice(1).map(({ destroyed }) => destroyed)).toEqual([false, false]);
  });
});
