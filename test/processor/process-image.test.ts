import { hash } from 'node:crypto';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  CacheState,
  Datatype,
  ImageFormat,
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessResponse,
} from '../../gen/image/v1/processor_pb.ts';
import { Failure } from '../../src/failures.ts';
import { createMemoryTier } from '../../src/processor/cache/memory-tier.ts';
import { createRedisTier } from '../../src/processor/cache/redis-tier.ts';
import { createResultCache } from '../../src/processor/cache/result-cache.ts';
import { numericsVersions } from '../../src/processor/image/provenance.ts';
import { type ImageProcessing, processImage } from '../../src/processor/process-image.ts';
import { unlimitedMemory } from '../../src/processor/serving/call-memory.ts';
import type { Stage } from '../../src/processor/stopwatch.ts';
import { startWorkerPool, type WorkerPool } from '../../src/processor/workers/pool.ts';
import { startOrigin } from '../support/origin.ts';
import { decoded, encoded, gradient, photoLike, redGreenBlue } from '../support/pictures.ts';
import { createProcessing, type ProcessorOptions } from '../support/processor.ts';
import { startRedis } from '../support/redis.ts';
import { redisServer } from '../support/tools.ts';

type Request = Exclude<MessageInitShape<typeof ProcessRequestSchema>, ProcessRequest>;

let pool: WorkerPool;
beforeAll(async () => {
  pool = await startWorkerPool(2);
});
afterAll(() => pool.close());

const never = new AbortController().signal;

const becomes = (condition: () => boolean | Promise<boolean>) =>
  vi.waitUntil(condition, { timeout: 10_000, interval: 1 });

/** The parts, and the number of jobs sent to workers. */
function createCounted(options: ProcessorOptions = {}) {
  let runs = 0;
  const workers: WorkerPool = {
    ...pool,
    run(job) {
      runs++;
      return pool.run(job);
    },
  };
  return { processing: createProcessing(workers, options), runs: () => runs };
}

const process = (request: Request, processing: ImageProcessing, signal = never): Promise<ProcessResponse> =>
  processImage(create(ProcessRequestSchema, request), processing, { name: 'ip:127.0.0.1', signal });

async function refusal(request: Request, options: ProcessorOptions = {}): Promise<Failure> {
  const { processing, runs } = createCounted(options);
  const failure = await process(request, processing).catch((error: unknown) => error);
  if (!(failure instanceof Failure)) throw failure;
  expect(runs()).toBeLessThanOrEqual(1);
  return failure;
}

const content = (value: Uint8Array): Request => ({ source: { case: 'content', value } });

const stageNames = ({ stages }: ProcessResponse) => stages.map(({ name }) => name);

describe(processImage, () => {
  it('returns the image and its provenance', async () => {
    const png = await encoded(redGreenBlue, 'png');
    const { processing } = createCounted();
    const response = await process({ ...content(png), grayscale: true }, processing);
    expect((await decoded(response.content)).pixels).toEqual(Uint8Array.of(76, 150, 29));
    expect(response).toMatchObject({
      contentType: 'image/png',
      width: 3,
      height: 1,
      cache: CacheState.MISS,
      source: {
        format: ImageFormat.PNG,
        width: 3,
        height: 1,
        sha256: hash('sha256', png),
        bytes: BigInt(png.length),
      },
      provenance: { numericsVersion: numericsVersions.pillow, libraries: pool.libraries, decisions: [] },
      key: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(response.tensors).toEqual([]);
    expect(stageNames(response)).toEqual(['hash', 'header', 'queue', 'decode', 'grayscale', 'encode']);
  });

  it('describes a tensor as the Open Inference Protocol does', async () => {
    const { processing } = createCounted();
    const response = await process(
      {
        ...content(await encoded(gradient(5, 4), 'png')),
        output: { case: 'tensor', value: { datatype: Datatype.FP16 } },
      },
      processing,
    );
    expect(response).toMatchObject({
      contentType: 'application/octet-stream',
      tensors: [{ name: 'image', datatype: 'FP16', shape: [1n, 3n, 4n, 5n] }],
      width: 5,
      height: 4,
    });
    expect(response.content.length).toBe(3 * 4 * 5 * 2);
  });

  it('returns a repeated response from the cache', async () => {
    const request = { ...content(await encoded(gradient(40, 30), 'png')), grayscale: true };
    const { processing, runs } = createCounted();
    const first = await process(request, processing);
    const second = await process(request, processing);
    expect(runs()).toBe(1);
    expect(second.cache).toBe(CacheState.HIT_MEMORY);
    expect(stageNames(second)).toEqual(['hash']);
    expect({ ...second, cache: first.cache, stages: first.stages }).toEqual(first);
  });

  it('computes one response for equal requests at the same time', async () => {
    const request = content(await encoded(photoLike(400, 300), 'png'));
    const { processing, runs } = createCounted();
    const responses = await Promise.all([1, 2, 3].map(() => process(request, processing)));
    expect(runs()).toBe(1);
    expect(responses.map(({ cache }) => cache)).toEqual([
      CacheState.MISS,
      CacheState.SHARED,
      CacheState.SHARED,
    ]);
    expect(responses[2]?.content).toEqual(responses[0]?.content);
  });

  it('refuses a shared response to a caller without room for it, and serves the other caller', async () => {
    const request = create(ProcessRequestSchema, content(await encoded(photoLike(420, 300), 'png')));
    const { processing, runs } = createCounted();
    const full = {
      ...unlimitedMemory(),
      take(bytes: number) {
        if (bytes > 0) throw new Failure('OVERLOADED', 'no room');
      },
    };
    const [first, shared] = await Promise.allSettled(
      [1, 2].map(() =>
        processImage(request, processing, { name: 'ip:127.0.0.1', signal: never, memory: full }),
      ),
    );
    expect(first).toMatchObject({ status: 'fulfilled', value: { cache: CacheState.MISS } });
    expect(shared).toMatchObject({ status: 'rejected', reason: { reason: 'OVERLOADED' } });
    expect(runs()).toBe(1);
  });

  it('reserves room for a response from the start of its job until it is counted', async () => {
    const request = create(ProcessRequestSchema, content(await encoded(photoLike(430, 300), 'png')));
    const { processing } = createCounted();
    const held: string[] = [];
    const memory = {
      ...unlimitedMemory(),
      reserve() {
        held.push('reserved');
        return { [Symbol.dispose]: () => void held.push('released') };
      },
      hold: (bytes: number) => void (bytes > 0 && held.push('counted')),
    };
    await processImage(request, processing, { name: 'ip:127.0.0.1', signal: never, memory });
    expect(held).toEqual(['reserved', 'counted', 'released']);
  });

  it('lets the first of two equal callers leave, and serves the second', async () => {
    const request = content(await encoded(photoLike(500, 400), 'png'));
    const { processing, runs } = createCounted();
    const first = new AbortController();
    const left = process(request, processing, first.signal).catch((error: unknown) => error);
    const stayed = process(request, processing);
    first.abort();
    expect(await left).toMatchObject({ reason: 'CANCELLED' });
    expect((await stayed).width).toBe(500);
    expect(runs()).toBe(1);
  });

  it('computes another response for other options', async () => {
    const source = content(await encoded(gradient(40, 30), 'png'));
    const { processing, runs } = createCounted();
    const keys = new Set<string>();
    for (const request of [source, { ...source, grayscale: true }, { ...source, background: '#102030' }]) {
      keys.add((await process(request, processing)).key);
    }
    expect(keys.size).toBe(3);
    expect(runs()).toBe(3);
  });

  it('processes an image only once if it comes both as bytes and by URL', async () => {
    const png = await encoded(gradient(40, 30), 'png');
    await using origin = await startOrigin((_, response) => response.end(png));
    const { processing, runs } = createCounted();
    const sent = await process(content(png), processing);
    const url: Request = { source: { case: 'url', value: origin.url('/a.png') } };
    const downloaded = await process(url, processing);
    expect(runs()).toBe(1);
    expect(downloaded.cache).toBe(CacheState.HIT_MEMORY);
    expect(downloaded.key).toBe(sent.key);
    expect(stageNames(downloaded)).toEqual(['download']);
    await processing.sources.close();
  });

  it('responds to a SHA-256 only if it has processed that image before', async () => {
    const png = await encoded(gradient(40, 30), 'png');
    const { processing, runs } = createCounted();
    const sha256: Request = { source: { case: 'sha256', value: hash('sha256', png) } };
    const unknown = await process(sha256, processing).catch((error: unknown) => error);
    expect(unknown).toMatchObject({ reason: 'SOURCE_UNKNOWN' });
    const sent = await process(content(png), processing);
    const byHash = await process(sha256, processing);
    expect(runs()).toBe(1);
    expect({ ...byHash, stages: sent.stages }).toEqual({ ...sent, cache: CacheState.HIT_MEMORY });
    const otherwise = await process({ ...sha256, grayscale: true }, processing).catch(
      (error: unknown) => error,
    );
    expect(otherwise).toMatchObject({ reason: 'SOURCE_UNKNOWN' });
    expect(runs()).toBe(1);
  });

  it('does not download a fresh image again if its response is cached', async () => {
    const png = await encoded(gradient(40, 30), 'png');
    await using origin = await startOrigin((_, response) => {
      response.setHeader('cache-control', 'max-age=60').end(png);
    });
    const { processing } = createCounted();
    const url: Request = { source: { case: 'url', value: origin.url('/a.png') } };
    const first = await process(url, processing);
    const second = await process(url, processing);
    expect(origin.requests.length).toBe(1);
    expect(second).toMatchObject({ cache: CacheState.HIT_MEMORY, key: first.key, content: first.content });
    const other = await process({ ...url, grayscale: true }, processing);
    expect(other.cache).toBe(CacheState.MISS);
    expect(origin.requests.length).toBe(2);
    await processing.sources.close();
  });

  it.skipIf(redisServer === undefined)('takes from Redis what another processor has made', async () => {
    await using redis = await startRedis();
    const request = content(await encoded(gradient(40, 30), 'png'));
    const withRedis = async () => {
      const { processing, runs } = createCounted();
      // A loaded machine may take longer than the 100 ms timeout for a reply.
      const tier = createRedisTier({ url: redis.url, onError: () => {}, timeoutMs: 5_000 });
      const cache = createResultCache<readonly Stage[]>({
        tiers: [createMemoryTier({ maxBytes: 1_000_000 }), tier],
      });
      // The tier drops values before it is connected.
      await becomes(async () => {
        await tier.set('hello', Uint8Array.of(1));
        return (await tier.get('hello')) !== undefined;
      });
      return { processing: { ...processing, cache }, runs, tier };
    };
    const [one, other] = [await withRedis(), await withRedis()];
    const computed = await process(request, one.processing);
    // No call waits until Redis has stored a response.
    await becomes(async () => (await other.tier.get(computed.key)) !== undefined);
    const found = await process(request, other.processing);
    expect(found).toMatchObject({ cache: CacheState.HIT_REDIS, key: computed.key });
    expect(new Uint8Array(found.content)).toEqual(computed.content);
    expect(other.runs()).toBe(0);
    expect((await process(request, other.processing)).cache).toBe(CacheState.HIT_MEMORY);
    await Promise.all([one.processing.cache.close(), other.processing.cache.close()]);
  });

  it('refuses a request without an image, and one without bytes', async () => {
    expect(await refusal({})).toMatchObject({ reason: 'SOURCE_MISSING' });
    expect(await refusal(content(new Uint8Array()))).toMatchObject({ reason: 'SOURCE_EMPTY' });
  });

  it('refuses more bytes or more pixels than the limit', async () => {
    const png = await encoded(gradient(40, 30), 'png');
    expect(await refusal(content(png), { maxSourceBytes: png.length - 1 })).toMatchObject({
      reason: 'SOURCE_BYTES_OVER_LIMIT',
      metadata: { limit: String(png.length - 1), actual: String(png.length) },
    });
    expect(await refusal(content(png), { maxSourcePixels: 1199 })).toMatchObject({
      reason: 'SOURCE_PIXELS_OVER_LIMIT',
      metadata: { limit: '1199', actual: '1200' },
    });
    expect(await refusal(content(png), { maxOutputPixels: 1199 })).toMatchObject({
      reason: 'OUTPUT_PIXELS_OVER_LIMIT',
      metadata: { limit: '1199', actual: '1200' },
    });
  });

  it('refuses bad options before it reads the source', async () => {
    const request: Request = { source: { case: 'url', value: 'http://127.0.0.1:1/' }, background: 'red' };
    expect(await refusal(request)).toMatchObject({ reason: 'OPTION_INVALID' });
  });

  it('refuses bytes that are no image, naming the kind that they look like', async () => {
    expect(await refusal(content(Buffer.from('hello')))).toMatchObject({
      reason: 'FORMAT_UNSUPPORTED',
      message:
        'The bytes begin like plain text; JPEG, PNG, WebP, AVIF, GIF, TIFF, BMP and PDF are supported.',
    });
  });

  it('does not cache a failure', async () => {
    const jpeg = await encoded(photoLike(320, 240), 'jpeg');
    const { processing, runs } = createCounted();
    const request = content(jpeg.subarray(0, 3000));
    for (const times of [1, 2]) {
      await expect(process(request, processing)).rejects.toMatchObject({ reason: 'IMAGE_CORRUPT' });
      expect(runs()).toBe(times);
    }
  });

  it('refuses at once when workers and queue are full', async () => {
    const hold = Promise.withResolvers<void>();
    const { processing } = createCounted({ maxRunning: 1, maxWaiting: 0 });
    const holding = processing.admission.run(() => hold.promise, never);
    const png = content(await encoded(gradient(40, 30), 'png'));
    await expect(process(png, processing)).rejects.toMatchObject({ reason: 'OVERLOADED' });
    hold.resolve();
    await holding;
    expect((await process(png, processing)).cache).toBe(CacheState.MISS);
  });

  it('serves from the cache when workers and queue are full', async () => {
    const { processing } = createCounted({ maxRunning: 1, maxWaiting: 0 });
    const png = content(await encoded(gradient(40, 30), 'png'));
    await process(png, processing);
    const hold = Promise.withResolvers<void>();
    const holding = processing.admission.run(() => hold.promise, never);
    expect((await process(png, processing)).cache).toBe(CacheState.HIT_MEMORY);
    hold.resolve();
    await holding;
  });

  it('does not process an image whose caller left while it waited', async () => {
    const hold = Promise.withResolvers<void>();
    const { processing, runs } = createCounted({ maxRunning: 1, maxWaiting: 1 });
    const holding = processing.admission.run(() => hold.promise, never);
    const caller = new AbortController();
    const png = content(await encoded(gradient(40, 30), 'png'));
    const waiting = process(png, processing, caller.signal).catch((error: unknown) => error);
    await becomes(() => processing.admission.waiting === 1);
    caller.abort();
    expect(await waiting).toMatchObject({ reason: 'CANCELLED' });
    hold.resolve();
    await holding;
    expect([processing.admission.waiting, processing.admission.running, runs()]).toEqual([0, 0, 0]);
  });
});
