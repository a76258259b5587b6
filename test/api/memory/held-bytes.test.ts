import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { connect, Socket } from 'node:net';
import { create, toBinary } from '@bufbuild/protobuf';
import { ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ProcessorService,
  ProcessStreamRequestSchema,
  ProcessStreamResponseSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import { createHeldBytes } from '../../../src/api/memory/held-bytes.ts';
import { createHeldStream } from '../../../src/api/memory/held-stream.ts';
import type { Failure } from '../../../src/failures.ts';
import { failureFromConnectError } from '../../../src/grpc/rpc-failures.ts';
import {
  type Problem,
  plainResponse,
  type ScriptedProcessor,
  send,
  startScriptedProcessor,
  startTestApi,
  type TestApi,
} from '../../support/api.ts';

function newResponse(): ServerResponse {
  return new ServerResponse(new IncomingMessage(new Socket()));
}

/** 1000 bytes for all, a minute for each, and a clock that the test sets. */
function thousandBytes() {
  const clock = { ms: 0 };
  const held = createHeldBytes(1000, 60_000, () => clock.ms);
  return { clock, held, share: (caller = 'a') => held.shareOf(newResponse(), caller) };
}

const unused = () => {
  throw new Error('nobody has to give up here');
};
const overloaded = (limit: number, actual: number) =>
  expect.objectContaining({
    reason: 'OVERLOADED',
    metadata: { limit: String(limit), actual: String(actual) },
  });

describe(createHeldBytes, () => {
  it('counts a body as it arrives, and nothing for a length that is only declared', () => {
    const { held, share } = thousandBytes();
    const promises = Array.from({ length: 100 }, () => share());
    for (const promise of promises) promise.reserve(700, unused);
    expect(held.bytes()).toBe(0);
    promises[0]?.holds(300);
    promises[1]?.holds(450);
    expect(held.bytes()).toBe(750);
    expect(() => promises[2]?.holds(1)).toThrow(overloaded(747, 751));
  });

  it('refuses a declared length that has no room now', () => {
    const { share } = thousandBytes();
    share().holds(500);
    expect(() => share('b').reserve(501, unused)).toThrow(overloaded(1000, 1001));
  });

  it('reserves memory for a response beside that of the body, before the response is computed', () => {
    const { held, share } = thousandBytes();
    const one = share();
    one.holds(100);
    one.expects(600);
    expect(held.bytes()).toBe(700);
    expect(() => share().expects(51)).toThrow(overloaded(747, 751));
    // It is longer or shorter than expected.
    // With its body it exceeds the most of one caller.
    expect(() => one.expects(651)).toThrow(
      expect.objectContaining({
        reason: 'OUTPUT_BYTES_OVER_LIMIT',
        metadata: { limit: '750', actual: '751', limited_by: 'MAX_HELD_BYTES' },
      }),
    );
    one.expects(20);
    expect(held.bytes()).toBe(120);
  });

  it('holds the response in place of the body, and nothing after its last byte', () => {
    const { held } = thousandBytes();
    const outgoing = newResponse();
    const share = held.shareOf(outgoing, 'a');
    share.holds(700);
    share.responds(50);
    expect(held.bytes()).toBe(50);
    outgoing.emit('close');
    expect(held.bytes()).toBe(0);
  });

  it('ends an upload that would miss its deadline at its pace when others need the memory', () => {
    const { clock, held, share } = thousandBytes();
    const gaveUp: Failure[] = [];
    const slow = share();
    slow.reserve(6000 / 10, (failure) => gaveUp.push(failure));
    slow.holds(19);
    share('b').holds(700);
    clock.ms = 2000;
    share('c').holds(200);
    expect(gaveUp).toEqual([]);
    share('d').holds(75);
    expect(gaveUp).toEqual([overloaded(600, 19)]);
    expect(gaveUp[0]?.message).toContain('19 of 600 bytes came in 2000 ms');
    expect(held.bytes()).toBe(975);
  });

  it('sends a long response in slices, which measure its progress', async () => {
    const megabyte = 1024 * 1024;
    const clock = { ms: 0 };
    const held = createHeldBytes(100 * megabyte, 60_000, () => clock.ms);
    const outgoing = newResponse();
    const share = held.shareOf(outgoing, 'a');
    share.responds(50 * megabyte);
    const body = share.sends([Buffer.alloc(10, 1), Buffer.alloc(50 * megabyte, 2)]);
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    const lengths = [(await reader.read()).value?.length, (await reader.read()).value?.length];
    expect(lengths).toEqual([10, megabyte]);
    // A megabyte in a second: in time.
    clock.ms = 1100;
    expect(() => held.shareOf(newResponse(), 'b').expects(60 * megabyte)).toThrow('Requests under way');
    expect(outgoing.destroyed).toBe(false);
    // A megabyte in two: too slow.
    clock.ms = 2000;
    held.shareOf(newResponse(), 'b').expects(60 * megabyte);
    expect(outgoing.destroyed).toBe(true);
  });

  it('sends a short response in one write', () => {
    const { share } = thousandBytes();
    const content = new Uint8Array(500);
    expect(share().sends([content])).toBe(content);
  });

  it("cuts off who hasn't fetched a short response in the time of a request, when its memory is needed", () => {
    const { clock, held } = thousandBytes();
    const outgoing = newResponse();
    const share = held.shareOf(outgoing, 'a');
    share.responds(600);
    share.sends([new Uint8Array(600)]);
    clock.ms = 60_000;
    expect(() => held.checkRoom('b', 500)).toThrow(overloaded(1000, 1100));
    clock.ms = 60_001;
    held.shareOf(newResponse(), 'b').expects(500);
    expect(outgoing.destroyed).toBe(true);
    expect(held.bytes()).toBe(500);
  });
});

describe(createHeldStream, () => {
  it('holds incomplete messages, and messages until their response', async () => {
    const { held, share } = thousandBytes();
    const stream = createHeldStream(share(), 1000);
    const responseTo = (id: string) => create(ProcessStreamResponseSchema, { id });
    const image = (id: string, bytes: number) =>
      create(ProcessStreamRequestSchema, {
        id,
        request: { source: { case: 'content', value: new Uint8Array(bytes) } },
      });
    const seen: number[] = [];
    stream.read(410);
    const requests = stream.requests(
      (async function* () {
        yield image('a', 400);
        stream.read(310);
        yield image('b', 300);
      })(),
    );
    for await (const _ of requests) seen.push(held.bytes());
    expect(seen).toEqual([410, 720]);
    expect(() => stream.read(31)).toThrow(overloaded(747, 751));
    const responses = stream.responses(
      (async function* () {
        yield responseTo('b');
        yield responseTo('a');
      })(),
    );
    for await (const _ of responses) seen.push(held.bytes());
    expect(seen.slice(2)).toEqual([451, 51]);
  });
});

/** Room for one of the longest images, but not for a second one of the same caller. */
const maxHeldBytes = 2_000_000;

describe('MAX_HELD_BYTES', () => {
  let processor: ScriptedProcessor;
  let api: TestApi;

  beforeAll(async () => {
    processor = await startScriptedProcessor();
    api = await startTestApi({
      PROCESSOR_URL: processor.url,
      MAX_UPLOAD_BYTES: '1000000',
      MAX_HELD_BYTES: String(maxHeldBytes),
    });
  });
  beforeEach(() => processor.reset());
  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    await processor[Symbol.asyncDispose]();
  });

  /** Sends an image of 1 MB, and resolves when the processor has it. */
  async function occupy() {
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    processor.script.process = async () => {
      arrived.resolve();
      await release.promise;
      return plainResponse;
    };
    const response = post({ chunks: [Buffer.alloc(1_000_000)], headers: { 'Content-Length': 1_000_000 } });
    await arrived.promise;
    return async () => {
      release.resolve();
      expect((await response).status).toBe(200);
      processor.reset();
    };
  }

  function post(options: { chunks?: Iterable<Uint8Array>; headers?: Record<string, string | number> }) {
    return send(`${api.url}/v1/images?scale=false`, { method: 'POST', ...options });
  }

  it('refuses a body that has no room before 100 Continue, and accepts it afterwards', async () => {
    const release = await occupy();
    const image = {
      chunks: [Buffer.alloc(600_000)],
      headers: { 'Content-Length': 600_000, Expect: '100-continue' },
    };
    const refused = await post(image);
    expect(refused).toMatchObject({ status: 503, gotContinue: false, headers: { 'retry-after': '1' } });
    expect(JSON.parse(refused.body.toString()) as Problem).toMatchObject({
      reason: 'OVERLOADED',
      metadata: { limit: '1200000', actual: '1600000' },
    });
    expect((await post({ ...image, headers: { 'Content-Length': 500_001 } })).status).toBe(503);
    await release();
    expect(await post(image)).toMatchObject({ status: 200, gotContinue: true });
  });

  it('refuses a body of no declared length when it grows beyond the room, and frees its memory', async () => {
    const release = await occupy();
    const chunks = [Buffer.alloc(300_000), Buffer.alloc(300_000)];
    expect((await post({ chunks })).status).toBe(503);
    expect((await post({ chunks, headers: { 'Content-Length': 600_000 } })).status).toBe(503);
    processor.script.process = () => plainResponse;
    expect((await post({ chunks: [Buffer.alloc(400_000)] })).status).toBe(200);
    await release();
  });

  it('frees the memory of a caller that leaves during its request', async () => {
    const socket = connect(api.port, '127.0.0.1');
    socket.write(
      'POST /v1/images HTTP/1.1\r\nHost: x\r\nX-Request-Id: gone\r\nContent-Length: 1000000\r\n\r\nabc',
      () => socket.destroy(),
    );
    await api.accessLine('gone');
    const whole = { chunks: [Buffer.alloc(1_000_000)], headers: { 'Content-Length': 1_000_000 } };
    expect((await post(whole)).status).toBe(200);
  });

  it('applies to calls of browsers as well', async () => {
    const release = await occupy();
    const client = createClient(
      ProcessorService,
      createConnectTransport({ baseUrl: api.url, httpVersion: '1.1' }),
    );
    const source = { case: 'content', value: new Uint8Array(600_000) } as const;
    const error: unknown = await client.process({ source }).catch((thrown: unknown) => thrown);
    expect(failureFromConnectError(ConnectError.from(error))?.reason).toBe('OVERLOADED');
    await release();
    expect((await client.process({ source })).key).toBe('c0ffee');
  });

  it('ends a stream of images when those without a response have no room', async () => {
    const call = (images: number) => {
      // No image has its response before all of them are in work.
      const all = Promise.withResolvers<typeof plainResponse>();
      let inWork = 0;
      processor.script.process = (_request, { signal }) => {
        signal.addEventListener('abort', () => all.reject(signal.reason), { once: true });
        if (++inWork === images) all.resolve(plainResponse);
        return all.promise;
      };
      return send(`${api.url}/image.v1.ProcessorService/ProcessStream`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/connect+proto' },
        chunks: Array.from({ length: images }, (_, index) => envelopeOf(String(index), 300_000)),
      });
    };
    const three = (await call(4)).body.toString('latin1');
    expect(three.match(/c0ffee/g)).toHaveLength(4);
    expect(three).not.toContain('"error"');
    const four = (await call(6)).body.toString('latin1');
    expect(four).toContain('"code":"resource_exhausted"');
    expect(four).toContain('MAX_HELD_BYTES');
  });

  it('cuts off a caller that does not read its response when another needs the memory', async () => {
    await using hasty = await startTestApi({
      PROCESSOR_URL: processor.url,
      MAX_UPLOAD_BYTES: '1000000',
      MAX_HELD_BYTES: '24000000',
      REQUEST_TIMEOUT_MS: '2000',
    });
    const arrived = Promise.withResolvers<void>();
    processor.script.process = () => {
      processor.script.process = () => plainResponse;
      arrived.resolve();
      // More than the buffers of the system hold.
      return { ...plainResponse, content: new Uint8Array(15_000_000) };
    };
    const reader = connect(hasty.port, '127.0.0.1').pause();
    reader.write(
      'POST /v1/images?scale=false HTTP/1.1\r\nHost: x\r\nX-Request-Id: idle\r\nContent-Length: 3\r\n\r\nabc',
    );
    await arrived.promise;
    const cut = hasty.accessLine('idle');
    let isCut = false;
    void cut.then(() => {
      isCut = true;
    });
    const statuses = new Set<number>();
    const askForTwelveMegabytes = () =>
      send(`${hasty.url}/v1/images?width=1000&height=1000&grayscale=false&format=raw`, {
        method: 'POST',
        chunks: ['ab'],
      });
    // Bounded, because a loop continues after its test has timed out.
    for (let attempts = 0; !isCut && attempts < 10_000; attempts++) {
      statuses.add((await askForTwelveMegabytes()).status);
    }
    expect(await cut).toMatchObject({ status: 499 });
    expect(statuses).toContain(503);
    expect((await askForTwelveMegabytes()).status).toBe(200);
    reader.destroy();
  });

  function envelopeOf(id: string, bytes: number): Buffer {
    const source = { case: 'content', value: new Uint8Array(bytes) } as const;
    const message = toBinary(
      ProcessStreamRequestSchema,
      create(ProcessStreamRequestSchema, { id, request: { source } }),
    );
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    return Buffer.concat([head, message]);
  }

  it('reserves no memory for bodies that are only declared', async () => {
    const promises = Array.from({ length: 20 }, () => {
      const socket = connect(api.port, '127.0.0.1');
      socket.write('POST /v1/images?scale=false HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n');
      return socket;
    });
    await Promise.all(promises.map((socket) => once(socket, 'ready')));
    for (let round = 0; round < 5; round++) {
      expect((await post({ chunks: [Buffer.alloc(1_000_000)] })).status).toBe(200);
    }
    for (const socket of promises) socket.destroy();
  });

  it('refuses a response that its options make too long before it calls the processor', async () => {
    const ask = (query: string) => send(`${api.url}/v1/images?${query}`, { method: 'POST', chunks: ['ab'] });
    const refused = await ask('width=400&height=400&grayscale=false&format=raw');
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.body.toString()) as Problem).toMatchObject({
      reason: 'OUTPUT_BYTES_OVER_LIMIT',
      metadata: { limit: '1500000', actual: '1924096', limited_by: 'three quarters of MAX_HELD_BYTES' },
    });
    const variants = encodeURIComponent(
      JSON.stringify(Array.from({ length: 16 }, () => ({ format: 'raw' }))),
    );
    const several = await ask(`width=100&height=100&grayscale=false&variants=${variants}`);
    expect(JSON.parse(several.body.toString()) as Problem).toMatchObject({
      reason: 'OUTPUT_BYTES_OVER_LIMIT',
      metadata: { limit: '1500000', actual: '1985536' },
    });
    expect(processor.requests).toEqual([]);
  });

  it('refuses a response of unknown length that has no room, without reading it', async () => {
    const release = await occupy();
    processor.script.process = () => ({ ...plainResponse, content: new Uint8Array(600_000) });
    expect((await post({ chunks: [Buffer.from('ab')] })).status).toBe(503);
    await release();
    processor.script.process = () => ({ ...plainResponse, content: new Uint8Array(600_000) });
    expect((await post({ chunks: [Buffer.from('ab')] })).status).toBe(200);
  });

  it('sends the processor the longest allowed response', async () => {
    let declared: string | null = null;
    processor.script.process = (_, { requestHeader }) => {
      declared = requestHeader.get('x-image-max-response-bytes');
      return plainResponse;
    };
    await post({ chunks: [Buffer.from('ab')] });
    expect(declared).toBe('1500000');
  });

  it('ends a slow upload with a retryable reason when another request needs its memory', async () => {
    await using hasty = await startTestApi({
      PROCESSOR_URL: processor.url,
      MAX_UPLOAD_BYTES: '1000000',
      MAX_HELD_BYTES: String(maxHeldBytes),
      REQUEST_TIMEOUT_MS: '4000',
    });
    const slow = connect(hasty.port, '127.0.0.1');
    slow.write('POST /v1/images HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n');
    slow.write(Buffer.alloc(600_000));
    const response = once(slow, 'data') as Promise<[Buffer]>;
    const whole = {
      method: 'POST',
      chunks: [Buffer.alloc(1_000_000)],
      headers: { 'Content-Length': 1_000_000, Expect: '100-continue' },
    };
    // Refused until the slow one is late.
    for (let attempts = 0; attempts < 10_000; attempts++) {
      if ((await send(`${hasty.url}/v1/images?scale=false`, whole)).status === 200) break;
    }
    expect((await response)[0].toString()).toMatch(
      /^HTTP\/1\.1 503 .*600000 of 1000000 bytes.*"reason":"OVERLOADED"/s,
    );
    slow.destroy();
  });
});
