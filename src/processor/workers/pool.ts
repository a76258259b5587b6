import process from 'node:process';
import { createAdmission } from '../admission/admission.ts';
import { checkSize } from '../codecs/check-size.ts';
import { checkSource } from '../codecs/check-source.ts';
import { codecOf, defaultFormats } from '../codecs/codecs.ts';
import { detectFormat, findFormat } from '../codecs/format.ts';
import type { ImageHeader } from '../codecs/header.ts';
import { checkHeaderTime, readSourceStructure, structureMs } from '../codecs/judge-structure.ts';
import { keptByWorkerBytes } from '../codecs/pdf/memory.ts';
import { headerPart } from '../codecs/read-header.ts';
import type { SourceFormat } from '../codecs/source-format.ts';
import type { SourcePlan } from '../image/plan.ts';
import type { PixelJob, PixelOutcome, PixelResult } from '../image/process-pixels.ts';
import type { Size } from '../image/shortest-edge.ts';
import type { Outcome } from '../outcome.ts';
import type { SkewJob, SkewOutcome, SkewReport } from '../skew/skew-job.ts';
import { unpackFailure } from './failure.ts';
import { createLazyProcesses } from './lazy-processes.ts';
import { startProcesses, type WorkerEvents, type WorkerLimits } from './processes.ts';
import type { HeaderOutcome, Libraries, PagesOutcome } from './worker-process.ts';

/**
 * Worker processes for pixels and for headers. A decoder that crashes or hangs its process does not affect the one that
 * serves gRPC.
 */
export interface WorkerPool {
  /**
   * Runs one job in the next free worker. Admission runs no more jobs at once than there are workers.
   *
   * @param signal - a job that has not started when it aborts is not started; one that has gets a short time to end
   * @returns the outcome of each of the job's plans, in their order
   * @throws WORKER_CRASHED, SOURCE_MEMORY_OVER_LIMIT, DEADLINE_EXCEEDED, CANCELLED
   */
  run(job: PixelJob, signal?: AbortSignal): Promise<readonly Outcome<PixelResult>[]>;
  /** Compares a tensor with the expected one in the next free worker, as `run` runs a job. */
  findSkew(job: SkewJob, signal?: AbortSignal): Promise<SkewReport>;
  /**
   * Reads a header: in this process if the codec needs no decoder for it, else in a process for headers, so that it
   * does not wait for pixels.
   *
   * @param maxPixels - as for `readHeader` in read-header.ts
   * @param source - the same
   * @throws the errors of that function and of `run`, SOURCE_PASSES_OVER_LIMIT and OVERLOADED
   */
  readHeader(
    content: Uint8Array,
    maxPixels: number,
    signal?: AbortSignal,
    source?: SourcePlan,
  ): Promise<ImageHeader>;
  /**
   * The sizes of a document's pages at the plan's resolution, in pixels, without drawing them: of the first 1000, or of
   * the first 100 media boxes. Empty for a picture.
   *
   * @param source - unset: the defaults
   * @throws the errors of `readHeader`
   */
  readPages(
    content: Uint8Array,
    source: SourcePlan | undefined,
    signal?: AbortSignal,
  ): Promise<readonly Size[]>;
  /** Whether the bytes are a document, for which `documents` of ImageProcessing is responsible. */
  isDocument(content: Uint8Array): boolean;
  /** Versions of the libraries that decode and encode in the workers. */
  readonly libraries: Libraries;
  /** Process ids of the workers, those for pixels first. */
  pids(): {
    readonly pixels: readonly number[];
    readonly headers: readonly number[];
    readonly documents: readonly number[];
  };
  /** Number of workers that run a job. */
  busy(): { readonly pixels: number; readonly headers: number; readonly documents: number };
  close(): Promise<void>;
}

export interface WorkerPoolOptions extends Partial<WorkerLimits>, Partial<WorkerEvents> {
  /** Number of processes for documents. Default: 1. */
  readonly documentWorkers?: number;
  /** Headers that may wait to be read; further ones are refused. */
  readonly maxHeadersWaiting?: number;
}

const megabyte = 1_000_000;

/** For comparison: a worker that has just started holds 80 to 100 MB. */
const defaultLimits: WorkerLimits = {
  jobTimeoutMs: 65_000,
  abortGraceMs: 1000,
  maxRssBytes: Number.POSITIVE_INFINITY,
  maxIdleRssBytes: 250 * megabyte,
  restAfterMs: 5000,
  sourceFormats: defaultFormats,
};

/** Reading a header takes a millisecond, and a few more for a GIF of ten thousand frames. */
const headerTimeoutMs = 5000;

/** Drawing a page takes a hundredth of it. A caller with an earlier deadline ends the job then. */
const documentTimeoutMs = 30_000;

const neverAborts = new AbortController().signal;

const defaultEvents: WorkerEvents = {
  onLine: (line) => void process.stderr.write(`worker: ${line}\n`),
  onReplaced() {},
};

/**
 * Starts the processes. Resolves when one for pixels has loaded everything that it needs, so that a missing library
 * stops the start instead of failing the first request. Those of the other roles start when they are needed.
 *
 * @param workers - number of processes for pixels, each with one image at a time; one more reads headers when a format needs
 *   its decoder for that
 */
export async function startWorkerPool(workers: number, options: WorkerPoolOptions = {}): Promise<WorkerPool> {
  const limits = { ...defaultLimits, ...options };
  const events = { ...defaultEvents, ...options };
  const pixels = startProcesses('pixels', workers, limits, events);
  const { documentWorkers = 1, maxHeadersWaiting = 64 } = options;
  const documents = createLazyProcesses(
    'documents',
    documentWorkers,
    {
      ...limits,
      sourceFormats: limits.sourceFormats.filter((format) => codecOf(format).isDocument),
      jobTimeoutMs: Math.min(limits.jobTimeoutMs, documentTimeoutMs),
      maxIdleRssBytes: limits.maxIdleRssBytes + keptByWorkerBytes,
    },
    events,
  );
  const headerAdmission = createAdmission('headers are being read', 1, maxHeadersWaiting);
  const openAdmission = createAdmission('documents are being opened', documentWorkers, maxHeadersWaiting);
  const headers = createLazyProcesses('headers', 1, { ...limits, jobTimeoutMs: headerTimeoutMs }, events);
  const close = async (): Promise<void> => {
    await Promise.all([pixels.close(), headers.close(), documents.close()]);
  };
  const libraries = await pixels.ready.catch(async (error: unknown) => {
    await close();
    throw error;
  });
  // A file of no known format is refused where its header is read.
  const isDocument = (content: Uint8Array) => {
    const format = findFormat(content);
    return format !== undefined && codecOf(format).isDocument === true;
  };
  const workersOf = ({ header }: PixelJob | SkewJob) =>
    codecOf(header.format).isDocument ? documents : pixels;
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
    const outcome = codecOf(format).isDocument
      ? ((await openAdmission.run(() => documents.run(job, signal), signal)) as HeaderOutcome)
      : await headerAdmission.run(() => headers.run(job, signal), signal);
    if ('header' in outcome) return outcome.header;
    throw unpackFailure(outcome.failure);
  }
  return {
    async run(job, signal) {
      const outcomes = (await workersOf(job).run(job, signal)) as readonly PixelOutcome[];
      return outcomes.map((outcome) =>
        'result' in outcome ? outcome : { error: unpackFailure(outcome.failure) },
      );
    },
    async findSkew(job, signal) {
      const outcome = (await workersOf(job).run(job, signal)) as SkewOutcome;
      if ('report' in outcome) return outcome.report;
      throw unpackFailure(outcome.failure);
    },
    async readHeader(content, maxPixels, signal = neverAborts, source = undefined) {
      const format = detectFormat(content, limits.sourceFormats);
      if (source !== undefined) checkSource(format, source);
      const structure = readSourceStructure(content, format);
      if (structure === undefined) return await readPixelHeader(content, source, format, maxPixels, signal);
      checkHeaderTime(structure, format);
      const header = await readPixelHeader(content, source, format, maxPixels, signal);
      return { ...header, structureMs: structureMs(structure, header) };
    },
    async readPages(content, source, signal = neverAborts) {
      if (!isDocument(content)) return [];
      const job = { content, source, pages: true } as const;
      const outcome = (await openAdmission.run(() => documents.run(job, signal), signal)) as PagesOutcome;
      if ('pages' in outcome) return outcome.pages;
      throw unpackFailure(outcome.failure);
    },
    isDocument,
    libraries,
    pids: () => ({ pixels: pixels.pids(), headers: headers.pids(), documents: documents.pids() }),
    busy: () => ({ pixels: pixels.busy(), headers: headers.busy(), documents: documents.busy() }),
    close,
  };
}
