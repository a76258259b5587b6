import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ProcessorService,
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessResponse,
  ProcessResponseSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import { callGrpc } from '../../../src/api/upstream/grpc-call.ts';
import { startDeadline } from '../../../src/deadline.ts';
import { Failure } from '../../../src/failures.ts';
import { createHttp2Connection } from '../../../src/grpc/http2-connection.ts';
import { failureFromConnectError } from '../../../src/grpc/rpc-failures.ts';
import type { UnaryCall } from '../../../src/grpc/unary-call.ts';

const large = new Uint8Array(100_000).map((_, at) => at * 31);

const neverAborts = new AbortController().signal;

interface Options
  extends Pick<UnaryCall<typeof ProcessRequestSchema, typeof ProcessResponseSchema>, 'headers' | 'takeRoom'> {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A real server over h2c, and calls of ours to it. */
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
  onTestFinished(() => {
    manager.abort();
    server.close();
    for (const session of sessions) session.destroy();
  });
  const { process: method } = ProcessorService.method;
  const send = (
    message: ProcessRequest,
    { timeoutMs = 60_000, signal = neverAborts, ...rest }: Options = {},
  ) => {
    const deadline = startDeadline(signal, timeoutMs);
    onTestFinished(deadline[Symbol.dispose]);
    return callGrpc(manager, readMaxBytes, { method, message, deadline, ...rest });
  };
  return { send, sessions };
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

describe(callGrpc, () => {
  it('sends a message of any size and reads the response of any size', async () => {
    const { send } = await opened(({ source }) =>
      create(ProcessResponseSchema, {
        content: (source.value as Uint8Array).toReversed(),
        width: source.value?.length ?? 0,
      }),
    );
    for (const length of [0, 1, 16_383, 16_384, 100_000]) {
      const sent = large.subarray(0, length);
      const response = await send(content(sent));
      expect(response.width).toBe(length);
      expect(Buffer.from(response.content).equals(sent.toReversed())).toBe(true);
    }
  });

  it('sends the headers and the deadline', async () => {
    let left: number | undefined;
    let header: string | null = null;
    const { send } = await opened((_, context) => {
      left = context.timeoutMs();
      header = context.requestHeader.get('traceparent');
      return create(ProcessResponseSchema);
    });
    await send(content(large), { timeoutMs: 5000, headers: { traceparent: 'x' } });
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(5000);
    expect(header).toBe('x');
  });

  it('reserves memory for the response as soon as its length is known, and ends if there is none', async () => {
    const lengths: number[] = [];
    const { send } = await opened(() => create(ProcessResponseSchema, { content: large }));
    const takeRoom = (bytes: number) => {
      lengths.push(bytes);
      throw new Failure('OVERLOADED', 'no room');
    };
    const error = await failure(send(content(large), { takeRoom }));
    expect(failureFromConnectError(error)?.reason).toBe('OVERLOADED');
    expect(lengths).toEqual([expect.closeTo(100_000, -2)]);
  });

  it('throws the status of the server', async () => {
    const { send } = await opened(() => {
      throw new ConnectError('no such thing', Code.NotFound);
    });
    expect(await failure(send(content(large)))).toMatchObject({
      code: Code.NotFound,
      rawMessage: 'no such thing',
    });
  });

  it('throws the status of a server that stops reading the message', async () => {
    const { send } = await opened(() => create(ProcessResponseSchema), { serverReadMaxBytes: 50_000 });
    expect(await failure(send(content(large)))).toMatchObject({ code: Code.ResourceExhausted });
  });

  it('reads no response that is over the limit', async () => {
    const response = create(ProcessResponseSchema, { content: large });
    const { send } = await opened(() => response, { readMaxBytes: 50_000 });
    const error = await failure(send(content(large)));
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.rawMessage).toMatch(/^the response has 1000\d\d bytes; the limit is 50000$/);
  });

  it('ends with its caller’s signal, and the server sees it', async () => {
    const seen = Promise.withResolvers<void>();
    const leaves = new AbortController();
    const { send } = await opened((_, { signal }) => {
      leaves.abort();
      return new Promise(() => signal.addEventListener('abort', () => seen.resolve()));
    });
    const error = await failure(send(content(large), { signal: leaves.signal }));
    expect(error.code).toBe(Code.Canceled);
    await seen.promise;
  });

  it('ends with its deadline', async () => {
    const { send } = await opened(() => new Promise(() => {}));
    const error = await failure(send(content(large), { timeoutMs: 50 }));
    expect(error.code).toBe(Code.DeadlineExceeded);
  });

  it('is UNAVAILABLE when the connection is lost during the call', async () => {
    const { send, sessions } = await opened(() => {
      for (const session of sessions) session.destroy();
      return new Promise(() => {});
    });
    expect(await failure(send(content(large)))).toMatchObject({ code: Code.Unavailable });
  });
});
