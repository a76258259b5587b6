import { once } from 'node:events';
import { constants, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HealthCheckResponse_ServingStatus as Status } from '../../../gen/grpc/health/v1/health_pb.ts';
import { ProcessRequestSchema } from '../../../gen/image/v1/processor_pb.ts';
import { createBalancer } from '../../../src/api/upstream/balancer.ts';
import type { Resolve } from '../../../src/api/upstream/processor-addresses.ts';
import { createProcessorClient } from '../../../src/api/upstream/processor-client.ts';
import { type Deadline, startDeadline } from '../../../src/deadline.ts';
import { Failure, type FailureReason } from '../../../src/failures.ts';
import { toConnectError } from '../../../src/grpc/rpc-failures.ts';
import { plainResponse, startScriptedProcessor } from '../../support/api.ts';
import { type ProcessorProcess, startProcessorProcess } from '../../support/processor-process.ts';

const request = create(ProcessRequestSchema, { source: { case: 'content', value: new Uint8Array(10) } });

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function clientOf(urls: readonly string[], resolve?: Resolve) {
  const client = createProcessorClient(urls.join(), 1024 * 1024, 20, resolve);
  cleanups.push(() => client.close());
  return client;
}

type TestClient = ReturnType<typeof clientOf>;

async function start(environment: Readonly<Record<string, string>> = {}): Promise<ProcessorProcess> {
  const processor = await startProcessorProcess(environment);
  cleanups.push(() => processor[Symbol.asyncDispose]());
  return processor;
}

async function scripted() {
  const processor = await startScriptedProcessor();
  cleanups.push(() => processor[Symbol.asyncDispose]());
  return processor;
}

function within(ms = 25_000): Deadline {
  const deadline = startDeadline(new AbortController().signal, ms);
  cleanups.push(() => deadline[Symbol.dispose]());
  return deadline;
}

/** Sends one call. @returns the address of the processor that responded */
const call = async (client: TestClient) => (await client.process(request, within())).key;

/** Sends `count` calls, eight at a time. @returns the number of responses by address */
async function callMany(client: TestClient, count: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  let left = count;
  const callInTurn = async () => {
    while (left-- > 0) {
      const address = await call(client);
      counts[address] = (counts[address] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, callInTurn));
  return counts;
}

/** Sends calls until the processor has responded to one. */
async function callUntilFrom(client: TestClient, address: string): Promise<void> {
  while ((await call(client)) !== address);
}

/** Sends calls until the balancer reports that all of its processors serve. */
async function callUntilAllServe(client: TestClient): Promise<void> {
  while (!client.addresses().every(({ state }) => state === 'serving')) await call(client);
}

/** Sends calls, one after the other, until one has arrived at a processor that holds it. @returns that one */
async function callUntilHeld(
  client: TestClient,
  arrived: Promise<void>,
): Promise<{ outcome: Promise<string> }> {
  for (;;) {
    const outcome = call(client);
    const isHeld = await Promise.race([arrived.then(() => true), outcome.then(() => false)]);
    if (isHeld) return { outcome };
  }
}

async function reasonOf(outcome: Promise<unknown>): Promise<FailureReason> {
  const error = await outcome.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Failure);
  return (error as Failure).reason;
}

/** Options for conditions that become true eventually. */
const patience = { timeout: 20_000 };

describe(createBalancer, () => {
  it('spreads calls over all processors', async () => {
    const fleet = await Promise.all([start(), start(), start(), start()]);
    const client = clientOf(fleet.map(({ url }) => url));
    await callUntilAllServe(client);
    await vi.waitFor(async () => {
      const counts = await callMany(client, 400);
      expect(Object.keys(counts).sort()).toEqual(fleet.map(({ address }) => address).sort());
      // By chance the counts differ by 9 from 100. A process that has just started is slow, and gets less.
      for (const count of Object.values(counts)) expect(count).toBeGreaterThan(50);
    }, patience);
  });

  it('prefers the processor that has fewer calls in flight', async () => {
    const [busy, free] = await Promise.all([start(), start()]);
    const client = clientOf([busy.url, free.url]);
    await callUntilAllServe(client);
    const { arrived } = await busy.hold();
    const { outcome } = await callUntilHeld(client, arrived);
    for (let i = 0; i < 20; i++) expect(await call(client)).toBe(free.address);
    expect(client.addresses()).toEqual([
      { address: busy.address, inFlight: 1, state: 'serving' },
      { address: free.address, inFlight: 0, state: 'serving' },
    ]);
    await busy.release();
    expect(await outcome).toBe(busy.address);
  });

  it('repeats a call on another processor when its processor is killed during the call', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    const client = clientOf([first.url, second.url]);
    const { arrived } = await first.hold();
    const { outcome } = await callUntilHeld(client, arrived);
    first.kill('SIGKILL');
    expect(await outcome).toBe(second.address);
  });

  it('repeats a call once, and not a second time', async () => {
    const fleet = [await scripted(), await scripted(), await scripted()];
    const client = clientOf(fleet.map(({ url }) => url));
    let calls = 0;
    for (const { script } of fleet) {
      script.process = () => {
        calls++;
        throw new ConnectError('out', Code.Unavailable);
      };
    }
    expect(await reasonOf(call(client))).toBe('PROCESSOR_UNAVAILABLE');
    expect(calls).toBe(2);
    expect(fleet.map(({ requests }) => requests.length).sort()).toEqual([0, 1, 1]);
  });

  it.each([
    ['refused, and so not processed, ten times', 'NGHTTP2_REFUSED_STREAM', 11],
    ['reset once', 'NGHTTP2_INTERNAL_ERROR', 2],
    ['closed without a response', 'NGHTTP2_NO_ERROR', 2],
  ] as const)('repeats calls whose streams are %s', async (_, code, expected) => {
    let streams = 0;
    const server = createServer().on('stream', (stream, { ':path': path }) => {
      if (path === '/image.v1.ProcessorService/Process') streams++;
      stream.on('error', () => {}).close(constants[code]);
    });
    cleanups.push(() => server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const client = clientOf([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]);
    expect(await reasonOf(call(client))).toBe('PROCESSOR_UNAVAILABLE');
    expect(streams).toBe(expected);
  });

  it('repeats a call whose only processor has lost the connection over a new one', async () => {
    const processor = await scripted();
    const client = clientOf([processor.url]);
    let calls = 0;
    processor.script.process = () => {
      if (calls++ === 0) throw new ConnectError('the stream was reset', Code.Unavailable);
      return plainResponse;
    };
    expect(await call(client)).toBe('c0ffee');
  });

  it('gives the second try the remaining time', async () => {
    const processor = await scripted();
    const client = clientOf([processor.url]);
    const timeouts: number[] = [];
    processor.script.process = (_, context) => {
      timeouts.push(context.timeoutMs() ?? Number.NaN);
      // Uses up a part of the deadline.
      while ((context.timeoutMs() ?? 0) > (timeouts[0] ?? 0) - 20);
      if (timeouts.length === 1) throw new ConnectError('out', Code.Unavailable);
      return plainResponse;
    };
    await call(client);
    expect(timeouts).toHaveLength(2);
    expect(timeouts[1]).toBeLessThan((timeouts[0] ?? 0) - 10);
  });

  it.each([
    ['DRAINING', 'The processor is shutting down.'],
    ['CANCELLED', 'The caller left before the response was ready.'],
  ] as const)('repeats a call that a stopping processor ends as %s', async (reason, message) => {
    const fleet = [await scripted(), await scripted()];
    const client = clientOf(fleet.map(({ url }) => url));
    let calls = 0;
    for (const { script } of fleet) {
      script.process = () => {
        if (calls++ === 0) throw toConnectError(new Failure(reason, message));
        return plainResponse;
      };
    }
    expect(await call(client)).toBe('c0ffee');
    expect(fleet.map(({ requests }) => requests.length)).toEqual([1, 1]);
  });

  it.each([
    ['OVERLOADED', 'OVERLOADED'],
    // UNAVAILABLE, as a lost connection is, but the origin is unavailable and not the processor.
    ['ORIGIN_BUSY', 'ORIGIN_BUSY'],
    ['WORKER_CRASHED', 'WORKER_CRASHED'],
    ['PROCESSOR_UNAVAILABLE', 'PROCESSOR_UNAVAILABLE'],
    ['INTERNAL', 'INTERNAL'],
  ] as const)('takes %s from a processor as its response, and calls no other', async (reason, expected) => {
    const fleet = [await scripted(), await scripted()];
    const client = clientOf(fleet.map(({ url }) => url));
    for (const { script } of fleet) {
      script.process = () => {
        throw toConnectError(new Failure(reason, 'Say so.'));
      };
    }
    expect(await reasonOf(call(client))).toBe(expected);
    expect(fleet.flatMap(({ requests }) => requests)).toHaveLength(1);
    expect(client.addresses().every(({ state }) => state !== 'avoided')).toBe(true);
  });

  it('does not repeat a call whose caller has left', async () => {
    const fleet = [await scripted(), await scripted()];
    const client = clientOf(fleet.map(({ url }) => url));
    const caller = new AbortController();
    for (const { script } of fleet) {
      script.process = () => {
        caller.abort();
        return new Promise(() => {});
      };
    }
    using deadline = startDeadline(caller.signal, 25_000);
    expect(await reasonOf(client.process(request, deadline))).toBe('CANCELLED');
    expect(fleet.flatMap(({ requests }) => requests)).toHaveLength(1);
    expect(client.addresses().every(({ inFlight }) => inFlight === 0)).toBe(true);
  });

  it('loses no call to a processor that drains, and uses it again when it is back', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    const client = clientOf([first.url, second.url]);
    await callUntilAllServe(client);
    const { arrived } = await first.hold();
    const { outcome } = await callUntilHeld(client, arrived);
    const calls = callMany(client, 300);
    first.kill('SIGTERM');
    await first.release();
    expect(await outcome).toBe(first.address);
    await calls;
    expect(await first.exited).toBe(0);
    await callMany(client, 50);
    await start({ PORT: String(first.port) });
    await callUntilFrom(client, first.address);
  });

  it('loses no call to a processor that is killed under load, and uses it again when it is back', async () => {
    const fleet = await Promise.all([start(), start(), start()]);
    const client = clientOf(fleet.map(({ url }) => url));
    await callUntilAllServe(client);
    const [victim] = fleet;
    const calls = callMany(client, 600);
    await callUntilFrom(client, victim.address);
    victim.kill('SIGKILL');
    await calls;
    await victim.exited;
    await start({ PORT: String(victim.port) });
    await callUntilFrom(client, victim.address);
    await callUntilAllServe(client);
    await vi.waitFor(async () => {
      const counts = await callMany(client, 300);
      expect(counts[victim.address]).toBeGreaterThan(50);
    }, patience);
  });

  it('loses no call to a processor that is suspended, and uses it again when it resumes', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    const client = clientOf([first.url, second.url]);
    await callUntilAllServe(client);
    first.kill('SIGSTOP');
    expect(await callMany(client, 50)).toEqual({ [second.address]: 50 });
    expect(client.addresses()).toContainEqual({ address: first.address, inFlight: 0, state: 'avoided' });
    first.kill('SIGCONT');
    await callUntilFrom(client, first.address);
  });

  it('loses no call to connections that end by their age', async () => {
    // Where the processors wait that long for a core, every connection is too old for its calls.
    const environment = { MAX_CONNECTION_AGE_MS: '100' };
    const [first, second] = await Promise.all([start(environment), start(environment)]);
    const client = clientOf([first.url, second.url]);
    const counts = await callMany(client, 800);
    expect(Object.keys(counts).sort()).toEqual([first.address, second.address].sort());
    // With one processor there is no other for a call.
    const lonely = clientOf([first.url]);
    expect(await callMany(lonely, 400)).toEqual({ [first.address]: 400 });
  });

  it('follows the addresses of the host, and lets a call finish on one that has disappeared', async () => {
    const old = await start({ HOST: '127.0.0.1' });
    const fresh = await start({ HOST: '127.0.0.2', PORT: String(old.port) });
    let ips = ['127.0.0.1'];
    const client = clientOf([`http://processors.example:${old.port}`], async () => ips);
    const { arrived } = await old.hold();
    const { outcome } = await callUntilHeld(client, arrived);
    ips = ['127.0.0.1', '127.0.0.2'];
    await expect
      .poll(() => client.addresses())
      .toEqual([
        { address: old.address, inFlight: 1, state: 'serving' },
        { address: fresh.address, inFlight: 0, state: 'serving' },
      ]);
    expect(await call(client)).toBe(fresh.address);
    ips = ['127.0.0.2'];
    await expect
      .poll(() => client.addresses())
      .toEqual([{ address: fresh.address, inFlight: 0, state: 'serving' }]);
    await old.release();
    expect(await outcome).toBe(old.address);
  });

  it('loses no call in a rolling update while the name server lags by less than minReadySeconds', async () => {
    // One second represents the thirty by which some clusters' DNS lags.
    const [staleMs, minReadyMs] = [1000, 1500];
    const first = await start({ HOST: '127.0.0.1' });
    let pods = [first];
    const history = [{ atMs: Number.NEGATIVE_INFINITY, ips: ['127.0.0.1'] }];
    const note = () =>
      history.push({ atMs: performance.now(), ips: pods.map(({ address }) => address.split(':')[0] ?? '') });
    const resolve = async () =>
      history.findLast(({ atMs }) => atMs <= performance.now() - staleMs)?.ips ?? [];
    const client = clientOf([`http://processors.example:${first.port}`], resolve);
    await callUntilAllServe(client);
    let isUpdating = true;
    const calls = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (isUpdating) await call(client);
      }),
    );
    for (const host of ['127.0.0.2', '127.0.0.3']) {
      const fresh = await start({ HOST: host, PORT: String(first.port) });
      const [old] = pods;
      pods = [...pods, fresh];
      note();
      await sleep(minReadyMs);
      pods = [fresh];
      note();
      old?.kill('SIGTERM');
      await old?.exited;
    }
    await sleep(staleMs);
    isUpdating = false;
    await calls;
    await expect
      .poll(() => client.addresses().map(({ address }) => address))
      .toEqual([`127.0.0.3:${first.port}`]);
  });

  it('keeps using its addresses while the name server fails', async () => {
    const processor = await start();
    let lookups = 0;
    const client = clientOf([`http://processors.example:${processor.port}`], async () => {
      if (lookups++ > 0) throw new Error('queryA ESERVFAIL processors.example');
      return ['127.0.0.1'];
    });
    while (lookups < 5) expect(await call(client)).toBe(processor.address);
    expect(client.addresses()).toMatchObject([{ address: processor.address, state: 'serving' }]);
  });

  it('fails at once where no address is known, and works once there is one', async () => {
    const processor = await start();
    let isKnown = false;
    const known = Promise.withResolvers<void>();
    const client = clientOf([`http://processors.example:${processor.port}`], async () => {
      if (!isKnown) throw new Error('getaddrinfo ENOTFOUND processors.example');
      known.resolve();
      return ['127.0.0.1'];
    });
    const failure = await client.process(request, within()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ reason: 'PROCESSOR_UNAVAILABLE' });
    expect((failure as Failure).message).not.toContain('ENOTFOUND');
    expect(String(((failure as Failure).cause as Error).cause)).toContain('ENOTFOUND');
    isKnown = true;
    await known.promise;
    expect(await call(client)).toBe(processor.address);
  });

  it('ends a call whose deadline comes while the addresses are still looked up', async () => {
    const client = clientOf(['http://processors.example:50051'], () => new Promise(() => {}));
    expect(await reasonOf(client.process(request, within(50)))).toBe('DEADLINE_EXCEEDED');
  });

  it('does not wait for a lookup that hangs while another name is resolved', async () => {
    const processor = await start();
    const client = clientOf(['http://processors.example:50051', processor.url], () => new Promise(() => {}));
    expect(await call(client)).toBe(processor.address);
  });

  it('is healthy while at least one processor serves', async () => {
    const [draining, serving] = [await scripted(), await scripted()];
    draining.script.health = Status.NOT_SERVING;
    const client = clientOf([draining.url, 'http://127.0.0.1:1', serving.url]);
    for (let i = 0; i < 10; i++) await client.checkHealth(within());
    serving.script.health = Status.NOT_SERVING;
    expect(await reasonOf(client.checkHealth(within()))).toBe('PROCESSOR_UNAVAILABLE');
    // They still get calls: a stopping processor is better than none.
    expect(await call(client)).toBe('c0ffee');
  });

  it('sends no calls to a processor that reports NOT_SERVING while others serve', async () => {
    const [draining, serving] = [await scripted(), await scripted()];
    draining.script.health = Status.NOT_SERVING;
    const client = clientOf([draining.url, serving.url]);
    await client.checkHealth(within());
    await client.checkHealth(within());
    while (client.addresses()[1]?.state !== 'serving') await client.checkHealth(within());
    draining.reset();
    draining.script.health = Status.NOT_SERVING;
    for (let i = 0; i < 20; i++) await call(client);
    expect(draining.requests).toEqual([]);
    draining.script.health = Status.SERVING;
    while (draining.requests.length === 0) await call(client);
  });
});
