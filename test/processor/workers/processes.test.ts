import { existsSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import sharp from 'sharp';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readHeader } from '../../../src/processor/codecs/read-header.ts';
import type { PixelJob } from '../../../src/processor/image/process-pixels.ts';
import {
  startWorkerPool,
  type WorkerPool,
  type WorkerPoolOptions,
} from '../../../src/processor/workers/pool.ts';
import { rssOf, startProcesses } from '../../../src/processor/workers/processes.ts';
import { runOnePlan } from '../../support/one-plan.ts';
import { encoded, photoLike, redGreenBlue } from '../../support/pictures.ts';
import { grayTensor, plannedImage } from '../../support/plans.ts';
import { run } from '../../support/run.ts';

const content = await encoded(redGreenBlue, 'png');
const header = await readHeader(content, 100);
const job: PixelJob = { content, header, images: [plannedImage(header, grayTensor)] };

const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error) => error.reason ?? error,
  );

const becomes = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 20_000, interval: 5 });

let pool: WorkerPool | undefined;
afterEach(async () => {
  await pool?.close();
  pool = undefined;
});

/** A pool, and the reasons for which its processes were replaced. */
async function startPool(workers: number, options: WorkerPoolOptions = {}) {
  const replaced: string[] = [];
  const ends: string[] = [];
  const lines: string[] = [];
  pool = await startWorkerPool(workers, {
    onReplaced(why, end) {
      replaced.push(why);
      ends.push(end);
    },
    onLine: (line) => lines.push(line),
    ...options,
  });
  return { pool, replaced, ends, lines };
}

/** The process ids of the pool's workers for pixels, once all of them run. */
async function pidsOf({ pids }: WorkerPool, count: number): Promise<readonly number[]> {
  await becomes(() => pids().pixels.length === count);
  return pids().pixels;
}

/** Stops a worker until it gets SIGCONT. Messages to it wait. */
const stop = (pid: number) => process.kill(pid, 'SIGSTOP');
const goOn = (pid: number) => process.kill(pid, 'SIGCONT');

/** Whether a process has ended. Until its parent reads the exit code it exists as a zombie. */
function hasEnded(pid: number): boolean {
  return !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
}

describe(startProcesses, () => {
  it.each(['SIGSEGV', 'SIGABRT', 'SIGKILL'] as const)(
    'loses only the running request to %s, and replaces the process',
    async (signal) => {
      const { pool, replaced, ends } = await startPool(1);
      const [pid = 0] = await pidsOf(pool, 1);
      stop(pid);
      const lost = runOnePlan(pool, job).catch((error: unknown) => error);
      const next = runOnePlan(pool, job);
      process.kill(pid, signal);
      goOn(pid);
      expect(await lost).toMatchObject({ reason: 'WORKER_CRASHED', metadata: { ended_by: signal } });
      expect([...(await next).content]).toEqual([76, 150, 29]);
      expect(replaced).toEqual([`it ended in a job: ${signal}`]);
      expect(ends).toEqual(['crashed']);
      expect(pool.pids().pixels).not.toContain(pid);
    },
  );

  it('continues with the others while one is being replaced', async () => {
    const { pool } = await startPool(2);
    const pids = await pidsOf(pool, 2);
    for (const pid of pids) stop(pid);
    const outcomes = [reasonOf(runOnePlan(pool, job)), reasonOf(runOnePlan(pool, job))];
    const [first = 0, second = 0] = pids;
    process.kill(first, 'SIGKILL');
    goOn(second);
    expect((await Promise.all(outcomes)).toSorted()).toEqual(['WORKER_CRASHED', 'done']);
    expect(pool.pids().pixels).toContain(second);
  });

  it('replaces an idle process that ends', async () => {
    const { pool, replaced } = await startPool(1);
    const [pid = 0] = await pidsOf(pool, 1);
    process.kill(pid, 'SIGKILL');
    await becomes(() => replaced.length === 1);
    expect(replaced).toEqual(['it ended: SIGKILL']);
    expect(await reasonOf(runOnePlan(pool, job))).toBe('done');
  });

  it('kills a process that does not end its job in time', async () => {
    const { pool, ends } = await startPool(1, { jobTimeoutMs: 100 });
    const [pid = 0] = await pidsOf(pool, 1);
    stop(pid);
    expect(pool.busy()).toEqual({ pixels: 0, headers: 0, documents: 0 });
    const hangs = runOnePlan(pool, job).catch((error: unknown) => error);
    expect(pool.busy()).toEqual({ pixels: 1, headers: 0, documents: 0 });
    expect(await hangs).toMatchObject({ reason: 'DEADLINE_EXCEEDED', metadata: { limit: '100' } });
    await becomes(() => ends.length === 1);
    expect(ends).toEqual(['timeout']);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  it('kills a process that continues after its caller has left', async () => {
    const { pool, replaced, ends } = await startPool(1, { abortGraceMs: 20 });
    const [pid = 0] = await pidsOf(pool, 1);
    stop(pid);
    const caller = new AbortController();
    const abandoned = reasonOf(runOnePlan(pool, job, caller.signal));
    caller.abort();
    expect(await abandoned).toBe('CANCELLED');
    expect(await reasonOf(runOnePlan(pool, job))).toBe('done');
    expect(replaced).toEqual(['The caller left before the response was ready.']);
    expect(ends).toEqual(['abandoned']);
  });

  it('keeps a process that ends the job soon after its caller has left', async () => {
    const { pool, replaced } = await startPool(1, { abortGraceMs: 60_000 });
    const [pid = 0] = await pidsOf(pool, 1);
    stop(pid);
    const caller = new AbortController();
    const abandoned = reasonOf(runOnePlan(pool, job, caller.signal));
    caller.abort();
    goOn(pid);
    expect(await abandoned).toBe('done');
    expect(await reasonOf(runOnePlan(pool, job))).toBe('done');
    expect(replaced).toEqual([]);
    expect(pool.pids().pixels).toEqual([pid]);
  });

  it('does not start a job whose caller has left', async () => {
    const { pool } = await startPool(1);
    const [pid = 0] = await pidsOf(pool, 1);
    stop(pid);
    const first = reasonOf(runOnePlan(pool, job));
    const caller = new AbortController();
    // If it started, the worker would report a bug.
    const waits = reasonOf(runOnePlan(pool, { ...job, images: [undefined as never] }, caller.signal));
    caller.abort();
    expect(await waits).toBe('CANCELLED');
    goOn(pid);
    expect(await first).toBe('done');
    expect(await reasonOf(runOnePlan(pool, job, AbortSignal.abort()))).toBe('CANCELLED');
  });

  it('kills a process that exceeds its memory limit', async () => {
    const { pool, ends } = await startPool(1, { maxRssBytes: 1_000_000 });
    const [pid = 0] = await pidsOf(pool, 1);
    stop(pid);
    expect(await runOnePlan(pool, job).catch((error: unknown) => error)).toMatchObject({
      reason: 'SOURCE_MEMORY_OVER_LIMIT',
      metadata: { limit: '1000000', actual: expect.stringMatching(/^\d{8,}$/) },
    });
    await becomes(() => ends.length === 1);
    expect(ends).toEqual(['memory']);
  });

  it('replaces a process that holds too much memory after a job, and the job still succeeds', async () => {
    const { pool, replaced, ends } = await startPool(1, { maxIdleRssBytes: 1_000_000 });
    const [pid = 0] = await pidsOf(pool, 1);
    expect(await reasonOf(runOnePlan(pool, job))).toBe('done');
    expect(await reasonOf(runOnePlan(pool, job))).toBe('done');
    expect(ends[0]).toBe('memory');
    expect(replaced[0]).toMatch(/^it held \d+ bytes after a job; the limit is 1000000$/);
    expect(pool.pids().pixels).not.toContain(pid);
  });

  it('survives a Ctrl+C, a closed terminal and a SIGTERM to the whole group', async () => {
    const { pool } = await startPool(1);
    const [pid = 0] = await pidsOf(pool, 1);
    for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.kill(pid, signal);
    expect(await reasonOf(runOnePlan(pool, job))).toBe('done');
    expect(pool.pids().pixels).toEqual([pid]);
  });

  it('reports a job that cannot be cloned as INTERNAL, and continues', async () => {
    const { pool } = await startPool(1);
    const odd = { ...job, images: [{ plan: () => {} } as never] };
    expect(await reasonOf(runOnePlan(pool, odd))).toBe('INTERNAL');
    expect(await reasonOf(runOnePlan(pool, job))).toBe('done');
  });

  it('ends running jobs when it is closed', async () => {
    const { pool, replaced } = await startPool(1);
    const [pid = 0] = await pidsOf(pool, 1);
    stop(pid);
    const outcomes = [reasonOf(runOnePlan(pool, job)), reasonOf(runOnePlan(pool, job))];
    await pool.close();
    expect(await Promise.all(outcomes)).toEqual(['WORKER_CRASHED', 'WORKER_CRASHED']);
    expect(await reasonOf(runOnePlan(pool, job))).toBe('WORKER_CRASHED');
    expect(replaced).toEqual([]);
  });

  it('fails to start if its processes do, with the lines that they wrote', async () => {
    vi.stubEnv('NODE_OPTIONS', '--require /no/such/file');
    const lines: string[] = [];
    await expect(startPool(1, { onLine: (line) => lines.push(line) })).rejects.toThrow(
      "Cannot find module '/no/such/file'",
    );
    expect(lines.join('\n')).toContain('/no/such/file');
    vi.unstubAllEnvs();
  });
});

describe.skipIf(process.platform !== 'linux')('a worker process', () => {
  it('has a lower priority than the server, and is the first that the kernel kills for memory', async () => {
    const { pool } = await startPool(1);
    await pool.readHeader(await encoded(redGreenBlue, 'webp'), 9);
    const { pixels, headers } = pool.pids();
    const score = (pid = 0) => readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim();
    expect([...pixels, ...headers].map((pid) => score(pid))).toEqual(['1000', '1000']);
    const own = getPriority();
    expect([...pixels, ...headers].map((pid) => getPriority(pid))).toEqual([Math.max(10, own), own]);
  });

  it('gives the memory of a large image back when no job follows', async () => {
    const { pool, replaced } = await startPool(1, { restAfterMs: 200 });
    const [pid = 0] = await pidsOf(pool, 1);
    const large = await encoded(photoLike(3000, 2500), 'jpeg');
    const header = await pool.readHeader(large, 10_000_000);
    await runOnePlan(pool, { content: large, header, images: [plannedImage(header, grayTensor)] });
    // The decoded pixels are 22 MB.
    const after = rssOf(pid);
    await becomes(() => rssOf(pid) < after - 20_000_000);
    expect((await runOnePlan(pool, job)).width).toBe(3);
    expect([pool.pids().pixels, replaced]).toEqual([[pid], []]);
  });

  it('has no secrets in its environment', async () => {
    vi.stubEnv('REDIS_URL', 'redis://:secret@localhost');
    vi.stubEnv('LD_PRELOAD_OF_NOTHING', 'inherited');
    const { pool } = await startPool(1);
    const environment = readFileSync(`/proc/${pool.pids().pixels[0]}/environ`, 'utf8');
    expect(environment).not.toContain('REDIS_URL');
    expect(environment).toContain('LD_PRELOAD_OF_NOTHING=inherited');
    expect(environment).toContain('UV_THREADPOOL_SIZE=2');
    vi.unstubAllEnvs();
  });

  it.each([
    ['idle', ''],
    // As in a decoder that does not return, no code of ours runs in a stopped process.
    ['busy', "for (const pid of [...pixels, ...headers]) process.kill(pid, 'SIGSTOP');"],
  ])('ends when the server is killed, while %s', async (_, before) => {
    const script = `
      const { startWorkerPool } = await import(process.argv[1]);
      const pool = await startWorkerPool(1);
      await pool.readHeader(Buffer.from(process.argv[2], 'base64'), 9);
      const { pixels, headers } = pool.pids();
      console.log(JSON.stringify({ pixels, headers }));
      ${before}
      process.kill(process.pid, 'SIGKILL');
    `;
    const webp = Buffer.from(await encoded(redGreenBlue, 'webp')).toString('base64');
    const module = new URL('../../../src/processor/workers/pool.ts', import.meta.url).href;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script, module, webp]);
    const { pixels, headers } = JSON.parse(stdout.toString());
    expect([pixels.length, headers.length]).toEqual([1, 1]);
    await becomes(() => [...pixels, ...headers].every(hasEnded));
  });

  it('keeps pixels out of TMPDIR, and reports that there is no room if libvips must use it', async () => {
    // Random access to over 100 MB of pixels, which libvips stores in a file by default.
    const large = await sharp({
      create: { width: 7000, height: 5000, channels: 3, background: 'red' },
    })
      .withMetadata({ orientation: 6 })
      .webp({ lossless: true, effort: 0 })
      .toBuffer();
    const largeHeader = await readHeader(large, 1e8);
    const largeJob = { content: large, header: largeHeader, images: [plannedImage(largeHeader, grayTensor)] };
    vi.stubEnv('TMPDIR', '/nowhere');
    const { pool: inMemory } = await startPool(1);
    expect(await reasonOf(runOnePlan(inMemory, largeJob))).toBe('done');
    await inMemory.close();
    vi.stubEnv('VIPS_DISC_THRESHOLD', '1m');
    const { pool } = await startPool(1);
    expect(await reasonOf(runOnePlan(pool, largeJob))).toBe('OVERLOADED');
    vi.unstubAllEnvs();
  }, 120_000);
});
