import { readSync, writeFileSync, writeSync } from 'node:fs';
import process from 'node:process';
import { collectAll } from '../../at-rest.ts';
import { release } from '../../own-bytes.ts';
import type { ImageHeader } from '../codecs/header.ts';
import type { SourceFormat } from '../codecs/source-format.ts';
import type { SourcePlan } from '../image/plan.ts';
import type { PixelJob, PixelOutcome } from '../image/process-pixels.ts';
import type { Size } from '../image/shortest-edge.ts';
import type { SkewJob, SkewOutcome } from '../skew/skew-job.ts';
import { packFailure, type WorkerFailure } from './failure.ts';
import { createMessageReader, packMessage, restJob } from './message.ts';
import { endWithParent } from './parent-death.ts';
import { lowerPriority } from './priority.ts';
import { trimMalloc } from './trim.ts';

/*
 * A worker process. It takes one job at a time from the server over file descriptor 3, a socket, and replies there. It
 * ends when the server has ended. Its arguments are its role, `pixels`, `headers` or `documents`, and the enabled formats.
 */

export interface HeaderJob {
  /** The file, or the part of its beginning that contains the header. */
  readonly content: Uint8Array;
  readonly maxPixels: number;
  /** As for `readHeader` of read-header.ts. */
  readonly source?: SourcePlan | undefined;
}

export type HeaderOutcome = { readonly header: ImageHeader } | { readonly failure: WorkerFailure };

/** Reads the sizes of a document's pages. */
export interface PagesJob {
  readonly content: Uint8Array;
  readonly source: SourcePlan | undefined;
  readonly pages: true;
}

export type PagesOutcome = { readonly pages: readonly Size[] } | { readonly failure: WorkerFailure };

/** The jobs and results of each role. */
export interface WorkerRoles {
  readonly pixels: {
    readonly job: PixelJob | SkewJob;
    readonly result: readonly PixelOutcome[] | SkewOutcome;
  };
  readonly headers: { readonly job: HeaderJob; readonly result: HeaderOutcome };
  /** The headers of documents and the pixels of their pages. */
  readonly documents: { readonly job: DocumentJob; readonly result: DocumentResult };
}

type DocumentJob = HeaderJob | PagesJob | PixelJob | SkewJob;
type DocumentResult = HeaderOutcome | PagesOutcome | readonly PixelOutcome[] | SkewOutcome;

/** Versions of the libraries that a worker has loaded, by name. */
export type Libraries = Readonly<Record<string, string>>;

/** The result of loading what jobs need. */
export type WorkerStart =
  | { readonly libraries: Libraries }
  /** The problem in the environment, as the message of an `EnvironmentError`. */
  | { readonly environmentError: string };

/** A message of a worker: the first when it has loaded everything, then one for each job. */
export interface WorkerReply<Result> {
  /** In the first message. */
  readonly start?: WorkerStart;
  readonly result?: Result;
  /** The thrown error if it is not a Failure. */
  readonly bug?: unknown;
  /** Memory that the process holds now, in bytes. */
  readonly rss: number;
}

interface Role<Job, Result> {
  /** Loads everything that a job needs. */
  warmUp(): Promise<void>;
  /** Gives back memory that is kept for the next job. */
  rest?(): void;
  run(job: Job): Promise<Result>;
  /** Frees what a result holds, after it has been sent. */
  free?(result: Result): void;
}

const roles: { readonly [Name in keyof WorkerRoles]: () => Promise<Role<never, unknown>> } = {
  async pixels(): Promise<Role<PixelJob | SkewJob, readonly PixelOutcome[] | SkewOutcome>> {
    const [{ processPixels, warmUp }, { releaseKernels }, { releaseScratch }] = await Promise.all([
      import('../image/process-pixels.ts'),
      import('../image/kernels/wasm.ts'),
      import('./scratch.ts'),
    ]);
    return {
      warmUp,
      rest() {
        releaseKernels();
        releaseScratch();
      },
      async run(job) {
        if (!('given' in job)) return await processPixels(job);
        const { runSkewJob } = await import('../skew/skew-job.ts');
        return await runSkewJob(job);
      },
      free(result) {
        if (!isOutcomes(result)) return;
        for (const outcome of result) if ('result' in outcome) release(outcome.result.content);
      },
    };
  },
  async headers(): Promise<Role<HeaderJob, HeaderOutcome>> {
    const { readHeader } = await import('../codecs/read-header.ts');
    return {
      async warmUp() {
        await readHeader(smallestPng, 1);
      },
      async run({ content, source, maxPixels }) {
        return await readHeader(content, maxPixels, source).then((header) => ({ header }), packFailure);
      },
    };
  },
  async documents(): Promise<Role<DocumentJob, DocumentResult>> {
    const [headers, pixels, { readPages }] = await Promise.all([
      roles.headers() as Promise<Role<HeaderJob, HeaderOutcome>>,
      roles.pixels() as Promise<Role<PixelJob | SkewJob, readonly PixelOutcome[] | SkewOutcome>>,
      import('../codecs/pdf/decode.ts'),
    ]);
    return {
      async warmUp() {
        await pixels.warmUp();
      },
      rest() {
        pixels.rest?.();
      },
      async run(job) {
        if ('maxPixels' in job) return await headers.run(job);
        if (!('pages' in job)) return await pixels.run(job);
        return await readPages(job.content, job.source).then((sizes) => ({ pages: sizes }), packFailure);
      },
      free(result) {
        if (isOutcomes(result)) pixels.free?.(result);
      },
    };
  },
};

function isOutcomes(result: object): result is readonly PixelOutcome[] {
  return Array.isArray(result);
}

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

const keptBytes = 4 * 1024 * 1024;

/** A buffer for sources of usual size, so that not every job maps new pages. */
let kept = Buffer.allocUnsafeSlow(keptBytes);

async function serve(name: keyof WorkerRoles, formats: readonly SourceFormat[]): Promise<void> {
  // Ctrl+C, a closed terminal and a supervisor's SIGTERM reach the whole process group; the server completes running
  // calls first.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  endWithParent();
  // If cores are scarce, the server and the header process, which can refuse an image early, run before pixels and
  // pages.
  if (name !== 'headers') lowerPriority();
  if (process.platform === 'linux') offerToOutOfMemoryKiller();
  const role: Role<unknown, unknown> = await roles[name]();
  reply({ start: await start(role, formats) });
  const next = createInbox();
  for (;;) {
    const message = await done(role, next());
    reply(message);
    if (message.result !== undefined) role.free?.(message.result);
  }
}

async function done(role: Role<unknown, unknown>, job: unknown): Promise<Partial<WorkerReply<unknown>>> {
  if (job === restJob) {
    rest(role);
    return {};
  }
  try {
    return { result: await role.run(job) };
  } catch (bug) {
    return { bug: bug instanceof Error ? bug : new Error(String(bug)) };
  }
}

function rest(role: Role<unknown, unknown>): void {
  role.rest?.();
  kept = Buffer.allocUnsafeSlow(keptBytes);
  collectAll();
  trimMalloc();
  rssAfterCollection = process.memoryUsage.rss();
}

/** Blocks in reads instead of using an event loop: there is no other work, and a turn of it costs more than a read. */
function createInbox(): () => unknown {
  let keptIsFree = true;
  const reader = createMessageReader((length) => {
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

/** In bytes. A large image leaves garbage that the collector would find only after several more images. */
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
  for (const part of packMessage({ ...message, rss: currentRss() })) {
    let written = 0;
    while (written < part.length) written += writeSync(channel, part, written, part.length - written);
  }
}

/** If the container runs out of memory, the kernel kills the worker, not the server: proc(5), oom_score_adj. */
function offerToOutOfMemoryKiller(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Some systems do not permit this write.
  }
}

await serve(process.argv[2] as keyof WorkerRoles, process.argv[3]?.split(',') as SourceFormat[]);
