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
} from '../../gen/image/v1/processor_pb.ts';
import { createHeldBytes } from '../../src/api/held-bytes.ts';
import { createHeldStream } from '../../src/api/held-stream.ts';
import type { Failure } from '../../src/failures.ts';
import { messageMemory } from '../../src/memory-pool.ts';
import { failureFromConnectError } from '../../src/rpc-failures.ts';
import {
  type Problem,
  plainAnswer,
  type ScriptedProcessor,
  send,
  startScriptedProcessor,
  startTestApi,
  type TestApi,
} from '../support/api.ts';

function newResponse(): ServerResponse {
  return new ServerResponse(new IncomingMessage(new Socket()));
}

/** 1000 bytes for all, a minute for each, and a clock that stands until it is set. */
function thousandBytes() {
  const clock = { ms: 0 };
  return { clock, held: createHeldBytes(1000, 60_000, () => clock.ms) };
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
  it("uses a body's memory again when its answer is there, and not before", () => {
    const held = createHeldBytes(10_000_000, 60_000);
    const share = held.shareOf(newResponse());
    const place = share.place(1_000_000);
    share.isWhole();
    expect(held.shareOf(newResponse()).place(1_000_000)).not.toBe(place);
    share.answers([{ content: new Uint8Array(1000) }]);
    share.answers([{ content: new Uint8Array(1000) }]);
    expect(held.shareOf(newResponse()).place(1_000_000)).toBe(place);
    expect(held.shareOf(newResponse()).place(1_000_000)).not.toBe(place);
  });

  it('takes bodies up to the limit together, and refuses the next by its declared length', () => {
    const { held } = thousandBytes();
    held.shareOf(newResponse()).reserve(600, unused);
    held.shareOf(newResponse()).reserve(400, unused);
    expect(held.bytes()).toBe(1000);
    expect(() => held.shareOf(newResponse()).reserve(1, unused)).toThrow(overloaded(1000, 1001));
    expect(held.bytes()).toBe(1000);
  });

  it('takes what was not declared as it comes', () => {
    const { held } = thousandBytes();
    const share = held.shareOf(newResponse());
    share.reserve(0, unused);
    share.holds(300);
    share.holds(900);
    expect(held.bytes()).toBe(900);
    expect(() => share.holds(1001)).toThrow(overloaded(1000, 1001));
  });

  it('takes nothing more for what was declared when it comes', () => {
    const { held } = thousandBytes();
    const share = held.shareOf(newResponse());
    share.reserve(800, unused);
    share.holds(500);
    share.holds(800);
    expect(held.bytes()).toBe(800);
  });

  it("uses an answer's memory again when its last byte is out, and never if it is cut off", () => {
    const { held } = thousandBytes();
    const [sent, cutOff] = [newResponse(), newResponse()];
    const answerFor = (response: ServerResponse) => {
      const memory = messageMemory.take(500_000);
      held
        .shareOf(response)
        .answers([{ content: memory.subarray(10, 20) }, { content: memory.subarray(20, 300_000) }]);
      return memory.buffer;
    };
    const [first, second] = [answerFor(sent), answerFor(cutOff)];
    Object.defineProperty(sent, 'writableFinished', { value: true });
    sent.emit('close');
    cutOff.emit('close');
    const later = [1, 2, 3].map(() => messageMemory.take(500_000).buffer);
    expect(later.filter((memory) => memory === first)).toHaveLength(1);
    expect(later).not.toContain(second);
  });

  it('holds the answer in place of the body, and nothing after its last byte', () => {
    const { held } = thousandBytes();
    const response = newResponse();
    held.shareOf(response).reserve(800, unused);
    held.shareOf(response).answers([{ content: new Uint8Array(50) }]);
    expect(held.bytes()).toBe(50);
    response.emit('close');
    expect(held.bytes()).toBe(0);
  });

  it('refuses no answer that is there, but whoever comes while answers are over the limit', () => {
    const { held } = thousandBytes();
    held.shareOf(newResponse()).answers([{ content: new Uint8Array(1500) }]);
    expect(() => held.checkRoom()).toThrow(overloaded(1000, 1500));
  });

  it('gives the memory of an upload that would miss its deadline at its pace to who needs it', () => {
    const { clock, held } = thousandBytes();
    const gaveUp: Failure[] = [];
    const slow = held.shareOf(newResponse());
    slow.reserve(600, (failure) => gaveUp.push(failure));
    // 19 of 600 bytes in 2 of 60 seconds.
    slow.holds(19);
    clock.ms = 2000;
    held.shareOf(newResponse()).reserve(400, unused);
    expect(gaveUp).toEqual([]);
    held.shareOf(newResponse()).reserve(500, unused);
    expect(gaveUp).toEqual([overloaded(600, 19)]);
    expect(gaveUp[0]?.message).toContain('19 of 600 bytes came in 2000 ms');
    expect(held.bytes()).toBe(900);
  });

  it.each([
    ['is in time', 2000, (share: { holds(bytes: number): void }) => share.holds(20)],
    ['has only begun', 1000, () => {}],
  ])('takes nothing from an upload that %s', (_, ms, read) => {
    const { clock, held } = thousandBytes();
    const share = held.shareOf(newResponse());
    share.reserve(600, unused);
    read(share);
    clock.ms = ms;
    expect(() => held.shareOf(newResponse()).reserve(500, unused)).toThrow(overloaded(1000, 1100));
  });

  it('takes nothing from an image in work, however slowly it came', () => {
    const { clock, held } = thousandBytes();
    const share = held.shareOf(newResponse());
    share.reserve(600, unused);
    share.isWhole();
    clock.ms = 59_000;
    expect(() => held.shareOf(newResponse()).reserve(500, unused)).toThrow(overloaded(1000, 1100));
  });

  it("cuts off who hasn't fetched an answer in the time of a request, when its memory is needed", () => {
    const { clock, held } = thousandBytes();
    const response = newResponse();
    held.shareOf(response).answers([{ content: new Uint8Array(600) }]);
    clock.ms = 60_000;
    expect(() => held.shareOf(newResponse()).reserve(500, unused)).toThrow(overloaded(1000, 1100));
    expect(response.destroyed).toBe(false);
    clock.ms = 60_001;
    held.shareOf(newResponse()).reserve(500, unused);
    expect(response.destroyed).toBe(true);
    expect(held.bytes()).toBe(500);
  });
});

describe(createHeldStream, () => {
  it('holds what is no message yet, and messages until their answer', async () => {
    const { held } = thousandBytes();
    const share = held.shareOf(newResponse());
    share.reserve(0, unused);
    const stream = createHeldStream(share);
    const answer = (id: string) => create(ProcessStreamResponseSchema, { id });
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
    expect(() => stream.read(281)).toThrow(overloaded(1000, 1001));
    const answers = stream.answers(
      (async function* () {
        yield answer('b');
        yield answer('a');
      })(),
    );
    for await (const _ of answers) seen.push(held.bytes());
    expect(seen.slice(2)).toEqual([701, 301]);
  });
});

/** Room for one image of the longest, and no second. */
const maxHeldBytes = 1_100_000;

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

  /** Sends an image of 1 MB, and comes back when the processor has it. */
  async function occupy() {
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    processor.script.process = async () => {
      arrived.resolve();
      await release.promise;
      return plainAnswer;
    };
    const answer = post({ chunks: [Buffer.alloc(1_000_000)], headers: { 'Content-Length': 1_000_000 } });
    await arrived.promise;
    return async () => {
      release.resolve();
      expect((await answer).status).toBe(200);
      processor.reset();
    };
  }

  function post(options: { chunks?: Iterable<Uint8Array>; headers?: Record<string, string | number> }) {
    return send(`${api.url}/v1/images`, { method: 'POST', ...options });
  }

  it('refuses a body that has no room before it asks for it, and takes it afterwards', async () => {
    const release = await occupy();
    const image = {
      chunks: [Buffer.alloc(200_000)],
      headers: { 'Content-Length': 200_000, Expect: '100-continue' },
    };
    const refused = await post(image);
    expect(refused).toMatchObject({ status: 503, wasAskedForBody: false, headers: { 'retry-after': '1' } });
    expect(JSON.parse(refused.body.toString()) as Problem).toMatchObject({
      reason: 'OVERLOADED',
      metadata: { limit: '1100000', actual: '1200000' },
    });
    expect((await post({ ...image, headers: { 'Content-Length': 100_001 } })).status).toBe(503);
    await release();
    expect(await post(image)).toMatchObject({ status: 200, wasAskedForBody: true });
  });

  it('refuses a body of no declared length when it grows beyond the room, and frees what it had', async () => {
    const release = await occupy();
    const chunks = [Buffer.alloc(60_000), Buffer.alloc(60_000)];
    expect((await post({ chunks })).status).toBe(503);
    expect((await post({ chunks, headers: { 'Content-Length': 120_000 } })).status).toBe(503);
    processor.script.process = () => plainAnswer;
    expect((await post({ chunks: [Buffer.alloc(90_000)] })).status).toBe(200);
    await release();
  });

  it('frees what a caller held who left in the middle', async () => {
    const socket = connect(api.port, '127.0.0.1');
    socket.write(
      'POST /v1/images HTTP/1.1\r\nHost: x\r\nX-Request-Id: gone\r\nContent-Length: 1000000\r\n\r\nabc',
      () => socket.destroy(),
    );
    await api.accessLine('gone');
    const whole = { chunks: [Buffer.alloc(1_000_000)], headers: { 'Content-Length': 1_000_000 } };
    expect((await post(whole)).status).toBe(200);
  });

  it('holds for calls of browsers as well', async () => {
    const release = await occupy();
    const client = createClient(
      ProcessorService,
      createConnectTransport({ baseUrl: api.url, httpVersion: '1.1' }),
    );
    const source = { case: 'content', value: new Uint8Array(200_000) } as const;
    const error: unknown = await client.process({ source }).catch((thrown: unknown) => thrown);
    expect(failureFromConnectError(ConnectError.from(error))?.reason).toBe('OVERLOADED');
    await release();
    expect((await client.process({ source })).key).toBe('c0ffee');
  });

  it('ends a stream of images when those without an answer have no room', async () => {
    processor.script.processStream = async function* (requests) {
      const waiting: string[] = [];
      for await (const { id } of requests) waiting.push(id);
      for (const id of waiting) yield { id, result: { case: 'response', value: plainAnswer } };
    };
    const call = (images: number) =>
      send(`${api.url}/image.v1.ProcessorService/ProcessStream`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/connect+proto' },
        chunks: Array.from({ length: images }, (_, index) => envelopeOf(String(index), 300_000)),
      });
    const three = (await call(3)).body.toString('latin1');
    expect(three.match(/c0ffee/g)).toHaveLength(3);
    expect(three).not.toContain('"error"');
    const four = (await call(4)).body.toString('latin1');
    expect(four).toContain('"code":"resource_exhausted"');
    expect(four).toContain('Requests under way hold');
  });

  it('cuts off who does not read an answer when another needs its memory', async () => {
    await using hasty = await startTestApi({
      PROCESSOR_URL: processor.url,
      MAX_UPLOAD_BYTES: '1000000',
      MAX_HELD_BYTES: String(maxHeldBytes),
      REQUEST_TIMEOUT_MS: '2000',
    });
    const arrived = Promise.withResolvers<void>();
    processor.script.process = () => {
      processor.script.process = () => plainAnswer;
      arrived.resolve();
      // More than the system's own buffers take.
      return { ...plainAnswer, content: new Uint8Array(15_000_000) };
    };
    const reader = connect(hasty.port, '127.0.0.1').pause();
    reader.write('POST /v1/images HTTP/1.1\r\nHost: x\r\nX-Request-Id: idle\r\nContent-Length: 3\r\n\r\nabc');
    await arrived.promise;
    const cut = hasty.accessLine('idle');
    let isCut = false;
    void cut.then(() => {
      isCut = true;
    });
    const statuses = new Set<number>();
    // Bounded, as a loop goes on when its test is given up.
    for (let attempts = 0; !isCut && attempts < 10_000; attempts++) {
      statuses.add((await send(`${hasty.url}/v1/images`, { method: 'POST', chunks: ['ab'] })).status);
    }
    expect(await cut).toMatchObject({ status: 499 });
    expect(statuses).toContain(503);
    expect((await send(`${hasty.url}/v1/images`, { method: 'POST', chunks: ['ab'] })).status).toBe(200);
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

  it('ends a slow upload with a reason that passes when another needs its memory', async () => {
    const slow = connect(api.port, '127.0.0.1');
    slow.write('POST /v1/images HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc');
    const answer = once(slow, 'data') as Promise<[Buffer]>;
    const whole = {
      chunks: [Buffer.alloc(1_000_000)],
      headers: { 'Content-Length': 1_000_000, Expect: '100-continue' },
    };
    // Refused until the slow one has had its second.
    for (let attempts = 0; attempts < 10_000; attempts++) {
      if ((await post(whole)).status === 200) break;
    }
    expect((await answer)[0].toString()).toMatch(
      /^HTTP\/1\.1 503 .*3 of 1000000 bytes.*"reason":"OVERLOADED"/s,
    );
    slow.destroy();
  });
});
