import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient, type HandlerContext } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ProcessorService,
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessResponse,
  ProcessResponseSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import { createGrpcUnary } from '../../../src/api/connect/grpc-unary.ts';
import { createHttp2Connection } from '../../../src/grpc/http2-connection.ts';

const large = new Uint8Array(100_000).map((_, at) => at * 31);

/** A real server over h2c, and a client whose unary calls are ours. */
async function opened(
  process: (request: ProcessRequest, context: HandlerContext) => ProcessResponse | Promise<ProcessResponse>,
  { readMaxBytes = 1e7, serverReadMaxBytes = 1e7 } = {},
) {
  const server: Http2Server = createServer(
    connectNodeAdapter({
      routes: (router) => void router.service(ProcessorService, { process }),
      readMaxBytes: serverReadMaxBytes,
    }),
  );
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const manager = createHttp2Connection(baseUrl, { connectTimeoutMs: 2000, pingIntervalMs: 1000 });
  const unary = createGrpcUnary(baseUrl, manager, readMaxBytes);
  onTestFinished(() => {
    manager.abort();
    server.close();
    for (const session of sessions) session.destroy();
  });
  const stream = () => Promise.reject(new Error('not here'));
  return { client: createClient(ProcessorService, { unary, stream }), sessions };
}

async function failure(promise: Promise<unknown>): Promise<ConnectError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ConnectError) return error;
  throw error ?? new Error('it did not fail');
}

const content = (value: Uint8Array) => create(ProcessRequestSchema, { source: { case: 'content', value } });

describe(createGrpcUnary, () => {
  it('sends a message of any size and reads the answer of any size', async () => {
    const { client } = await opened(({ source }) =>
      create(ProcessResponseSchema, {
        content: (source.value as Uint8Array).toReversed(),
        width: source.value?.length ?? 0,
      }),
    );
    for (const length of [0, 1, 16_383, 16_384, 100_000]) {
      const sent = large.subarray(0, length);
      const answer = await client.process(content(sent));
      expect(answer.width).toBe(length);
      expect(Buffer.from(answer.content).equals(sent.toReversed())).toBe(true);
    }
  });

  it('carries headers there, and the deadline', async () => {
    let left: number | undefined;
    let header: string | null = null;
    const { client } = await opened((_, context) => {
      left = context.timeoutMs();
      header = context.requestHeader.get('traceparent');
      context.responseTrailer.set('said', 'so');
      return create(ProcessResponseSchema);
    });
    let said: string | null = null;
    const options = { timeoutMs: 5000, headers: { traceparent: 'x' } };
    await client.process(content(large), {
      ...options,
      onTrailer: (trailer) => (said = trailer.get('said')),
    });
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(5000);
    expect([header, said]).toEqual(['x', 'so']);
  });

  it('throws the status that the server gave', async () => {
    const { client } = await opened(() => {
      throw new ConnectError('no such thing', Code.NotFound);
    });
    expect(await failure(client.process(content(large)))).toMatchObject({
      code: Code.NotFound,
      rawMessage: 'no such thing',
    });
  });

  it('throws the status of a server that does not want to read all of the message', async () => {
    const { client } = await opened(() => create(ProcessResponseSchema), { serverReadMaxBytes: 50_000 });
    expect(await failure(client.process(content(large)))).toMatchObject({ code: Code.ResourceExhausted });
  });

  it('reads no answer that is over the limit', async () => {
    const answer = create(ProcessResponseSchema, { content: large });
    const { client } = await opened(() => answer, { readMaxBytes: 50_000 });
    const error = await failure(client.process(content(large)));
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.rawMessage).toMatch(
      /^the response has 1000\d\d bytes, which is more than readMaxBytes 50000$/,
    );
  });

  it('ends with its caller’s signal, and the server sees it', async () => {
    const seen = Promise.withResolvers<void>();
    const leaves = new AbortController();
    const { client } = await opened((_, { signal }) => {
      leaves.abort();
      return new Promise(() => signal.addEventListener('abort', () => seen.resolve()));
    });
    const error = await failure(client.process(content(large), { signal: leaves.signal }));
    expect(error.code).toBe(Code.Canceled);
    await seen.promise;
  });

  it('ends with its deadline', async () => {
    const { client } = await opened(() => new Promise(() => {}));
    const error = await failure(client.process(content(large), { timeoutMs: 50 }));
    expect(error.code).toBe(Code.DeadlineExceeded);
  });

  it('is UNAVAILABLE when the connection is lost in mid-call', async () => {
    const { client, sessions } = await opened(() => {
      for (const session of sessions) session.destroy();
      return new Promise(() => {});
    });
    expect(await failure(client.process(content(large)))).toMatchObject({ code: Code.Unavailable });
  });
});
