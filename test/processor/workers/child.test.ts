import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ImageHeader } from '../../../src/processor/codecs/header.ts';
import { readHeader } from '../../../src/processor/codecs/read-header.ts';
import {
  type PixelJob,
  type PixelOutcome,
  processPixels,
} from '../../../src/processor/image/process-pixels.ts';
import { startChild, type WorkerChild, WorkerEnded } from '../../../src/processor/workers/child.ts';
import type { WorkerReply, WorkerRoles } from '../../../src/processor/workers/worker-process.ts';
import { encoded, photoLike } from '../../support/pictures.ts';
import { planFrom, plannedImage } from '../../support/plans.ts';

type Pixels = WorkerRoles['pixels'];

const children: { kill(): void; readonly ended: Promise<string> }[] = [];
afterEach(async () => {
  for (const child of children) child.kill();
  await Promise.all(children.splice(0).map(({ ended }) => ended));
});

async function start() {
  const child: WorkerChild<Pixels['job'], Pixels['result']> = startChild('pixels', () => {});
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
  const [first] = (result ?? []) as readonly PixelOutcome[];
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
    ['a small source and a small reply', 100, 0],
    ['a source of megabytes', 100, 15_000_000],
    ['a reply of megabytes', 640, 0],
    ['a source and a reply of megabytes', 640, 15_000_000],
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

  it('reports a worker that dies while its job is being written', async () => {
    const child = await start();
    process.kill(child.pid as number, 'SIGSTOP');
    const lost = child.run(await job(16, 15_000_000)).catch((error: unknown) => error);
    process.kill(child.pid as number, 'SIGKILL');
    expect(await lost).toBeInstanceOf(WorkerEnded);
    await expect(child.run(await job(16))).rejects.toBeInstanceOf(WorkerEnded);
  });

  it.skipIf(process.platform !== 'linux')('leaves no descriptor open when its worker has ended', async () => {
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
  /** Code to run instead of the worker, with the socket as descriptor 3. @returns its child, and its lines */
  async function hostile(script: string) {
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
      function section(length) {
        const entry = Buffer.alloc(8);
        entry.writeDoubleLE(length, 0);
        return entry;
      }
    `;
    await writeFile(path, `${prelude}\n${script}\nfor (;;) fs.readSync(3, Buffer.alloc(1));`);
    vi.stubEnv('NODE_OPTIONS', `--require ${path}`);
    try {
      const lines: string[] = [];
      const child = startChild('pixels', (line) => lines.push(line));
      children.push(child);
      const ready = await child.ready.catch((error: Error) => error.message);
      return { child, ready, lines };
    } finally {
      vi.unstubAllEnvs();
      await rm(folder, { recursive: true });
    }
  }

  it.each([
    ['a section of invalid length', `say(section(NaN), 1);`],
    ['a section of impossible length', `say(section(1e300), 1);`],
    ['more sections than its head has room for', `say(Buffer.alloc(32), 4_000_000_000);`],
    ['a head over the limit', `fs.writeSync(3, Buffer.alloc(8, 255));`],
    ['no value', `say(Buffer.alloc(32, 7), 0);`],
  ])('is killed if it sends %s', async (_, script) => {
    const { ready, lines } = await hostile(script);
    expect(ready).toBe('The worker process ended: SIGKILL.');
    expect(lines).toEqual([expect.stringMatching(/^killed: malformed reply: /)]);
  });

  it('is killed if it replies before it has read its job, whose memory is then freed', async () => {
    const { child, lines } = await hostile(`
      const { serialize } = require('node:v8');
      say(serialize({ start: { libraries: {} }, rss: 1 }), 0);
      fs.readSync(3, Buffer.alloc(1));
      say(serialize({ result: [], rss: 1 }), 0);
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    `);
    await expect(child.run(await job(16, 15_000_000))).rejects.toBeInstanceOf(WorkerEnded);
    expect(lines).toEqual(['killed: malformed reply: RangeError: a reply before its job was read']);
  });
});
