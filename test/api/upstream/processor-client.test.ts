import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ProcessBatchRequestSchema,
  ProcessorService,
  type ProcessRequest,
  ProcessRequestSchema,
  ProcessVariantsRequestSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import { createProcessorClient } from '../../../src/api/upstream/processor-client.ts';
import { type Deadline, startDeadline } from '../../../src/deadline.ts';
import { Failure } from '../../../src/failures.ts';
import { toConnectError } from '../../../src/grpc/rpc-failures.ts';
import { plainResponse, problemOf, startScriptedProcessor, startTestApi } from '../../support/api.ts';
import { startRpcServer } from '../../support/rpc-server.ts';

const megabyte = 1024 * 1024;
const bytes = new Uint8Array(10);
const request = create(ProcessRequestSchema, { source: { case: 'content', value: bytes } });

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function clientOf(url: string) {
  const client = createProcessorClient(url, megabyte);
  cleanups.push(() => client.close());
  return client;
}

async function scripted() {
  const processor = await startScriptedProcessor();
  cleanups.push(() => processor[Symbol.asyncDispose]());
  return processor;
}

function within(ms: number, caller = new AbortController().signal): Deadline {
  const deadline = startDeadline(caller, ms);
  cleanups.push(() => deadline[Symbol.dispose]());
  return deadline;
}

async function listen(server: {
  listen(port: number, host: string): unknown;
  address(): unknown;
}): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server as unknown as NodeJS.EventEmitter, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The address of a port on which nothing listens. */
async function closedAddress(): Promise<string> {
  const server = createServer();
  const url = await listen(server);
  server.close();
  await once(server, 'close');
  return url;
}

async function failureOf(call: Promise<unknown>): Promise<Failure> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Failure);
  return error as Failure;
}

describe(createProcessorClient, () => {
  it('requests an image by SHA-256 if it has sent it before, and sends it again if the response is no longer cached', async () => {
    const processor = await scripted();
    const client = clientOf(processor.url);
    const image = new Uint8Array(100_000);
    const large = create(ProcessRequestSchema, { source: { case: 'content', value: image } });
    const sources = () => processor.requests.map(({ source }) => source.case);
    await client.process(large, within(10_000));
    await client.process(large, within(10_000));
    expect(sources()).toEqual(['content', 'sha256']);
    expect(processor.requests[1]?.source.value).toBe(plainResponse.source?.sha256);
    processor.script.process = ({ source }) => {
      if (source.case === 'content') return plainResponse;
      throw toConnectError(new Failure('SOURCE_UNKNOWN', 'gone'));
    };
    expect((await client.process(large, within(10_000))).key).toBe(plainResponse.key);
    expect(sources()).toEqual(['content', 'sha256', 'sha256', 'content']);
  });

  it('counts images that are sent, and not those that the processor downloads', async () => {
    const processor = await scripted();
    const held = Promise.withResolvers<void>();
    const arrived: (string | undefined)[] = [];
    processor.script.process = async ({ source }) => {
      arrived.push(source.case);
      await held.promise;
      return plainResponse;
    };
    const client = createProcessorClient(processor.url, megabyte, undefined, undefined, {
      maxCallsPerProcessor: 1,
    });
    cleanups.push(() => client.close());
    const url = create(ProcessRequestSchema, { source: { case: 'url', value: 'http://slow.example/' } });
    const calls = [1, 2, 3].map(() => client.process(url, within(10_000)));
    await expect.poll(() => arrived).toEqual(['url', 'url', 'url']);
    client.checkRoom();
    calls.push(client.process(request, within(10_000)));
    await expect.poll(() => arrived.at(-1)).toBe('content');
    expect(client.checkRoom).toThrow('1 images are in work');
    expect((await failureOf(client.process(request, within(10_000)))).reason).toBe('OVERLOADED');
    calls.push(client.process(url, within(10_000)));
    held.resolve();
    expect(await Promise.all(calls)).toHaveLength(5);
    client.checkRoom();
  });

  it('uses no SHA-256 that its callers send, with any of the methods', async () => {
    const seen: unknown[] = [];
    const note = ({ source }: { source: ProcessRequest['source'] }) => {
      seen.push(source);
      return {};
    };
    const server = await startRpcServer((router) => {
      router.service(ProcessorService, {
        process: note,
        processVariants: note,
        processBatch({ requests }) {
          requests.forEach(note);
          return {};
        },
      });
    });
    cleanups.push(() => server[Symbol.asyncDispose]());
    const client = clientOf(server.url);
    const known = create(ProcessRequestSchema, { source: { case: 'sha256', value: 'a'.repeat(64) } });
    await client.process(known, within(10_000));
    await client.processVariants(
      create(ProcessVariantsRequestSchema, { source: known.source }),
      within(10_000),
    );
    await client.processBatch(create(ProcessBatchRequestSchema, { requests: [known] }), within(10_000));
    expect(seen).toEqual(Array(3).fill({ case: 'sha256', value: '' }));
  });

  it('passes on the details of a failure of the processor', async () => {
    const processor = await scripted();
    processor.script.process = () => {
      throw toConnectError(
        new Failure(
          'SOURCE_PIXELS_OVER_LIMIT',
          'The image has 3600000000 pixels; at most 100000000 are taken.',
          {
            limit: 100_000_000,
            actual: 3_600_000_000,
          },
        ),
      );
    };
    expect(await failureOf(clientOf(processor.url).process(request, within(5000)))).toMatchObject({
      reason: 'SOURCE_PIXELS_OVER_LIMIT',
      message: 'The image has 3600000000 pixels; at most 100000000 are taken.',
      metadata: { limit: '100000000', actual: '3600000000' },
    });
  });

  it('hides the details of an unexpected error', async () => {
    const processor = await scripted();
    processor.script.process = () => {
      throw new ConnectError('/home/somebody/secret', Code.Internal);
    };
    const failure = await failureOf(clientOf(processor.url).process(request, within(5000)));
    expect(failure.reason).toBe('INTERNAL');
    expect(failure.message).not.toContain('secret');
    expect(String(failure.cause)).toContain('secret');
  });

  it("explains the refusal of the processor's gRPC library, which comes before any code of ours", async () => {
    const processor = await scripted();
    processor.script.process = () => {
      throw new ConnectError(
        'message size 12 is larger than configured readMaxBytes 5',
        Code.ResourceExhausted,
      );
    };
    expect(await failureOf(clientOf(processor.url).process(request, within(5000)))).toMatchObject({
      reason: 'SOURCE_BYTES_OVER_LIMIT',
      metadata: { actual: '10' },
    });
  });

  it('fails at once where no processor listens, and works once one does', async () => {
    const processor = await scripted();
    const road = await startRoad(processor.url);
    await road.close();
    const client = clientOf(road.url);
    expect((await failureOf(client.process(request, within(60_000)))).reason).toBe('PROCESSOR_UNAVAILABLE');
    await road.open();
    expect((await client.process(request, within(5000))).key).toBe('c0ffee');
  });

  it('reports a processor that is lost during a call, and uses it again when it is back', async () => {
    const processor = await scripted();
    const road = await startRoad(processor.url);
    const client = clientOf(road.url);
    let closed: Promise<void> | undefined;
    processor.script.process = () => {
      closed = road.close();
      return new Promise(() => {});
    };
    expect((await failureOf(client.process(request, within(60_000)))).reason).toBe('PROCESSOR_UNAVAILABLE');
    await closed;
    expect((await failureOf(client.process(request, within(60_000)))).reason).toBe('PROCESSOR_UNAVAILABLE');
    processor.reset();
    await road.open();
    expect((await client.process(request, within(5000))).key).toBe('c0ffee');
  });

  it.each([
    ['resets the connection', (_: ServerHttp2Stream, socket: Socket) => socket.resetAndDestroy()],
    ['closes the connection', (_: ServerHttp2Stream, socket: Socket) => socket.destroy()],
    ['refuses the stream', (stream: ServerHttp2Stream) => stream.close(7)],
    ['breaks the stream', (stream: ServerHttp2Stream) => stream.close(2)],
    ['cancels the stream', (stream: ServerHttp2Stream) => stream.close(8)],
    [
      'closes in the middle of a response',
      (stream: ServerHttp2Stream, socket: Socket) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' });
        stream.write(Buffer.from([0, 0, 0, 1, 0, 1, 2]), () => socket.end());
      },
    ],
  ])('reports a processor that %s as not available', async (_, end) => {
    const server = createHttp2Server();
    let socket: Socket;
    server.prependListener('connection', (one: Socket) => {
      socket = one;
    });
    server.on('stream', (stream) => {
      stream.on('error', () => {});
      end(stream as ServerHttp2Stream, socket);
    });
    const url = await listen(server);
    cleanups.push(() => server.close());
    expect((await failureOf(clientOf(url).process(request, within(60_000)))).reason).toBe(
      'PROCESSOR_UNAVAILABLE',
    );
  });

  it('reports a processor that shuts down and cancels a call as not available', async () => {
    const processor = await scripted();
    processor.script.process = () => {
      throw toConnectError(new Failure('CANCELLED', 'The caller left before the response was ready.'));
    };
    expect((await failureOf(clientOf(processor.url).process(request, within(5000)))).reason).toBe(
      'PROCESSOR_UNAVAILABLE',
    );
  });

  it('cancels the call of a slow processor at the deadline', async () => {
    const processor = await scripted();
    const aborted = new Promise<unknown>((resolve) => {
      processor.script.process = (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            resolve(signal.reason);
            reject(signal.reason);
          });
        });
    });
    expect((await failureOf(clientOf(processor.url).process(request, within(200)))).reason).toBe(
      'DEADLINE_EXCEEDED',
    );
    await aborted;
  });

  it('detects by ping a processor that hangs with its connection open, long before the deadline', async () => {
    const server = createServer((socket) => socket.resume());
    const sockets: Socket[] = [];
    server.on('connection', (socket) => sockets.push(socket));
    const url = await listen(server);
    cleanups.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const client = clientOf(url);
    const deadline = within(60_000);
    const failures = await Promise.all([
      failureOf(client.process(request, deadline)),
      // The next caller comes while the lost connection is still on its way out.
      failureOf(client.process(request, deadline).catch(() => client.process(request, within(100)))),
    ]);
    expect(failures.map(({ reason }) => reason)).toEqual(['PROCESSOR_UNAVAILABLE', 'DEADLINE_EXCEEDED']);
  });

  it('detects a processor that accepts no connection, long before the deadline', async () => {
    const { url, end } = await startBlackHole();
    cleanups.push(end);
    expect((await failureOf(clientOf(url).process(request, within(60_000)))).reason).toBe(
      'PROCESSOR_UNAVAILABLE',
    );
  });

  it("tells the caller's own leaving from everything else", async () => {
    const processor = await scripted();
    const caller = new AbortController();
    processor.script.process = () => {
      caller.abort();
      return new Promise(() => {});
    };
    const failure = await failureOf(clientOf(processor.url).process(request, within(5000, caller.signal)));
    expect(failure.reason).toBe('CANCELLED');
  });

  it('refuses a response that is longer than configured', async () => {
    const processor = await scripted();
    processor.script.process = () => ({ ...plainResponse, content: new Uint8Array(2 * megabyte) });
    const failure = await failureOf(clientOf(processor.url).process(request, within(5000)));
    expect(failure.reason).toBe('INTERNAL');
    expect(String(failure.cause)).toContain('the limit is 2097152');
  });

  it('carries thirty calls of a megabyte at once over one connection', async () => {
    const processor = await scripted();
    processor.script.process = ({ source }) => ({ ...plainResponse, content: source.value as Uint8Array });
    const client = clientOf(processor.url);
    const large = create(ProcessRequestSchema, {
      source: { case: 'content', value: new Uint8Array(megabyte).fill(7) },
    });
    const deadline = within(25_000);
    const responses = await Promise.all(Array.from({ length: 30 }, () => client.process(large, deadline)));
    expect(responses.map(({ content }) => content.length)).toEqual(Array(30).fill(megabyte));
  });
});

describe('over HTTP', () => {
  it('a processor that is down is 503 with Retry-After', async () => {
    await using api = await startTestApi({ PROCESSOR_URL: await closedAddress() });
    const response = await fetch(`${api.url}/v1/images`, { method: 'POST', body: bytes });
    expect(response.headers.get('retry-after')).toBe('2');
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ status: 503, reason: 'PROCESSOR_UNAVAILABLE' });
    expect(JSON.stringify(problem)).not.toMatch(/127\.0\.0\.1|ECONNREFUSED/);
  });

  it('a processor that is slow is 504', async () => {
    const processor = await scripted();
    processor.script.process = () => new Promise(() => {});
    await using api = await startTestApi({ PROCESSOR_URL: processor.url, REQUEST_TIMEOUT_MS: '200' });
    const response = await fetch(`${api.url}/v1/images`, { method: 'POST', body: bytes });
    expect(await problemOf(response)).toMatchObject({ status: 504, reason: 'DEADLINE_EXCEEDED' });
  });

  it('a processor that is full is 503 with Retry-After', async () => {
    const processor = await scripted();
    processor.script.process = () => {
      throw toConnectError(new Failure('OVERLOADED', 'The queue is full.', { limit: 64 }));
    };
    await using api = await startTestApi({ PROCESSOR_URL: processor.url });
    const response = await fetch(`${api.url}/v1/images`, { method: 'POST', body: bytes });
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await problemOf(response)).toMatchObject({
      status: 503,
      reason: 'OVERLOADED',
      retryable: true,
      metadata: { limit: '64' },
    });
  });

  it('an origin that is busy is 503 with the Retry-After and the status of the origin', async () => {
    const processor = await scripted();
    processor.script.process = () => {
      const metadata = { host: 'a.example', status: 429, retry_after_seconds: 11 };
      throw toConnectError(new Failure('ORIGIN_BUSY', 'Later.', metadata));
    };
    await using api = await startTestApi({ PROCESSOR_URL: processor.url });
    const response = await fetch(`${api.url}/v1/images`, { method: 'POST', body: bytes });
    expect(response.headers.get('retry-after')).toBe('11');
    expect(await problemOf(response)).toMatchObject({
      status: 503,
      reason: 'ORIGIN_BUSY',
      retryable: true,
      metadata: { host: 'a.example', status: '429', retry_after_seconds: '11' },
    });
    expect(processor.requests).toHaveLength(1);
  });

  it('a failure keeps its own retryable flag if it differs from that of its reason', async () => {
    const processor = await scripted();
    processor.script.process = () => {
      throw toConnectError(new Failure('ORIGIN_UNREACHABLE', 'Bad TLS.', {}, { isRetryable: false }));
    };
    await using api = await startTestApi({ PROCESSOR_URL: processor.url });
    const response = await fetch(`${api.url}/v1/images`, { method: 'POST', body: bytes });
    expect(await problemOf(response)).toMatchObject({ status: 502, retryable: false, metadata: {} });
  });
});

/** A proxy to a server that can be closed, with all its connections, and opened again on the same port. */
async function startRoad(targetUrl: string) {
  const { port: targetPort } = new URL(targetUrl);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(targetPort), '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  const url = await listen(server);
  const close = async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  cleanups.push(() => (server.listening ? close() : undefined));
  return {
    url,
    close,
    async open() {
      server.listen(Number(new URL(url).port), '127.0.0.1');
      await once(server, 'listening');
    },
  };
}

/**
 * A port whose queue of connections is full because its process is stopped: the kernel does not respond,
 * like a host that is down.
 */
async function startBlackHole(): Promise<{ url: string; end: () => void }> {
  const script = `require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    console.log(this.address().port); })`;
  const child: ChildProcess = spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout as NodeJS.EventEmitter, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  const sockets = await fillQueue(port);
  return {
    url: `http://127.0.0.1:${port}`,
    end() {
      for (const socket of sockets) socket.destroy();
      child.kill('SIGKILL');
    },
  };
}

/** Connects until a connection fails. */
async function fillQueue(port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (;;) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    sockets.push(socket);
    const connected = await Promise.race([
      once(socket, 'connect').then(() => true),
      new Promise<false>((resolve) => setTimeout(() => resolve(false), 300)),
    ]);
    if (!connected) return sockets;
  }
}
