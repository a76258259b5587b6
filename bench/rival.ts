import { createHash } from 'node:crypto';
import process from 'node:process';
import sharp from 'sharp';
import { readHeader } from '../src/processor/image/header.ts';
import type { Plan } from '../src/processor/image/plan.ts';
import { startWorkerPool } from '../src/processor/image/worker-pool.ts';
import { cpuMs, inParallel } from './measure.ts';

/*
 * The same work with no service around it, in a process of its own: by our stages and workers (the floor), or by
 * the sharp chain that one would write.
 */

export interface Work {
  readonly way: 'floor' | 'sharp';
  readonly files: readonly string[];
  readonly plan: Plan;
  readonly count: number;
  readonly inFlight: number;
}

export interface Done {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly times: readonly number[];
  /** SHA-256 of the answer to each file. */
  readonly answers: readonly string[];
}

const pool = await startWorkerPool(2);
process.on('disconnect', () => process.exit());
process.on('message', async ({ way, files, plan, count, inFlight }: Work) => {
  const sources = files.map((file) => Buffer.from(file, 'base64'));
  const make = way === 'floor' ? byOurStages : bySharp;
  const answers: string[] = [];
  const before = process.cpuUsage();
  const start = performance.now();
  const times = await inParallel(count, inFlight, async (index) => {
    const at = index % sources.length;
    const answer = await make(sources[at] as Buffer, plan);
    const hash = createHash('sha256').update(answer).digest('hex');
    answers[at] ??= hash;
    if (answers[at] !== hash) throw new Error('two answers to one picture');
  });
  const wallMs = performance.now() - start;
  process.send?.({ cpuMs: cpuMs(process.cpuUsage(before)), wallMs, times, answers } satisfies Done);
});
process.send?.('ready');

async function byOurStages(content: Uint8Array, plan: Plan): Promise<Uint8Array> {
  const header = await readHeader(content, 2 ** 31);
  return (await pool.run({ content, header, plan, maxOutputPixels: 2 ** 28 })).content;
}

async function bySharp(content: Uint8Array, { resize, output, grayscale }: Plan): Promise<Uint8Array> {
  if (resize?.fit !== 'fill') throw new Error('only fill');
  const { width, height } = resize;
  const resized = sharp(content).resize({ width, height, fit: 'fill' });
  if (output.kind === 'image') {
    const format = output.format ?? 'jpeg';
    // 90 as ours and Pillow's here; sharp alone would take 80.
    return (grayscale ? resized.grayscale() : resized)
      .toFormat(format, format === 'jpeg' ? { quality: 90 } : {})
      .toBuffer();
  }
  const pixels = await resized.removeAlpha().raw().toBuffer();
  const values = new Float32Array(pixels.length);
  const plane = width * height;
  for (let at = 0; at < pixels.length; at++) {
    values[(at % 3) * plane + Math.trunc(at / 3)] = ((pixels[at] as number) / 255 - 0.5) / 0.5;
  }
  return new Uint8Array(values.buffer);
}
