import { setTimeout as sleep } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import { ProcessorService, ProcessRequestSchema } from '../../../gen/image/v1/processor_pb.ts';
import { createProcessorClient } from '../../../src/api/upstream/processor-client.ts';
import { startDeadline } from '../../../src/deadline.ts';
import { Failure } from '../../../src/failures.ts';
import { toConnectError } from '../../../src/grpc/rpc-failures.ts';
import { callMemoryKey, createServingMemory } from '../../../src/processor/serving/call-memory.ts';
import { createHealth } from '../../../src/processor/serving/health.ts';
import { callerKey, noCacheKey, startGrpcServer } from '../../../src/processor/serving/server.ts';

const megabyte = 1024 * 1024;
const content = new Uint8Array(100_000).map((_, at) => at * 31);
const request = create(ProcessRequestSchema, { source: { case: 'content', value: content } });
const origin = { requestId: 'a-request', trace: undefined, caller: 'key:team', mustRevalidate: true };

type Process = ServiceImpl<typeof ProcessorService>['process'];

/** A server with this method, and clients that call it by gRPC and in this process. */
async function started(process: Process) {
  const memory = createServingMemory(8 * megabyte, megabyte, 10_000);
  const health = createHealth([ProcessorService.typeName]);
  const server = await startGrpcServer(
    (router) => router.service(ProcessorService, { process }).service(Health, health.service),
    { host: '127.0.0.1', port: 0, maxSourceBytes: megabyte, trustCallerMetadata: true, memory },
  );
  const clients = {
    byGrpc: createProcessorClient(`http://127.0.0.1:${server.port}`, megabyte),
    local: createProcessorClient(server, megabyte),
  };
  let drained: Promise<void> | undefined;
  const drain = () => (drained ??= server.drain());
  onTestFinished(async () => {
    clients.byGrpc.close();
    await drain();
  });
  return { ...clients, port: server.port, memory, health, drain };
}

function within(ms: number, signal = new AbortController().signal) {
  const deadline = startDeadline(signal, ms);
  onTestFinished(() => deadline[Symbol.dispose]());
  return deadline;
}

/** The parts of a failure that its caller sees. */
async function failureOf(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Failure)) throw new Error(`no Failure: ${error}`);
  const { reason, message, metadata, isRetryable } = error;
  return { reason, message, metadata, isRetryable };
}

describe('the processor of this process', () => {
  it('gets the message itself, and its response is the one that the method made', async () => {
    let source: unknown;
    const made = new Uint8Array(200_000);
    const { local } = await started((received) => {
      source = received.source.value;
      return { content: made };
    });
    const response = await local.process(request, within(10_000));
    expect(source).toBe(content);
    expect(response.content).toBe(made);
  });

  it('gets the ids, the caller and the deadline of a request as by gRPC', async () => {
    const seen: unknown[] = [];
    const { local, byGrpc } = await started((_, { requestHeader, values, timeoutMs }) => {
      seen.push([
        requestHeader.get('x-request-id'),
        values.get(callerKey),
        values.get(noCacheKey),
        Math.ceil((timeoutMs() ?? 0) / 10_000),
      ]);
      return {};
    });
    await local.process(request, within(10_000), origin);
    await byGrpc.process(request, within(10_000), origin);
    expect(seen).toEqual(Array(2).fill(['a-request', 'key:team', true, 1]));
  });

  it.each<[string, Process]>([
    [
      'a failure of ours',
      () => {
        throw toConnectError(new Failure('IMAGE_CORRUPT', 'Not an image.', { limit: 3, actual: 4 }));
      },
    ],
    [
      'a bug',
      () => {
        throw new TypeError('/home/somebody/secret is undefined');
      },
    ],
    [
      'a status of gRPC',
      () => {
        throw new ConnectError('gone', Code.NotFound);
      },
    ],
    [
      'a response for which there is no memory',
      (_, { values }) => {
        values.get(callMemoryKey).checkResponse(2 * megabyte);
        return {};
      },
    ],
  ])('fails as by gRPC: %s', async (_, process) => {
    const { local, byGrpc } = await started(process);
    const failure = await failureOf(local.process(request, within(10_000)));
    expect(failure).toEqual(await failureOf(byGrpc.process(request, within(10_000))));
    expect(failure.message).not.toContain('secret');
  });

  it('refuses a message over the limit as by gRPC', async () => {
    const { local, byGrpc } = await started(() => ({}));
    const value = new Uint8Array(2 * megabyte);
    const long = create(ProcessRequestSchema, { source: { case: 'content', value } });
    const failure = await failureOf(local.process(long, within(10_000)));
    expect(failure).toMatchObject({
      reason: 'SOURCE_BYTES_OVER_LIMIT',
      metadata: { limit: String(megabyte) },
    });
    const { reason, metadata, isRetryable } = await failureOf(byGrpc.process(long, within(10_000)));
    // By gRPC the other fields of the message count as well.
    expect(failure).toMatchObject({ reason, isRetryable, metadata: { limit: metadata.limit } });
  });

  it('ends with its caller, even if the method goes on', async () => {
    const called = Promise.withResolvers<AbortSignal>();
    const { local, memory } = await started((_, { signal }) => {
      called.resolve(signal);
      return new Promise(() => {});
    });
    const caller = new AbortController();
    const call = failureOf(local.process(request, within(10_000, caller.signal)));
    const signal = await called.promise;
    expect(memory.budget.bytes()).toBe(content.length);
    caller.abort();
    expect((await call).reason).toBe('CANCELLED');
    expect(signal.aborted).toBe(true);
    expect(memory.budget.bytes()).toBe(0);
  });

  it('ends at its deadline', async () => {
    const { local } = await started(() => new Promise(() => {}));
    expect((await failureOf(local.process(request, within(50)))).reason).toBe('DEADLINE_EXCEEDED');
  });

  it('takes room for its response, and fails where there is none', async () => {
    const { local } = await started(() => ({ content }));
    const taken: number[] = [];
    const take = (bytes: number) => void taken.push(bytes);
    await local.process(request, within(10_000), origin, { maxBytes: megabyte, take });
    expect(taken).toEqual([content.length]);
    const full = () => {
      throw new Failure('OVERLOADED', 'No room.');
    };
    const call = local.process(request, within(10_000), origin, { maxBytes: megabyte, take: full });
    expect((await failureOf(call)).reason).toBe('OVERLOADED');
  });

  it('drains when its last call has its response', async () => {
    const held = Promise.withResolvers<object>();
    const { local, drain } = await started(() => held.promise);
    const events: string[] = [];
    const call = local.process(request, within(10_000)).then(() => events.push('response'));
    const drained = drain().then(() => events.push('drained'));
    // Long enough for a server without connections to close.
    await sleep(100);
    expect(events).toEqual([]);
    held.resolve({});
    await Promise.all([call, drained]);
    expect(events).toHaveLength(2);
  });

  it('counts its calls, reports its health, and has one address', async () => {
    const held = Promise.withResolvers<object>();
    const { local, port, health } = await started(() => held.promise);
    const call = local.process(request, within(10_000));
    await expect
      .poll(() => local.addresses())
      .toEqual([{ address: `localhost:${port}`, inFlight: 1, state: 'serving' }]);
    held.resolve({});
    await call;
    expect(local.addresses()[0]?.inFlight).toBe(0);
    await local.checkHealth(within(1000));
    health.setServing(false);
    expect((await failureOf(local.checkHealth(within(1000)))).reason).toBe('PROCESSOR_UNAVAILABLE');
  });
});
