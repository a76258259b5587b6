import { openSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ImageHeader } from '../../../src/processor/codecs/header.ts';
import { readHeader } from '../../../src/processor/codecs/read-header.ts';
import { type PixelJob, processPixels } from '../../../src/processor/image/process-pixels.ts';
import { startChild, type WorkerChild, WorkerEnded } from '../../../src/processor/workers/child.ts';
import { workerFile } from '../../../src/processor/workers/file.ts';
import type { WorkerReply, WorkerRoles } from '../../../src/processor/workers/worker-process.ts';
import { encoded, photoLike } from '../../support/pictures.ts';
import { planFrom, plannedImage } from '../../support/plans.ts';

type Pixels = WorkerRoles['pixels'];

const children: { kill(): void; readonly ended: Promise<string> }[] = [];
afterEach(async () => {
  for (const child of children) child.kill();
  await Promise.all(children.splice(0).map(({ ended }) => ended));
});

async function start(...rest: [options?: Parameters<typeof startChild>[2]]) {
  const child: WorkerChild<Pixels['job'], Pixels['result']> = startChild('pixels', () => {}, ...rest);
  children.push(child);
  await child.ready;
  return child;
}

const tensor = planFrom({
  output: {
    kind: 'tensor',
    name: 'image',
    datatype: 'FP32',
    layout: 'NHWC',
    rescaleFactor: 1,
    mean: [0, 0, 0],
    std: [1, 1, 1],
    channelOrder: 'RGB',
    container: 'raw',
  },
});

/** A photograph followed by `filling` bytes, which no decoder reads. */
async function job(side: number, filling = 0): Promise<PixelJob> {
  const content = await encoded(photoLike(side, side), 'jpeg');
  const header: ImageHeader = await readHeader(content, 10_000_000);
  return {
    content: Buffer.concat([content, new Uint8Array(filling)]),
    header,
    images: [plannedImage(header, tensor)],
  };
}

function resultOf({ result, bug }: WorkerReply<Pixels['result']>): Uint8Array {
  const [first] = result ?? [];
  if (first !== undefined && 'result' in first) return first.result.content;
  throw new Error('no result', { cause: bug ?? first });
}

async function expected(work: PixelJob): Promise<Uint8Array> {
  const [outcome] = await processPixels(work);
  if (outcome !== undefined && 'result' in outcome) return Buffer.from(outcome.result.content);
  throw new Error('no result', { cause: outcome });
}

const equal = (one: Uint8Array, other: Uint8Array) => Buffer.compare(one, other) === 0;

describe(startChild, () => {
  it.each([
    // Bytes of the reply: side² × 3 × 4.
    ['a source and a reply that fit into the file', 100, 0],
    ['a source larger than the file', 100, 6_000_000],
    ['a reply larger than its part of the file', 400, 0],
    ['a reply larger than the file', 640, 0],
    ['both larger than the file', 640, 15_000_000],
  ])('sends %s, and small ones afterwards', async (_, side, filling) => {
    const child = await start();
    const [work, small] = [await job(side, filling), await job(16)];
    expect(equal(resultOf(await child.run(work)), await expected(work))).toBe(true);
    expect(equal(resultOf(await child.run(small)), await expected(small))).toBe(true);
    expect(equal(resultOf(await child.run(work)), await expected(work))).toBe(true);
  });

  it('sends an empty source', async () => {
    const child = await start();
    const work = { ...(await job(16)), content: new Uint8Array() };
    expect(await child.run(work)).toMatchObject({ bug: { message: 'Input Buffer is empty' } });
  });

  it.each([
    ['there is no shared memory', () => undefined],
    ['the shared memory is full', () => workerFile(openSync('/dev/full', 'r+'))],
  ])('sends the same if %s', async (_, createFile) => {
    const child = await start({ createFile });
    const work = await job(100, 1_000_000);
    expect(equal(resultOf(await child.run(work)), await expected(work))).toBe(true);
  });

  it('reports a worker that dies while its job is being written', async () => {
    const child = await start();
    process.kill(child.pid as number, 'SIGSTOP');
    const lost = child.run(await job(16, 15_000_000)).catch((error: unknown) => error);
    process.kill(child.pid as number, 'SIGKILL');
    expect(await lost).toBeInstanceOf(WorkerEnded);
    await expect(child.run(await job(16))).rejects.toBeInstanceOf(WorkerEnded);
  });
});

describe.skipIf(process.platform !== 'linux')('the file of a worker', () => {
  const fileOf = (child: { pid: number | undefined }) => statSync(`/proc/${child.pid}/fd/4`);

  it('belongs to one worker, is empty at the start and never exceeds its limit', async () => {
    const [first, second] = [await start(), await start()];
    expect(fileOf(first).size).toBe(0);
    expect(fileOf(first).ino).not.toBe(fileOf(second).ino);
    await first.run(await job(100));
    // The reply: 100 × 100 × 3 × 4 bytes, where its source was.
    expect(fileOf(first).size).toBe(120_000);
    const work = await job(16, 3_000_000);
    await first.run(work);
    expect(fileOf(first).size).toBe(work.content.length);
    await first.run(await job(640, 15_000_000));
    expect(fileOf(first).size).toBe(work.content.length);
    // 3.8 MB, which would block the server for two milliseconds.
    await first.run(await job(560));
    expect(fileOf(first).size).toBe(work.content.length);
    expect(fileOf(second).size).toBe(0);
    const files = readdirSync(`/proc/${second.pid}/fd`)
      .map((number) => readlinkSync(`/proc/${second.pid}/fd/${number}`))
      .filter((target) => target.includes('image-worker-'));
    expect(files).toHaveLength(1);
  });

  it('is closed when its worker ends, like every other descriptor', async () => {
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    for (let started = 0; started < 50; started++) {
      const child = startChild('headers', () => {});
      child.kill();
      await child.ended;
    }
    await vi.waitUntil(() => open() <= before, { timeout: 20_000, interval: 5 });
  });
});

describe.skipIf(process.platform !== 'linux')('a worker that an attacker controls', () => {
  /** Code to run instead of the worker, with the socket as descriptor 3 and the file as 4. */
  async function linesOfHostile(script: string): Promise<unknown> {
    const folder = await mkdtemp(join(tmpdir(), 'hostile-'));
    const path = join(folder, 'hostile.cjs');
    const prelude = `
      const fs = require('node:fs');
      function say(head, sections) {
        const prefix = Buffer.alloc(8);
        prefix.writeUInt32LE(head.length, 0);
        prefix.writeUInt32LE(sections, 4);
        fs.writeSync(3, Buffer.concat([prefix, head]));
      }
      function section(length, place) {
        const entry = Buffer.alloc(16);
        entry.writeDoubleLE(length, 0);
        entry.writeDoubleLE(place, 8);
        return entry;
      }
    `;
    await writeFile(path, `${prelude}\n${script}\nfor (;;) fs.readSync(3, Buffer.alloc(1));`);
    vi.stubEnv('NODE_OPTIONS', `--require ${path}`);
    try {
      const lines: string[] = [];
      const child = startChild('pixels', (line) => lines.push(line));
      children.push(child);
      return [await child.ready.catch((error: Error) => error.message), ...lines];
    } finally {
      vi.unstubAllEnvs();
      await rm(folder, { recursive: true });
    }
  }

  it.each([
    ['bytes that were not written', `say(section(1000, 0), 1);`],
    [
      'bytes that it has truncated',
      `fs.ftruncateSync(4, 1000); fs.ftruncateSync(4, 0); say(section(1, 0), 1);`,
    ],
    ['bytes beyond the limit of the file', `fs.ftruncateSync(4, 1e9); say(section(1e9, 0), 1);`],
    ['an invalid length', `say(section(NaN, -1), 1);`],
    ['an impossible length', `say(section(1e300, -1), 1);`],
    ['more sections than its head has room for', `say(Buffer.alloc(32), 4_000_000_000);`],
    ['a head over the limit', `fs.writeSync(3, Buffer.alloc(8, 255));`],
    ['no value', `say(Buffer.alloc(32, 7), 0);`],
  ])('is killed if it sends %s', async (_, script) => {
    expect(await linesOfHostile(script)).toEqual([
      'The worker process ended: SIGKILL.',
      expect.stringMatching(/^killed: malformed reply: /),
    ]);
  });
});
