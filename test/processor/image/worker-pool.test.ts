import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Failure } from '../../../src/failures.ts';
import { readHeader } from '../../../src/processor/image/header.ts';
import type { Plan } from '../../../src/processor/image/plan.ts';
import type { PixelJob } from '../../../src/processor/image/worker.ts';
import { startWorkerPool, type WorkerPool } from '../../../src/processor/image/worker-pool.ts';
import { encoded, photoLike, redGreenBlue } from '../../support/pictures.ts';

let pool: WorkerPool;
beforeAll(async () => {
  pool = await startWorkerPool(2);
});
afterAll(() => pool.close());

const gray: Plan = {
  resize: undefined,
  grayscale: true,
  numerics: 'exact',
  background: undefined,
  output: {
    kind: 'tensor',
    datatype: 'UINT8',
    layout: 'NCHW',
    rescaleFactor: 1,
    mean: [0],
    std: [1],
    channelOrder: 'RGB',
    container: 'raw',
  },
};

async function job(content: Uint8Array, plan = gray): Promise<PixelJob> {
  return { content, header: await readHeader(content, 10_000_000), plan, maxOutputPixels: 10_000_000 };
}

const outcome = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

describe(startWorkerPool, () => {
  it('gives what a worker has made', async () => {
    const result = await pool.run(await job(await encoded(redGreenBlue, 'png')));
    expect([...result.content]).toEqual([76, 150, 29]);
    expect(result).toMatchObject({ width: 3, height: 1, tensor: { datatype: 'UINT8', shape: [1, 1, 1, 3] } });
  });

  it('leaves the caller its bytes', async () => {
    const content = await encoded(redGreenBlue, 'png');
    const before = Uint8Array.from(content);
    await pool.run(await job(content));
    expect(content).toEqual(before);
  });

  it('takes bytes that lie in the middle of a larger buffer', async () => {
    const content = await encoded(redGreenBlue, 'png');
    const message = new Uint8Array(content.length + 200).fill(7);
    message.set(content, 100);
    const result = await pool.run(await job(message.subarray(100, 100 + content.length)));
    expect([...result.content]).toEqual([76, 150, 29]);
  });

  it('works through more images than it has threads', async () => {
    const work = await job(await encoded(photoLike(320, 240), 'jpeg'));
    const results = await Promise.all(Array.from({ length: 8 }, () => pool.run(work)));
    for (const { content } of results) expect(content).toEqual(results[0]?.content);
  });

  it('leaves this thread free while it works', async () => {
    const work = await job(await encoded(photoLike(2000, 1500), 'jpeg'));
    let turns = 0;
    const turn = setInterval(() => turns++, 1);
    await pool.run(work);
    clearInterval(turn);
    // Decoding alone takes tens of milliseconds; a thread that computed would not turn at all.
    expect(turns).toBeGreaterThan(5);
  });

  it('carries a failure over to this thread as what it is', async () => {
    const jpeg = await encoded(photoLike(320, 240), 'jpeg');
    const work = await job(jpeg.subarray(0, 2000));
    const failure = await outcome(pool.run(work));
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({
      reason: 'IMAGE_CORRUPT',
      message: 'The JPEG (320 × 240) cannot be decoded: it is cut off or damaged.',
      metadata: { format: 'jpeg' },
      cause: expect.stringMatching(/\w/),
    });
  });

  it('makes INTERNAL of a bug in a worker, with the bug as the cause, and goes on', async () => {
    const work = await job(await encoded(redGreenBlue, 'png'));
    const failure = await outcome(pool.run({ ...work, plan: undefined as never }));
    expect(failure).toMatchObject({
      reason: 'INTERNAL',
      message: 'The worker that processed this image failed; the image was not processed.',
      metadata: {},
    });
    expect((failure as Failure).cause).toBeInstanceOf(TypeError);
    expect([...(await pool.run(work)).content]).toEqual([76, 150, 29]);
  });
});
