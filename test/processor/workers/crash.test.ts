import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CacheState, ProcessRequestSchema } from '../../../gen/image/v1/processor_pb.ts';
import { createAdmission } from '../../../src/processor/admission/admission.ts';
import { type ImageProcessing, processImage } from '../../../src/processor/process-image.ts';
import { startWorkerPool, type WorkerPool } from '../../../src/processor/workers/pool.ts';
import { encoded, gradient } from '../../support/pictures.ts';
import { createProcessing } from '../../support/processor.ts';

let pool: WorkerPool;
beforeAll(async () => {
  pool = await startWorkerPool(1, { onLine() {} });
});
afterAll(() => pool.close());

const never = { name: 'ip:127.0.0.1', signal: new AbortController().signal };

async function requestOf(width: number, format: 'png' | 'webp' = 'png') {
  const value = await encoded(gradient(width, 8), format);
  return create(ProcessRequestSchema, { source: { case: 'content', value } });
}

/** The parts, with promises that resolve when a worker receives a job, and when one receives a header. */
function createWatched(): { processing: ImageProcessing; given: Promise<void>; headerGiven: Promise<void> } {
  const given = Promise.withResolvers<void>();
  const headerGiven = Promise.withResolvers<void>();
  const workers: WorkerPool = {
    ...pool,
    run(job, signal) {
      const result = pool.run(job, signal);
      given.resolve();
      return result;
    },
    readHeader(...parameters) {
      const header = pool.readHeader(...parameters);
      setImmediate(headerGiven.resolve);
      return header;
    },
  };
  return { processing: createProcessing(workers), given: given.promise, headerGiven: headerGiven.promise };
}

const failureOf = (promise: Promise<unknown>) => promise.then(() => 'done').catch((error: unknown) => error);

async function workerPid(): Promise<number> {
  await vi.waitUntil(() => pool.pids().pixels.length === 1, { timeout: 20_000, interval: 5 });
  return pool.pids().pixels[0] as number;
}

describe(processImage, () => {
  it('fails for all callers that wait for the image when its worker crashes, and for no later caller', async () => {
    const { processing, given } = createWatched();
    const request = await requestOf(11);
    const pid = await workerPid();
    process.kill(pid, 'SIGSTOP');
    const callers = [1, 2, 3].map(() => failureOf(processImage(request, processing, never)));
    await given;
    process.kill(pid, 'SIGSEGV');
    process.kill(pid, 'SIGCONT');
    for (const failure of await Promise.all(callers)) {
      expect(failure).toMatchObject({ reason: 'WORKER_CRASHED', metadata: { ended_by: 'SIGSEGV' } });
    }
    expect(await processImage(request, processing, never)).toMatchObject({
      width: 11,
      cache: CacheState.MISS,
    });
    expect(await processImage(request, processing, never)).toMatchObject({ cache: CacheState.HIT_MEMORY });
  });

  it('releases its place in admission when its worker crashes', async () => {
    const { processing, given } = createWatched();
    const pid = await workerPid();
    process.kill(pid, 'SIGSTOP');
    const lost = failureOf(processImage(await requestOf(12), processing, never));
    await given;
    expect(processing.admission.running).toBe(1);
    expect(processing.admission.runningBytes).toBeGreaterThan(10_000_000);
    process.kill(pid, 'SIGKILL');
    expect(await lost).toMatchObject({ reason: 'WORKER_CRASHED' });
    expect([processing.admission.running, processing.admission.runningBytes]).toEqual([0, 0]);
  });

  it('survives a crash of the process that reads headers', async () => {
    const { processing, headerGiven } = createWatched();
    // The process starts with the first header that it reads.
    await processImage(await requestOf(17, 'webp'), createProcessing(pool), never);
    const pid = pool.pids().headers[0] as number;
    process.kill(pid, 'SIGSTOP');
    const lost = failureOf(processImage(await requestOf(13, 'webp'), processing, never));
    await headerGiven;
    process.kill(pid, 'SIGSEGV');
    process.kill(pid, 'SIGCONT');
    expect(await lost).toMatchObject({ reason: 'WORKER_CRASHED' });
    expect(await processImage(await requestOf(14, 'webp'), processing, never)).toMatchObject({ width: 14 });
    expect(pool.pids().headers).not.toContain(pid);
  });

  it('refuses an image whose price exceeds the memory limit before it is decoded', async () => {
    const admission = createAdmission('images are being processed', 1, 1, { maxMemoryBytes: 10_000_000 });
    const processing = { ...createProcessing(pool), admission };
    expect(await failureOf(processImage(await requestOf(15), processing, never))).toMatchObject({
      reason: 'SOURCE_MEMORY_OVER_LIMIT',
      metadata: { limit: '10000000', actual: expect.stringMatching(/^1\d{7}$/) },
    });
  });

  it('refuses an image at once if its caller’s deadline would pass first', async () => {
    const { processing, given } = createWatched();
    const one = { ...processing, admission: createAdmission('images are being processed', 1, 9) };
    const pid = await workerPid();
    process.kill(pid, 'SIGSTOP');
    const first = failureOf(processImage(await requestOf(16), one, never));
    await given;
    expect(
      await failureOf(processImage(await requestOf(17), one, { ...never, remainingMs: () => 1 })),
    ).toMatchObject({
      reason: 'OVERLOADED',
      metadata: { limit: '1', retry_after_seconds: '1' },
    });
    process.kill(pid, 'SIGCONT');
    expect(await first).toBe('done');
  });

  it('reads no header while the queue is full', async () => {
    const { processing, given } = createWatched();
    let headers = 0;
    const counted: ImageProcessing = {
      ...processing,
      admission: createAdmission('images are being processed', 1, 0),
      workers: {
        ...processing.workers,
        readHeader(...parameters) {
          headers++;
          return pool.readHeader(...parameters);
        },
      },
    };
    const pid = await workerPid();
    process.kill(pid, 'SIGSTOP');
    const first = failureOf(processImage(await requestOf(18), counted, never));
    await given;
    expect(await failureOf(processImage(await requestOf(19), counted, never))).toMatchObject({
      reason: 'OVERLOADED',
    });
    expect(headers).toBe(1);
    process.kill(pid, 'SIGCONT');
    expect(await first).toBe('done');
  });
});
