import { connect } from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  Datatype,
  ImageFormat,
  ProcessorService,
  ProcessRequestSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import { failureFromConnectError } from '../../../src/grpc/rpc-failures.ts';
import { createServingMemory } from '../../../src/processor/serving/call-memory.ts';
import { startWorkerPool, type WorkerPool } from '../../../src/processor/workers/pool.ts';
import { encoded, redGreenBlue } from '../../support/pictures.ts';
import { createProcessing, startProcessorServer } from '../../support/processor.ts';

let pool: WorkerPool;
let png: Uint8Array;
beforeAll(async () => {
  pool = await startWorkerPool(2);
  png = await encoded(redGreenBlue, 'png');
});
afterAll(() => pool.close());

/** Bytes of a tensor with sides of `side` pixels, and of a header. */
const tensorOf = (side: number) =>
  ({
    resize: { width: side, height: side },
    output: { case: 'tensor', value: { datatype: Datatype.FP32 } },
  }) as const;
const source = () => ({ case: 'content', value: png }) as const;

async function reasonOf(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => ConnectError.from(thrown),
  );
  const failure = error && failureFromConnectError(error);
  return failure && { reason: failure.reason, metadata: failure.metadata };
}

/** Workers that fail the test if a pixel is decoded. */
const idle = (): WorkerPool => ({
  ...pool,
  run: () => Promise.reject(new Error('nothing was to be decoded')),
});

describe(createServingMemory, () => {
  it('refuses a response that would be too long before a pixel is decoded, by the limit’s name', async () => {
    const memory = createServingMemory(100_000_000, 1_000_000, 60_000);
    await using server = await startProcessorServer(createProcessing(idle()), { memory });
    expect(await reasonOf(server.client.process({ source: source(), ...tensorOf(300) }))).toEqual({
      reason: 'OUTPUT_BYTES_OVER_LIMIT',
      metadata: { limit: '1000000', actual: '1084096', limited_by: 'MAX_ANSWER_BYTES' },
    });
    const output = { case: 'image', value: { format: ImageFormat.PNG } } as const;
    const variants = Array.from({ length: 16 }, () => ({ resize: { width: 160, height: 160 }, output }));
    expect(await reasonOf(server.client.processVariants({ source: source(), variants }))).toMatchObject({
      reason: 'OUTPUT_BYTES_OVER_LIMIT',
      metadata: { limit: '1000000' },
    });
    expect(memory.budget.bytes()).toBe(0);
  });

  it('applies the smaller limit if the caller has sent its own', async () => {
    const memory = createServingMemory(100_000_000, 1_000_000, 60_000);
    await using server = await startProcessorServer(createProcessing(idle()), { memory });
    const headers = { 'x-image-max-response-bytes': '200000' };
    const call = server.client.process({ source: source(), ...tensorOf(224) }, { headers });
    expect(await reasonOf(call)).toEqual({
      reason: 'OUTPUT_BYTES_OVER_LIMIT',
      metadata: { limit: '200000', actual: '606208', limited_by: "the caller's limit" },
    });
  });

  it('applies the limits to a cached response as to a computed one', async () => {
    const memory = createServingMemory(100_000_000, 1_000_000, 60_000);
    await using server = await startProcessorServer(createProcessing(pool), { memory });
    const ask = (headers = {}) => server.client.process({ source: source(), ...tensorOf(224) }, { headers });
    expect((await ask()).content.length).toBe(602_112);
    expect(await reasonOf(ask({ 'x-image-max-response-bytes': '602111' }))).toMatchObject({
      reason: 'OUTPUT_BYTES_OVER_LIMIT',
      metadata: { limit: '602111', actual: '602112' },
    });
    expect((await ask({ 'x-image-max-response-bytes': 'much' })).content.length).toBe(602_112);
  });

  it('names the smaller of two limits', async () => {
    const memory = createServingMemory(1_000_000, 2_000_000, 60_000);
    await using server = await startProcessorServer(createProcessing(idle()), { memory });
    expect(await reasonOf(server.client.process({ source: source(), ...tensorOf(300) }))).toMatchObject({
      metadata: { limit: '750000', limited_by: 'three quarters of MAX_HELD_BYTES' },
    });
  });

  it('refuses calls without room while clients do not read responses, and frees the room afterwards', async () => {
    const memory = createServingMemory(40_000_000, 20_000_000, 60_000);
    await using server = await startProcessorServer(createProcessing(pool), { memory });
    const readers = [1, 2].map(() => unreadCall(server.url));
    await vi.waitUntil(() => memory.budget.bytes() > 24_000_000, { timeout: 10_000, interval: 5 });
    // 12 MB each: three would be more than three quarters of the memory.
    expect(await reasonOf(server.client.process({ source: source(), ...tensorOf(1001) }))).toMatchObject({
      reason: 'OVERLOADED',
    });
    const thumbnail = await server.client.process({ source: source(), ...tensorOf(32) });
    expect(thumbnail.width).toBe(32);
    for (const { close } of readers) close();
    await vi.waitUntil(() => memory.budget.bytes() === 0, { timeout: 10_000, interval: 5 });
    const large = await server.client.process({ source: source(), ...tensorOf(1001) });
    expect(large.content.length).toBe(12_024_012);
  });

  it('counts a message as it arrives, not its declared length', async () => {
    const memory = createServingMemory(40_000_000, 20_000_000, 60_000);
    await using server = await startProcessorServer(createProcessing(pool), { memory });
    const session = connect(server.url);
    const streams = Array.from({ length: 10 }, () => {
      const stream = session.request(callHeaders);
      stream.write(enveloped(Buffer.alloc(1000), 8_000_000));
      return stream;
    });
    await vi.waitUntil(() => memory.budget.bytes() === 10_000, { timeout: 10_000, interval: 5 });
    const response = await server.client.process({ source: source(), ...tensorOf(1000) });
    expect(response.width).toBe(1000);
    for (const stream of streams) stream.destroy();
    session.destroy();
    await vi.waitUntil(() => memory.budget.bytes() === 0, { timeout: 10_000, interval: 5 });
  });
});

/** A call for a tensor of 12 MB on its own connection, from which no byte is read. */
function unreadCall(url: string): { close(): void } {
  const session = connect(url, { settings: { initialWindowSize: 0 } });
  const request = create(ProcessRequestSchema, { source: source(), ...tensorOf(1000) });
  session
    .request(callHeaders)
    .on('error', () => {})
    .end(enveloped(toBinary(ProcessRequestSchema, request)));
  return { close: () => session.destroy() };
}

const callHeaders = {
  ':method': 'POST',
  ':path': `/${ProcessorService.typeName}/Process`,
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** @param length - that the envelope declares */
function enveloped(message: Uint8Array, length = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}
