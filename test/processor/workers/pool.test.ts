import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../../src/failures.ts';
import { readHeader } from '../../../src/processor/codecs/read-header.ts';
import type { PixelJob } from '../../../src/processor/image/process-pixels.ts';
import { startWorkerPool, type WorkerPool } from '../../../src/processor/workers/pool.ts';
import { runOnePlan } from '../../support/one-plan.ts';
import { encoded, photoLike, redGreenBlue } from '../../support/pictures.ts';
import { grayTensor, plannedImage } from '../../support/plans.ts';

let pool: WorkerPool;
beforeAll(async () => {
  pool = await startWorkerPool(2);
});
afterAll(() => pool.close());

async function job(content: Uint8Array, plan = grayTensor): Promise<PixelJob> {
  const header = await readHeader(content, 10_000_000);
  return { content, header, images: [plannedImage(header, plan)] };
}

const outcome = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

describe(startWorkerPool, () => {
  it('returns the result of a worker', async () => {
    const result = await runOnePlan(pool, await job(await encoded(redGreenBlue, 'png')));
    expect([...result.content]).toEqual([76, 150, 29]);
    expect(result).toMatchObject({
      width: 3,
      height: 1,
      tensors: [{ datatype: 'UINT8', shape: [1, 1, 1, 3] }],
    });
  });

  it('refuses a format that is not enabled, including a plain PNG', async () => {
    await using other = await startWorkerPool(1, { sourceFormats: ['jpeg'] }).then((started) => ({
      ...started,
      [Symbol.asyncDispose]: started.close,
    }));
    const failure = await outcome(other.readHeader(await encoded(redGreenBlue, 'png'), 100));
    expect(failure).toMatchObject({ reason: 'FORMAT_UNSUPPORTED', metadata: { format: 'png' } });
  });

  it.each(['png', 'webp'] as const)(
    'reads the header of the part of a %s that the plan names',
    async (format) => {
      const source = { page: 1, dpi: 144, pageBox: 'crop', annotations: true, password: '' } as const;
      const header = await pool.readHeader(await encoded(redGreenBlue, format), 100, undefined, source);
      expect(header.source).toEqual(source);
    },
  );

  it('does not detach the caller’s bytes', async () => {
    const content = await encoded(redGreenBlue, 'png');
    const before = Uint8Array.from(content);
    await runOnePlan(pool, await job(content));
    expect(content).toEqual(before);
  });

  it('accepts bytes in the middle of a larger buffer', async () => {
    const content = await encoded(redGreenBlue, 'png');
    const message = new Uint8Array(content.length + 200).fill(7);
    message.set(content, 100);
    const result = await runOnePlan(pool, await job(message.subarray(100, 100 + content.length)));
    expect([...result.content]).toEqual([76, 150, 29]);
  });

  it('processes more images than it has workers', async () => {
    const work = await job(await encoded(photoLike(320, 240), 'jpeg'));
    const results = await Promise.all(Array.from({ length: 8 }, () => runOnePlan(pool, work)));
    for (const { content } of results) expect(content).toEqual(results[0]?.content);
  });

  it('does not block this thread while it works', async () => {
    const work = await job(await encoded(photoLike(320, 240), 'jpeg'));
    await vi.waitUntil(() => pool.pids().pixels.length === 2, { timeout: 20_000, interval: 5 });
    const { pixels } = pool.pids();
    for (const pid of pixels) process.kill(pid, 'SIGSTOP');
    let isDone = false;
    const result = runOnePlan(pool, work).then((made) => {
      isDone = true;
      return made;
    });
    // If this thread computed, it would finish in its first turn.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(isDone).toBe(false);
    for (const pid of pixels) process.kill(pid, 'SIGCONT');
    expect(await result).toMatchObject({ width: work.header.width });
  });

  it('returns a worker’s failure with its reason, message and metadata', async () => {
    const jpeg = await encoded(photoLike(320, 240), 'jpeg');
    const work = await job(jpeg.subarray(0, 2000));
    const failure = await outcome(runOnePlan(pool, work));
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({
      reason: 'IMAGE_CORRUPT',
      message: 'The JPEG (320 × 240) cannot be decoded: it is cut off or damaged.',
      metadata: { format: 'jpeg' },
      cause: expect.stringMatching(/\w/),
    });
  });

  it('reports a bug in a worker as INTERNAL, with the bug as the cause, and continues', async () => {
    const work = await job(await encoded(redGreenBlue, 'png'));
    const failure = await outcome(runOnePlan(pool, { ...work, images: [undefined as never] }));
    expect(failure).toMatchObject({
      reason: 'INTERNAL',
      message: 'The worker that processed this image failed; the image was not processed.',
      metadata: {},
    });
    expect((failure as Failure).cause).toBeInstanceOf(TypeError);
    expect([...(await runOnePlan(pool, work)).content]).toEqual([76, 150, 29]);
  });

  it('reads headers, with the same failures as in this process', async () => {
    const content = await encoded(photoLike(320, 240), 'webp');
    expect(await pool.readHeader(content, 76_800)).toEqual(await readHeader(content, 76_800));
    expect(await outcome(pool.readHeader(content, 76_799))).toMatchObject({
      reason: 'SOURCE_PIXELS_OVER_LIMIT',
      metadata: { limit: '76799', actual: '76800' },
    });
    const text = Buffer.from('a text file, named photo.jpg');
    expect(await outcome(pool.readHeader(text, 1))).toMatchObject({ reason: 'FORMAT_UNSUPPORTED' });
    expect(await outcome(pool.readHeader(content.subarray(0, 16), 1))).toMatchObject({
      reason: 'IMAGE_CORRUPT',
      cause: expect.stringMatching(/\w/),
    });
  });

  it.each(['jpeg', 'png'] as const)(
    'reads a plain %s’s header at once, whatever the process for headers does, and judges it',
    async (format) => {
      const small = await startWorkerPool(1, { maxHeadersWaiting: 0 });
      try {
        const [webp, plain] = [
          await encoded(redGreenBlue, 'webp'),
          await encoded(photoLike(320, 240), format),
        ];
        const expected = await readHeader(plain, 76_800);
        // The process starts with the first header that it reads.
        await small.readHeader(webp, 3);
        for (const pid of small.pids().headers) process.kill(pid, 'SIGSTOP');
        const other = small.readHeader(webp, 3);
        expect(await small.readHeader(plain, 76_800)).toEqual(expected);
        expect(await outcome(small.readHeader(plain, 76_799))).toEqual(
          await outcome(readHeader(plain, 76_799)),
        );
        expect(await outcome(small.readHeader(webp, 3))).toMatchObject({ reason: 'OVERLOADED' });
        expect(small.busy().headers).toBe(1);
        for (const pid of small.pids().headers) process.kill(pid, 'SIGCONT');
        expect(await other).toMatchObject({ format: 'webp', width: 3 });
      } finally {
        await small.close();
      }
    },
  );

  it('reads a header while all workers are busy, and refuses headers beyond the queue’s limit', async () => {
    await using small = Object.assign(await startWorkerPool(1, { maxHeadersWaiting: 1 }), {
      async [Symbol.asyncDispose]() {
        await small.close();
      },
    });
    const content = await encoded(redGreenBlue, 'webp');
    // The process for headers starts with the first one.
    await small.readHeader(content, 3);
    const pids = small.pids();
    for (const pid of pids.pixels) process.kill(pid, 'SIGSTOP');
    const image = runOnePlan(small, await job(content));
    expect(await small.readHeader(content, 3)).toMatchObject({ width: 3 });
    for (const pid of pids.headers) process.kill(pid, 'SIGSTOP');
    const headers = [small.readHeader(content, 3), small.readHeader(content, 3)];
    expect(await outcome(small.readHeader(content, 3))).toMatchObject({ reason: 'OVERLOADED' });
    for (const pid of [...pids.pixels, ...pids.headers]) process.kill(pid, 'SIGCONT');
    expect(await Promise.all(headers)).toHaveLength(2);
    expect((await image).width).toBe(3);
  });
});
