import { hash } from 'node:crypto';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { HealthCheckResponse_ServingStatus as Status } from '../../gen/grpc/health/v1/health_pb.ts';
import { CacheState, Fit, ProcessStreamRequestSchema } from '../../gen/image/v1/processor_pb.ts';
import type { ImageProcessing } from '../../src/processor/process-image.ts';
import { createProcessorService } from '../../src/processor/service.ts';
import { startWorkerPool, type WorkerPool } from '../../src/processor/workers/pool.ts';
import { decoded, encoded, gradient, noise, photoLike, redGreenBlue } from '../support/pictures.ts';
import { createProcessing, startProcessorServer } from '../support/processor.ts';

type StreamRequest = MessageInitShape<typeof ProcessStreamRequestSchema>;

let pool: WorkerPool;
let png: Uint8Array;
beforeAll(async () => {
  pool = await startWorkerPool(2);
  png = await encoded(redGreenBlue, 'png');
});
afterAll(() => pool.close());

const becomes = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 10_000, interval: 1 });

/** The reason and message of a failed call, as a client sees them. */
async function errorOf(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConnectError)) throw new Error('the call did not fail');
  const [info] = error.findDetails(ErrorInfoSchema);
  return { code: error.code, message: error.rawMessage, reason: info?.reason, metadata: info?.metadata };
}

const streamed = (id: string, content: Uint8Array, grayscale = true): StreamRequest => ({
  id,
  request: { source: { case: 'content', value: content }, grayscale },
});

async function* sendAll(...messages: StreamRequest[]) {
  for (const message of messages) yield create(ProcessStreamRequestSchema, message);
}

async function collected<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

/** Workers that hold each image until the test releases it by the hash of its bytes. */
function createHoldingWorkers() {
  const held = new Map<string, () => void>();
  const arrivals: (() => void)[] = [];
  let most = 0;
  const workers: WorkerPool = {
    ...pool,
    async run(job) {
      await new Promise<void>((resolve) => {
        held.set(hash('sha256', job.content), resolve);
        most = Math.max(most, held.size);
        for (const arrive of arrivals.splice(0)) arrive();
      });
      return await pool.run(job);
    },
  };
  const letGo = (key: string) => {
    held.get(key)?.();
    held.delete(key);
  };
  return {
    workers,
    /** The maximum of images held at once. */
    most: () => most,
    async holds(count: number) {
      while (held.size < count) await new Promise<void>((resolve) => arrivals.push(resolve));
    },
    letGo: (content: Uint8Array) => letGo(hash('sha256', content)),
    letOneGo() {
      const [first] = held.keys();
      if (first !== undefined) letGo(first);
    },
  };
}

const withSources = (read: ImageProcessing['sources']['read']): ImageProcessing => ({
  ...createProcessing(pool),
  sources: { read, close: async () => {} },
});

describe(createProcessorService, () => {
  it('passes the remaining time of each image of a batch and of a stream on to admission', async () => {
    const processing = createProcessing(pool);
    const remaining: (number | undefined)[] = [];
    const admission: ImageProcessing['admission'] = {
      ...processing.admission,
      run(work, signal, price, remainingMs) {
        remaining.push(remainingMs);
        return processing.admission.run(work, signal, price, remainingMs);
      },
    };
    await using server = await startProcessorServer({ ...processing, admission });
    const output = { case: 'tensor', value: {} } as const;
    const source = { case: 'content', value: png } as const;
    const requests = [{ source, resize: { width: 6, height: 4 }, output }];
    await server.client.processBatch({ requests }, { timeoutMs: 9000 });
    expect(remaining).toHaveLength(1);
    await collected(server.client.processStream(sendAll(streamed('a', png)), { timeoutMs: 9000 }));
    expect(remaining).toHaveLength(2);
    expect(remaining.every((ms) => ms !== undefined && ms > 0 && ms <= 9000)).toBe(true);
  });

  describe('Process', () => {
    it('processes an image', async () => {
      await using server = await startProcessorServer(createProcessing(pool));
      const response = await server.client.process({
        source: { case: 'content', value: png },
        resize: { width: 6, height: 6, fit: Fit.INSIDE },
      });
      expect(response).toMatchObject({
        contentType: 'image/png',
        width: 6,
        height: 2,
        cache: CacheState.MISS,
      });
      expect((await decoded(response.content)).width).toBe(6);
    });

    it('fails with the gRPC code and the ErrorInfo of the reason', async () => {
      await using server = await startProcessorServer(createProcessing(pool));
      expect(await errorOf(server.client.process({ background: 'red' }))).toEqual({
        code: Code.InvalidArgument,
        message: 'background is red; allowed: #RRGGBB.',
        reason: 'OPTION_INVALID',
        metadata: { option: 'background', actual: 'red', allowed: '#RRGGBB', retryable: 'false' },
      });
      expect(await errorOf(server.client.process({}))).toMatchObject({ reason: 'SOURCE_MISSING' });
    });

    it('fails with a message short enough for headers, whatever the request contained', async () => {
      await using server = await startProcessorServer(createProcessing(pool));
      const { code, reason } = await errorOf(server.client.process({ background: '€'.repeat(1_000_000) }));
      expect({ code, reason }).toEqual({ code: Code.InvalidArgument, reason: 'OPTION_INVALID' });
    });

    it('reports an unexpected error only in its log', async () => {
      const broken = withSources(async () => {
        throw new Error('cannot open /etc/secrets at 0x7f3a');
      });
      await using server = await startProcessorServer(broken);
      expect(await errorOf(server.client.process({ source: { case: 'content', value: png } }))).toEqual({
        code: Code.Internal,
        message: 'Something went wrong on our side; the log has it.',
        reason: 'INTERNAL',
        metadata: { retryable: 'false' },
      });
      expect(server.log).toMatchObject([
        {
          level: 50,
          reason: 'INTERNAL',
          err: { message: expect.stringContaining('cannot open /etc/secrets at 0x7f3a') },
        },
      ]);
    });

    it('logs the caller’s mistakes as information, with their metadata', async () => {
      await using server = await startProcessorServer(createProcessing(pool));
      await errorOf(server.client.process({ numerics: 99 as never }));
      expect(server.log).toMatchObject([
        { level: 30, reason: 'OPTION_INVALID', option: 'numerics', actual: '99' },
      ]);
    });

    it.each([
      ['image-processor', 1],
      ['images/1.0', 1],
      ['images/1.0 (example corp.)', 1],
      ['images/1.0 (ops@example.com)', 0],
      ['images/1.0 (+https://example.com/bot)', 0],
    ])('warns of the user agent "%s" during a corpus %i times', async (originUserAgent, times) => {
      await using server = await startProcessorServer(createProcessing(pool), { originUserAgent });
      const content = { source: { case: 'content', value: png } } as const;
      await server.client.process(content);
      expect(server.log).toEqual([]);
      await server.client.process({ ...content, honourOptOuts: true });
      await server.client.processBatch({
        requests: [{ ...content, output: { case: 'tensor', value: {} }, honourOptOuts: true }],
      });
      const warning = {
        level: 40,
        ORIGIN_USER_AGENT: originUserAgent,
        msg: expect.stringContaining('names no contact'),
      };
      expect(server.log).toEqual(Array(times).fill(expect.objectContaining(warning)));
    });

    it('applies its own time limit to callers without a deadline, with a reason', async () => {
      const waiting = withSources(
        (_source, _findAnswer, signal) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      );
      await using server = await startProcessorServer(waiting, { maxTimeoutMs: 20 });
      expect(await errorOf(server.client.process({ source: { case: 'content', value: png } }))).toMatchObject(
        {
          code: Code.DeadlineExceeded,
          reason: 'DEADLINE_EXCEEDED',
          metadata: { limit: '20' },
        },
      );
    });

    it.each([1, 600_000])('accepts a deadline of %d ms', async (timeoutMs) => {
      const waiting = withSources(
        (_source, _findAnswer, signal) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      );
      await using server = await startProcessorServer(waiting, { maxTimeoutMs: 20 });
      const call = server.client.process({ source: { case: 'content', value: png } }, { timeoutMs });
      expect(await errorOf(call)).toMatchObject({ code: Code.DeadlineExceeded });
    });

    it('lets go of the work of a caller who leaves', async () => {
      const begun = Promise.withResolvers<void>();
      const left = Promise.withResolvers<void>();
      const waiting = withSources((_source, _findAnswer, signal) => {
        begun.resolve();
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            left.resolve();
            reject(new Error('a library’s own words for it'));
          });
        });
      });
      await using server = await startProcessorServer(waiting);
      const caller = new AbortController();
      const call = errorOf(
        server.client.process({ source: { case: 'content', value: png } }, { signal: caller.signal }),
      );
      await begun.promise;
      caller.abort();
      expect(await call).toMatchObject({ code: Code.Canceled });
      await left.promise;
      await becomes(() => server.log.length > 0);
      // This is not a failure of the service: no error in the log, no INTERNAL in the metrics.
      expect(server.log).toMatchObject([{ level: 30, reason: 'CANCELLED' }]);
      expect(await server.registry.metrics()).toContain(
        'image_processor_requests_total{outcome="CANCELLED"} 1',
      );
    });

    it('counts images by outcome, bytes in and out, and stages', async () => {
      await using server = await startProcessorServer(createProcessing(pool));
      const response = await server.client.process({ source: { case: 'content', value: png } });
      await errorOf(server.client.process({}));
      const metrics = await server.registry.metrics();
      expect(metrics).toContain('image_processor_requests_total{outcome="OK"} 1');
      expect(metrics).toContain('image_processor_requests_total{outcome="SOURCE_MISSING"} 1');
      expect(metrics).toContain('image_processor_request_duration_seconds_count 2');
      expect(metrics).toContain(`image_processor_bytes_total{direction="in"} ${png.length}`);
      expect(metrics).toContain(`image_processor_bytes_total{direction="out"} ${response.content.length}`);
      expect(metrics).toContain('image_processor_stage_duration_seconds_count{stage="decode"} 1');
    });
  });

  describe('ProcessStream', () => {
    it('responds to each image with its id', async () => {
      await using server = await startProcessorServer(createProcessing(pool));
      const pictures = await Promise.all([1, 2, 3, 4, 5].map((width) => encoded(gradient(width, 1), 'png')));
      const messages = pictures.map((picture, index) => streamed(`image ${index + 1}`, picture));
      const responses = await collected(server.client.processStream(sendAll(...messages)));
      const widths = responses.map(({ id, result }) => [
        id,
        result.case === 'response' && result.value.width,
      ]);
      expect(widths.toSorted()).toEqual([1, 2, 3, 4, 5].map((width) => [`image ${width}`, width]));
    });

    it('sends no response to an empty stream', async () => {
      await using server = await startProcessorServer(createProcessing(pool));
      expect(await collected(server.client.processStream(sendAll()))).toEqual([]);
    });

    it('responds as soon as an image is ready, not in the order of requests', async () => {
      const holding = createHoldingWorkers();
      await using server = await startProcessorServer(createProcessing(holding.workers));
      const [slow, quick] = [await encoded(gradient(8, 8), 'png'), await encoded(gradient(9, 9), 'png')];
      const responses = server.client
        .processStream(sendAll(streamed('slow', slow), streamed('quick', quick)))
        [Symbol.asyncIterator]();
      const first = responses.next();
      await holding.holds(2);
      holding.letGo(quick);
      expect((await first).value.id).toBe('quick');
      holding.letGo(slow);
      expect((await responses.next()).value.id).toBe('slow');
      expect((await responses.next()).done).toBe(true);
    });

    it('responds to an image before the next one is sent', async () => {
      await using server = await startProcessorServer(createProcessing(pool));
      const more = Promise.withResolvers<void>();
      async function* send() {
        yield create(ProcessStreamRequestSchema, streamed('1', png));
        await more.promise;
        yield create(ProcessStreamRequestSchema, streamed('2', png));
      }
      const responses = server.client.processStream(send())[Symbol.asyncIterator]();
      expect((await responses.next()).value.id).toBe('1');
      more.resolve();
      expect((await responses.next()).value.id).toBe('2');
      expect((await responses.next()).done).toBe(true);
    });

    it('responds to a failed image with its reason, and continues', async () => {
      await using server = await startProcessorServer(createProcessing(pool), { streamConcurrency: 1 });
      const responses = await collected(
        server.client.processStream(
          sendAll(
            streamed('good', png),
            streamed('text', Buffer.from('no image')),
            { id: 'nothing' },
            streamed('cut off', png.subarray(0, 60)),
            streamed('good again', png),
          ),
        ),
      );
      expect(responses.map(({ id, result }) => [id, result.case])).toEqual([
        ['good', 'response'],
        ['text', 'failure'],
        ['nothing', 'failure'],
        ['cut off', 'failure'],
        ['good again', 'response'],
      ]);
      expect(responses.slice(1, 4).map(({ result }) => result.value)).toMatchObject([
        {
          code: Code.InvalidArgument,
          reason: 'FORMAT_UNSUPPORTED',
          message:
            'The bytes begin like plain text; JPEG, PNG, WebP, AVIF, GIF, TIFF, BMP and PDF are supported.',
          metadata: { supported: 'jpeg, png, webp, avif, gif, tiff, bmp, pdf' },
        },
        { code: Code.InvalidArgument, reason: 'SOURCE_MISSING', retryable: false },
        { code: Code.InvalidArgument, reason: 'IMAGE_CORRUPT', metadata: { format: 'png' } },
      ]);
    });

    it('refuses an id of more than 256 characters, and returns its beginning', async () => {
      await using server = await startProcessorServer(createProcessing(pool), { streamConcurrency: 1 });
      const responses = await collected(
        server.client.processStream(sendAll(streamed('i'.repeat(256), png), streamed('j'.repeat(257), png))),
      );
      expect(responses).toMatchObject([
        { id: 'i'.repeat(256), result: { case: 'response' } },
        {
          id: 'j'.repeat(256),
          result: {
            case: 'failure',
            value: { reason: 'OPTION_INVALID', metadata: { limit: '256', actual: '257' } },
          },
        },
      ]);
    });

    it('does not describe an unexpected error', async () => {
      const broken = withSources(async () => {
        throw new Error('cannot open /etc/secrets at 0x7f3a');
      });
      await using server = await startProcessorServer(broken);
      const responses = await collected(server.client.processStream(sendAll(streamed('1', png))));
      expect(responses).toMatchObject([
        {
          id: '1',
          result: {
            value: {
              code: Code.Internal,
              reason: 'INTERNAL',
              message: 'Something went wrong on our side; the log has it.',
            },
          },
        },
      ]);
    });

    it('ends an image, not the stream, at the time limit', async () => {
      let reads = 0;
      const processing = createProcessing(pool);
      const firstHangs: ImageProcessing['sources'] = {
        read: (source, findAnswer, signal) =>
          reads++ > 0
            ? processing.sources.read(source, findAnswer, signal)
            : new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
        close: async () => {},
      };
      await using server = await startProcessorServer(
        { ...processing, sources: firstHangs },
        { streamConcurrency: 1, maxTimeoutMs: 2000 },
      );
      const responses = await collected(
        server.client.processStream(sendAll(streamed('hangs', png), streamed('goes on', png))),
      );
      expect(responses).toMatchObject([
        { id: 'hangs', result: { value: { reason: 'DEADLINE_EXCEEDED', retryable: true } } },
        { id: 'goes on', result: { case: 'response' } },
      ]);
    });

    it('slows down a sender that is faster than the work', async () => {
      const holding = createHoldingWorkers();
      const processing = createProcessing(holding.workers, { maxRunning: 8 });
      await using server = await startProcessorServer(processing, { streamConcurrency: 2 });
      // One megabyte each, all different.
      const pictures = await Promise.all(
        Array.from({ length: 24 }, (_, seed) => encoded(noise(600, 580, seed + 1), 'png')),
      );
      let sent = 0;
      async function* send() {
        for (const picture of pictures) {
          sent++;
          yield create(ProcessStreamRequestSchema, streamed(String(sent), picture));
        }
      }
      const responses = collected(server.client.processStream(send()));
      await holding.holds(2);
      // Calls on the same connection return after everything that could be sent has been sent.
      for (let i = 0; i < 20; i++) await server.health.check({});
      // Two in progress, one that waits to be read, four in the stream's window of 4 MiB, and some in buffers.
      expect(sent).toBeLessThan(16);
      expect(holding.most()).toBe(2);
      for (let i = 0; i < pictures.length; i++) {
        await holding.holds(1);
        holding.letOneGo();
      }
      expect((await responses).length).toBe(24);
      expect(holding.most()).toBe(2);
    });

    it('ends when the server drains: first the images in progress get responses, then the stream reports it', async () => {
      const holding = createHoldingWorkers();
      await using server = await startProcessorServer(createProcessing(holding.workers));
      async function* send() {
        yield create(ProcessStreamRequestSchema, streamed('in work', png));
        await new Promise(() => {});
      }
      const responses = server.client.processStream(send())[Symbol.asyncIterator]();
      const first = responses.next();
      await holding.holds(1);
      const drained = server.drain();
      holding.letOneGo();
      expect((await first).value).toMatchObject({ id: 'in work', result: { case: 'response' } });
      expect(await errorOf(responses.next())).toMatchObject({ code: Code.Unavailable, reason: 'DRAINING' });
      await drained;
    });

    it('lets go of the work of a caller who leaves, waiting images and all', async () => {
      const holding = createHoldingWorkers();
      const processing = createProcessing(holding.workers, { maxRunning: 1 });
      await using server = await startProcessorServer(processing, { streamConcurrency: 4 });
      const caller = new AbortController();
      const pictures = await Promise.all([3, 4, 5].map((width) => encoded(gradient(width, 1), 'png')));
      const open = Promise.withResolvers<void>();
      async function* send() {
        for (const picture of pictures) yield create(ProcessStreamRequestSchema, streamed('', picture));
        await open.promise;
      }
      const responses = collected(server.client.processStream(send(), { signal: caller.signal }));
      const outcome = errorOf(responses);
      await holding.holds(1);
      await becomes(() => processing.admission.waiting === 2);
      caller.abort();
      open.resolve();
      expect(await outcome).toMatchObject({ code: Code.Canceled });
      await becomes(() => processing.admission.waiting === 0);
      holding.letOneGo();
      await becomes(() => processing.admission.running === 0);
      expect(holding.most()).toBe(1);
    });
  });

  it('responds to health checks while every worker is busy', async () => {
    const processing = createProcessing(pool, { maxRunning: 2 });
    await using server = await startProcessorServer(processing);
    const photographs = await Promise.all(
      [1, 2, 3, 4].map((seed) => encoded(photoLike(1600, 1200, seed), 'jpeg')),
    );
    let done = 0;
    const calls = photographs.map(async (value) => {
      await server.client.process({
        source: { case: 'content', value },
        resize: { width: 800, height: 600 },
      });
      done++;
    });
    await becomes(() => processing.admission.running === 2);
    for (let i = 0; i < 3; i++) expect((await server.health.check({})).status).toBe(Status.SERVING);
    expect(done).toBeLessThan(4);
    await Promise.all(calls);
  });
});
