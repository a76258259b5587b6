import process from 'node:process';
import { createAdmission } from '../admission/admission.ts';
import { codecOf, defaultFormats } from '../codecs/codecs.ts';
import { detectFormat } from '../codecs/format.ts';
import { checkSize, type ImageHeader } from '../codecs/header.ts';
import { checkHeaderTime, readSourceStructure, structureMs } from '../codecs/judge-structure.ts';
import { headerPart } from '../codecs/read-header.ts';
import type { SourceFormat } from '../codecs/source-format.ts';
import type { SourcePlan } from '../image/plan.ts';
import type { PixelJob, PixelResult } from '../image/process-pixels.ts';
import type { Outcome } from '../outcome.ts';
import { unpackFailure } from './failure.ts';
import { startProcesses, type WorkerEvents, type WorkerLimits } from './processes.ts';
import type { Libraries } from './worker-process.ts';

/**
 * Worker processes for pixels and for headers: whatever a decoder does to its process, the one that serves gRPC
 * goes on.
 */
export interface WorkerPool {
  /**
   * Runs one job in the next free worker. Admission keeps the number of jobs at that of the workers.
   *
   * @param signal - a job that hasn't begun when it aborts isn't begun; one that has gets a moment to end
   * @returns the outcome of each of the job's plans, in their order
   * @throws WORKER_CRASHED, SOURCE_MEMORY_OVER_LIMIT, DEADLINE_EXCEEDED, CANCELLED
   */
  run(job: PixelJob, signal?: AbortSignal): Promise<readonly Outcome<PixelResult>[]>;
  /**
   * Reads a header: in this process where the codec can do it without a decoder, else in a process for headers, so that
   * it does not wait behind pixels.
   *
   * @param maxPixels - as for `readHeader` of read-header.ts
   * @param source - the same
   * @throws what that throws, what `run` throws, SOURCE_PASSES_OVER_LIMIT and OVERLOADED
   */
  readHeader(
    content: Uint8Array,
    maxPixels: number,
    signal?: AbortSignal,
    source?: SourcePlan,
  ): Promise<ImageHeader>;
  /** Versions of the libraries that decode and encode in the workers. */
  readonly libraries: Libraries;
  /** Process ids of the workers, those for pixels first. */
  pids(): { readonly pixels: readonly number[]; readonly headers: readonly number[] };
  /** Workers in a job. */
  busy(): { readonly pixels: number; readonly headers: number };
  close(): Promise<void>;
}

export interface WorkerPoolOptions extends Partial<WorkerLimits>, Partial<WorkerEvents> {
  /** Headers that wait to be read before others are refused. */
  readonly maxHeadersWaiting?: number;
}

const megabyte = 1_000_000;

/** A worker that has just started holds 80 to 100 MB. */
const defaultLimits: WorkerLimits = {
  jobTimeoutMs: 65_000,
  abortGraceMs: 1000,
  maxRssBytes: Number.POSITIVE_INFINITY,
  maxIdleRssBytes: 250 * megabyte,
  sourceFormats: defaultFormats,
};

/** A header takes a millisecond; a GIF of ten thousand frames some more. */
const headerTimeoutMs = 5000;

const neverAborts = new AbortController().signal;

const defaultEvents: WorkerEvents = {
  onLine: (line) => void process.stderr.write(`worker: ${line}\n`),
  onReplaced() {},
};

/**
 * Starts the processes, and comes back when one of each kind has loaded everything that it needs: what is
 * missing stops the start and not the first request.
 *
 * @param workers - processes for pixels, each with one image at a time; there is one more for headers
 */
export async function startWorkerPool(workers: number, options: WorkerPoolOptions = {}): Promise<WorkerPool> {
  const limits = { ...defaultLimits, ...options };
  const events = { ...defaultEvents, ...options };
  const pixels = startProcesses('pixels', workers, limits, events);
  const headerAdmission = createAdmission('headers are being read', 1, options.maxHeadersWaiting ?? 64);
  const headers = startProcesses('headers', 1, { ...limits, jobTimeoutMs: headerTimeoutMs }, events);
  const close = async (): Promise<void> => {
    await Promise.all([pixels.close(), headers.close()]);
  };
  const [libraries] = await Promise.all([pixels.ready, headers.ready]).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  async function readPixelHeader(
    content: Uint8Array,
    source: SourcePlan | undefined,
    format: SourceFormat,
    maxPixels: number,
    signal: AbortSignal,
  ): Promise<ImageHeader> {
    const plain = codecOf(format).readHeader?.(content, source);
    if (plain !== undefined) {
      checkSize(plain, maxPixels);
      return { ...plain, source };
    }
    const job = { content: headerPart(content), source, maxPixels };
    const answer = await headerAdmission.run(() => headers.run(job, signal), signal);
    if ('header' in answer) return answer.header;
    throw unpackFailure(answer.failure);
  }
  return {
    async run(job, signal) {
      const answers = await pixels.run(job, signal);
      return answers.map((answer) =>
        'result' in answer ? answer : { error: unpackFailure(answer.failure) },
      );
    },
    async readHeader(content, maxPixels, signal = neverAborts, source = undefined) {
      const format = detectFormat(content, limits.sourceFormats);
      const structure = readSourceStructure(content, format);
      if (structure === undefined) return await readPixelHeader(content, source, format, maxPixels, signal);
      checkHeaderTime(structure, format);
      const header = await readPixelHeader(content, source, format, maxPixels, signal);
      return { ...header, structureMs: structureMs(structure, header) };
    },
    libraries,
    pids: () => ({ pixels: pixels.pids(), headers: headers.pids() }),
    busy: () => ({ pixels: pixels.busy(), headers: headers.busy() }),
    close,
  };
}
