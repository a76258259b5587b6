import { create } from '@bufbuild/protobuf';
import { Code, createClient, type ServiceImpl } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import { ProcessorService, ProcessStreamRequestSchema } from '../../../gen/image/v1/processor_pb.ts';
import { Failure } from '../../../src/failures.ts';
import { toConnectError } from '../../../src/grpc/rpc-failures.ts';
import { callKey, observeCalls } from '../../../src/processor/serving/observe-calls.ts';
import { startGrpcServer } from '../../../src/processor/serving/server.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const headers = { 'x-request-id': 'mine', traceparent: `00-${traceId}-00f067aa0ba902b7-01` };

let close: (() => Promise<void>) | undefined;
afterEach(async () => {
  await close?.();
  close = undefined;
});

/** A server whose calls are observed, without tracing; the observations; and a client. */
async function start(service: Partial<ServiceImpl<typeof ProcessorService>>) {
  const lines: Record<string, unknown>[] = [];
  const inFlight = { now: 0, most: 0 };
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const log = pino({ level: 'debug', base: null }, { write: (line) => void lines.push(JSON.parse(line)) });
  const observe = observeCalls(
    (change) => {
      inFlight.now += change;
      inFlight.most = Math.max(inFlight.most, inFlight.now);
      if (inFlight.now === 0) setImmediate(resolve);
    },
    log,
    undefined,
  );
  const server = await startGrpcServer(
    (router) => {
      router.service(ProcessorService, service);
      router.service(Health, { check: () => ({ status: Status.SERVING }) });
    },
    { host: '127.0.0.1', port: 0, maxSourceBytes: 1000, interceptors: [observe] },
  );
  close = server.drain;
  const transport = createGrpcTransport({
    baseUrl: `http://127.0.0.1:${server.port}`,
    idleConnectionTimeoutMs: 1,
  });
  return {
    lines,
    inFlight,
    over,
    client: createClient(ProcessorService, transport),
    health: createClient(Health, transport),
  };
}

async function* messages() {
  for (const id of ['1', '2', '3']) yield create(ProcessStreamRequestSchema, { id });
}

describe(observeCalls, () => {
  it('counts and logs a call with its incoming ids, and passes them to the service', async () => {
    let fields: unknown;
    const { client, lines, inFlight, over } = await start({
      process(_, { values }) {
        fields = values.get(callKey).logFields;
        return { key: 'k' };
      },
    });
    await client.process({}, { headers });
    await over;
    expect(inFlight).toEqual({ now: 0, most: 1 });
    const ids = { request_id: 'mine', trace_id: traceId, span_id: '00f067aa0ba902b7' };
    expect(fields).toEqual(ids);
    expect(lines).toMatchObject([
      { ...ids, method: 'image.v1.ProcessorService/Process', status: 'OK', msg: 'call' },
    ]);
  });

  it('creates an id for a call without one, or with a malformed one', async () => {
    const { client, lines } = await start({ process: () => ({}) });
    await client.process({});
    await client.process({}, { headers: { 'x-request-id': 'two words' } });
    const ids = lines.map((line) => line.request_id);
    for (const id of ids) expect(id).toMatch(/^[\da-f-]{36}$/);
    expect(new Set(ids).size).toBe(2);
  });

  it('reports how a call failed', async () => {
    const { client, lines, inFlight, over } = await start({
      process() {
        throw toConnectError(new Failure('URL_ADDRESS_FORBIDDEN', 'no'));
      },
    });
    await expect(client.process({})).rejects.toMatchObject({ code: Code.PermissionDenied });
    await over;
    expect(inFlight.now).toBe(0);
    expect(lines).toMatchObject([{ status: 'PERMISSION_DENIED' }]);
  });

  it('counts a stream as in flight until its last response', async () => {
    const { client, lines, inFlight, over } = await start({
      async *processStream(requests) {
        for await (const { id } of requests) yield { id };
      },
    });
    for await (const { id } of client.processStream(messages())) {
      if (id === '1') expect(inFlight.now).toBe(1);
    }
    await over;
    expect(inFlight).toEqual({ now: 0, most: 1 });
    expect(lines).toMatchObject([{ method: 'image.v1.ProcessorService/ProcessStream', status: 'OK' }]);
  });

  it('counts no stream as in flight after its caller has left', async () => {
    const { client, lines, over } = await start({
      async *processStream(requests) {
        // More than the windows allow, so that the stream waits for its reader.
        for await (const { id } of requests) {
          for (;;) yield { id, result: { case: 'response', value: { content: new Uint8Array(100_000) } } };
        }
      },
    });
    const leaving = new AbortController();
    const left = (async () => {
      for await (const _ of client.processStream(messages(), { signal: leaving.signal })) leaving.abort();
    })();
    await expect(left).rejects.toMatchObject({ code: Code.Canceled });
    await over;
    expect(lines).toMatchObject([{ status: 'CANCELLED' }]);
  });

  it('ignores health checks', async () => {
    const { health, lines, inFlight } = await start({});
    expect(await health.check({})).toMatchObject({ status: Status.SERVING });
    expect(inFlight.most).toBe(0);
    expect(lines).toEqual([]);
  });
});
