import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { crc32 } from 'node:zlib';
import { encoded, photoLike } from '../test/support/pictures.ts';

/*
 * What the parts of the bench share: arguments, pictures, medians, tables, and other processes.
 */

/** `[--python PATH] [--images DIR] [--quick]`, the same for every part. */
export function benchArguments() {
  const { values } = parseArgs({
    options: {
      python: { type: 'string', default: 'python3' },
      images: { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
  });
  return values;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** @param share - 0…1 */
export function percentile(values: readonly number[], share: number): number {
  const at = Math.min(values.length - 1, Math.floor(values.length * share));
  return values.toSorted((a, b) => a - b)[at] ?? Number.NaN;
}

/** user + sys in milliseconds. */
export function cpuMs({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000;
}

/** A Markdown table; the first row is its head. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const [head = [], ...body] = rows;
  const lines = [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`);
  process.stdout.write(`${lines.join('\n').replaceAll('| ---', '|---').replaceAll('--- |', '---|')}\n`);
}

/** Wall time of each call in milliseconds, in the order in which they ended. */
export async function inParallel(
  count: number,
  inFlight: number,
  work: (index: number) => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (next < count) {
        const start = performance.now();
        await work(next++);
        times.push(performance.now() - start);
      }
    }),
  );
  return times;
}

/** The mean difference between two lists of values, and the largest. */
export function difference(
  ours: ArrayLike<number>,
  theirs: ArrayLike<number>,
): { mean: number; max: number } {
  if (ours.length !== theirs.length) throw new Error(`${ours.length} values beside ${theirs.length}`);
  let sum = 0;
  let max = 0;
  for (let at = 0; at < ours.length; at++) {
    const delta = Math.abs((ours[at] as number) - (theirs[at] as number));
    sum += delta;
    max = Math.max(max, delta);
  }
  return { mean: sum / ours.length, max };
}

/** 2725 × 2225 as a JPEG and 1920 × 1080 as a PNG, photo-like; or all JPEG and PNG files of a folder. */
export async function benchPictures(
  folder: string | undefined,
): Promise<{ readonly jpeg: Uint8Array[]; readonly png: Uint8Array[] }> {
  if (folder === undefined) {
    return {
      jpeg: [
        await encoded(photoLike(2725, 2225, 1), 'jpeg', { quality: 75 }),
        await encoded(photoLike(2725, 2225, 2), 'jpeg', { quality: 75 }),
      ],
      png: [await encoded(photoLike(1920, 1080, 3), 'png')],
    };
  }
  const names = (await readdir(folder)).toSorted();
  const read = (ending: RegExp) =>
    Promise.all(names.filter((name) => ending.test(name)).map((name) => readFile(join(folder, name))));
  return { jpeg: await read(/\.jpe?g$/i), png: await read(/\.png$/i) };
}

/** The same picture as another file, which no cache knows: with a comment that says `mark`. */
export function withMark(file: Uint8Array, mark: string): Uint8Array {
  const text = Buffer.from(mark, 'latin1');
  if (file[0] === 0xff) {
    const segment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, text.length + 2]), text]);
    return Buffer.concat([file.subarray(0, 2), segment, file.subarray(2)]);
  }
  // Signature and IHDR are 33 bytes; tEXt may follow.
  const body = Buffer.concat([Buffer.from('tEXtComment\0', 'latin1'), text]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(body.length - 4);
  chunk.set(body, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return Buffer.concat([file.subarray(0, 33), chunk, file.subarray(33)]);
}

/** What a process that has loaded tell-usage.ts tells of itself. */
export interface Usage {
  /** user + sys since its start. */
  readonly cpuMs: number;
  readonly peakRssMb: number;
  /** Of the main thread's event loop since the last question. */
  readonly delayMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

export interface MeasuredProcess {
  readonly port: number;
  usage(): Promise<Usage>;
  stop(): Promise<void>;
}

/** Starts a service by its main on a free port of the loopback, with the flags that `npm start` gives it. */
export async function startMain(
  name: 'api' | 'processor',
  environment: Readonly<Record<string, string>>,
): Promise<MeasuredProcess> {
  const path = (file: string) => new URL(file, import.meta.url);
  const child = spawn(
    process.execPath,
    [
      '--external-memory-accounted-in-global-limit',
      '--import',
      path('./tell-usage.ts').href,
      path(`../src/${name}/main.ts`).pathname,
    ],
    {
      // "listens" is logged at info.
      env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'info', ...environment },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    },
  );
  endWithUs(child);
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`image-${name} ended with ${code}`)));
    createInterface(child.stdout as Readable).on('line', (line) => {
      if (line.includes(`image-${name} listens`)) resolve((JSON.parse(line) as { port: number }).port);
    });
  });
  return {
    port,
    usage: () => asked<Usage>(child, 'usage'),
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Sends a message to a child and waits for the next one from it. */
export async function asked<Answer>(child: ChildProcess, question: NonNullable<unknown>): Promise<Answer> {
  const answer = once(child, 'message');
  child.send(question);
  return ((await answer) as [Answer])[0];
}

export function endWithUs(child: ChildProcess): void {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
}

/** A Python that answers each line of JSON with one. */
export interface Python {
  /** @param bytes - follow the line */
  ask<Answer>(question: object, bytes?: Uint8Array): Promise<Answer>;
  end(): void;
}

/**
 * Starts a Python with a script that reads lines of JSON from stdin and answers each with one.
 *
 * @returns undefined where there is no such Python, or none that has the modules
 */
export async function startPython(
  command: string,
  script: string,
  modules: string,
): Promise<Python | undefined> {
  const probe = spawn(command, ['-c', `import ${modules}`], { stdio: 'ignore' });
  const has = await new Promise((resolve) => {
    probe.once('error', () => resolve(false));
    probe.once('exit', (code) => resolve(code === 0));
  });
  if (!has) return undefined;
  const python: ChildProcessByStdio<Writable, Readable, null> = spawn(command, ['-c', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  endWithUs(python);
  const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  return {
    async ask<Answer>(question: object, bytes?: Uint8Array) {
      python.stdin.write(`${JSON.stringify(question)}\n`);
      if (bytes !== undefined && !python.stdin.write(bytes)) await once(python.stdin, 'drain');
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ended`);
      return JSON.parse(value) as Answer;
    },
    end: () => python.stdin.end(),
  };
}
