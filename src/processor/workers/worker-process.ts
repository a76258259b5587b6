import { readSync, writeFileSync, writeSync } from 'node:fs';
import process from 'node:process';
import type { ImageHeader } from '../codecs/header.ts';
import type { SourceFormat } from '../codecs/source-format.ts';
import type { SourcePlan } from '../image/plan.ts';
import type { PixelAnswer, PixelJob } from '../image/process-pixels.ts';
import { packFailure, type WorkerFailure } from './failure.ts';
import { answerRoom, workerFile } from './file.ts';
import { createMessageReader, packMessage } from './message.ts';
import { endWithParent } from './parent-death.ts';
import { goLast } from './priority.ts';

/*
 * A worker process: it takes one job at a time from the server over file descriptor 3, a socket, and answers
 * it there. It ends when the server has gone. Its arguments are its role, `pixels` or `headers`, the formats that are read,
 * and `file` if descriptor 4 is the file that they share.
 */

export interface HeaderJob {
  /** The file, or as much of its beginning as the header takes. */
  readonly content: Uint8Array;
  readonly maxPixels: number;
  /** As for `readHeader` of read-header.ts. */
  readonly source?: SourcePlan | undefined;
}

export type HeaderAnswer = { readonly header: ImageHeader } | { readonly failure: WorkerFailure };

/** What a worker does, by its role. */
export interface WorkerRoles {
  readonly pixels: { readonly job: PixelJob; readonly answer: readonly PixelAnswer[] };
  readonly headers: { readonly job: HeaderJob; readonly answer: HeaderAnswer };
}

/** Versions of the libraries that a worker has loaded, by name. */
export type Libraries = Readonly<Record<string, string>>;

/** The result of loading what jobs need. */
export type WorkerStart =
  | { readonly libraries: Libraries }
  /** What is wrong with the environment, as `EnvironmentError` has it. */
  | { readonly environmentError: string };

/** A worker's message: one when it has loaded what its jobs need, then one for each job. */
export interface WorkerReply<Answer> {
  /** In the first message. */
  readonly start?: WorkerStart;
  readonly answer?: Answer;
  /** What was thrown that isn't a Failure. */
  readonly bug?: unknown;
  /** Bytes of memory that the process holds now. */
  readonly rss: number;
}

interface Role<Job, Answer> {
  /** Loads everything that a job needs. */
  warmUp(): Promise<void>;
  answer(job: Job): Promise<Answer>;
}

const roles: { readonly [Name in keyof WorkerRoles]: () => Promise<Role<never, unknown>> } = {
  async pixels(): Promise<Role<PixelJob, readonly PixelAnswer[]>> {
    const { processPixels, warmUp } = await import('../image/process-pixels.ts');
    return { warmUp, answer: processPixels };
  },
  async headers(): Promise<Role<HeaderJob, HeaderAnswer>> {
    const { readHeader } = await import('../codecs/read-header.ts');
    return {
      async warmUp() {
        await readHeader(smallestPng, 1);
      },
      async answer({ content, source, maxPixels }) {
        return await readHeader(content, maxPixels, source).then((header) => ({ header }), packFailure);
      },
    };
  },
};

const smallestPng = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
);

async function start(role: Role<never, unknown>, formats: readonly SourceFormat[]): Promise<WorkerStart> {
  const [{ loadLibraries, MissingPackage }, { turboJpegProblem }] = await Promise.all([
    import('../codecs/libraries.ts'),
    import('../codecs/jpeg/turbojpeg.ts'),
  ]);
  const environmentError = turboJpegProblem();
  if (environmentError !== undefined) return { environmentError };
  try {
    const libraries = await loadLibraries(formats);
    await role.warmUp();
    return { libraries };
  } catch (error) {
    if (error instanceof MissingPackage) return { environmentError: error.message };
    throw error;
  }
}

const channel = 3;
const file = process.argv[4] === 'file' ? workerFile(4, answerRoom) : undefined;

/** Room for a source that isn't large, so that not every job takes new pages from the system. Bytes. */
const kept = Buffer.allocUnsafeSlow(4 * 1024 * 1024);

async function serve(name: keyof WorkerRoles, formats: readonly SourceFormat[]): Promise<void> {
  // Ctrl+C and a supervisor's SIGTERM reach the whole group; the server finishes what is in flight first.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  endWithParent();
  // The server goes first when there is more to do than cores, and headers, on which a refusal may hang, before pixels.
  if (name === 'pixels') goLast();
  if (process.platform === 'linux') offerToOutOfMemoryKiller();
  const role: Role<unknown, unknown> = await roles[name]();
  reply({ start: await start(role, formats) });
  const next = createInbox();
  for (;;) reply(await done(role, next()));
}

async function done(role: Role<unknown, unknown>, job: unknown): Promise<Partial<WorkerReply<unknown>>> {
  try {
    return { answer: await role.answer(job) };
  } catch (bug) {
    return { bug: bug instanceof Error ? bug : new Error(String(bug)) };
  }
}

/** Waits without an event loop: there is nothing else to do, and a turn of it would cost more than the read. */
function createInbox(): () => unknown {
  let keptIsFree = true;
  const reader = createMessageReader(file, (length) => {
    if (!keptIsFree || length > kept.length) return Buffer.allocUnsafeSlow(length);
    keptIsFree = false;
    return kept.subarray(0, length);
  });
  return () => {
    keptIsFree = true;
    let filled = 0;
    for (;;) {
      const { target } = reader;
      const read = readSync(channel, target, filled, target.length - filled, null);
      if (read === 0) process.exit();
      filled += read;
      if (filled < target.length) continue;
      filled = 0;
      const message = reader.filled();
      if (message !== undefined) return message.value;
    }
  };
}

/** Bytes. A large image leaves garbage that the collector would only find after the next ones. */
const collectAfterGrowthOf = 64 * 1024 * 1024;

let rssAfterCollection = process.memoryUsage.rss();

function currentRss(): number {
  const rss = process.memoryUsage.rss();
  if (rss < rssAfterCollection + collectAfterGrowthOf) return rss;
  globalThis.gc?.();
  rssAfterCollection = process.memoryUsage.rss();
  return rssAfterCollection;
}

function reply(message: Partial<WorkerReply<unknown>>): void {
  for (const part of packMessage({ ...message, rss: currentRss() }, file)) {
    let written = 0;
    while (written < part.length) written += writeSync(channel, part, written, part.length - written);
  }
}

/** When the container's memory is gone the kernel takes the worker, not the server: proc(5), oom_score_adj. */
function offerToOutOfMemoryKiller(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Not everywhere may one write there.
  }
}

await serve(process.argv[2] as keyof WorkerRoles, process.argv[3]?.split(',') as SourceFormat[]);
