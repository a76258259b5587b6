import process from 'node:process';
import type { Failure } from '../../failures.ts';
import { createAdmission } from '../admission/admission.ts';
import { readBmpHeader } from '../codecs/bmp/layout.ts';
import { detectFormat } from '../codecs/format.ts';
import { readGifHeader } from '../codecs/gif/layout.ts';
import { checkSize, headerPart, type ImageHeader } from '../codecs/header.ts';
import { readJpegHeader } from '../codecs/jpeg/header.ts';
import { readPngHeader } from '../codecs/png/header.ts';
import { checkHeaderTime, readSourceStructure, structureMs } from '../codecs/source-structure.ts';
import type { SourceFormat } from '../image/plan.ts';
import type { PixelJob, PixelResult } from '../image/process-pixels.ts';
import { unpackFailure } from './failure.ts';
import { startProcesses, type WorkerEvents, type WorkerLimits } from './processes.ts';

/**
 * Worker processes for pixels and for headers: whatever a decoder does to its process, the one that serves gRPC
 * goes on.
 */
export interface WorkerPool {
  /**
   * Runs one job in the next free worker. Admission keeps the number of jobs at that of the workers.
   *
   * @param signal - a job that hasn't begun when it aborts isn't begun; one that has gets a moment to end
   * @returns for each of the job's plans what came of it, which may be what its stages threw
   * @throws WORKER_CRASHED, SOURCE_MEMORY_OVER_LIMIT, DEADLINE_EXCEEDED, CANCELLED
   */
  run(job: PixelJob, signal?: AbortSignal): Promise<readonly (PixelResult | Failure)[]>;
  /**
   * Reads a header: a BMP's, a plain JPEG's or PNG's here and now, any other in a process of its own, so that it doesn't wait
   * behind pixels.
   *
   * @param maxPixels - as `readHeader` of header.ts has it
   * @throws what that throws, what `run` throws, SOURCE_PASSES_OVER_LIMIT and OVERLOADED
   */
  readHeader(content: Uint8Array, maxPixels: number, signal?: AbortSignal): Promise<ImageHeader>;
  /** Process ids of the workers, those for pixels first. */
  pids(): { readonly pixels: readonly number[]; readonly headers: readonly number[] };
  /** Workers in a job. */
  busy(): { readonly pixels: number; readonly headers: number };
  close(): Promise<void>;
}

export interface WorkerPoolOptions extends Partial<WorkerLimits>, Partial<WorkerEvents> {
  /** Headers that wait to be read before others are refused. */
  readonly maxHeadersWaiting?: number;
  /** Formats that are read; unset: all. */
  readonly sourceFormats?: readonly SourceFormat[];
}

const megabyte = 1_000_000;

/** A worker that has just started holds 80 to 100 MB. */
const defaultLimits: WorkerLimits = {
  jobTimeoutMs: 65_000,
  abortGraceMs: 1000,
  maxRssBytes: Number.POSITIVE_INFINITY,
  maxIdleRssBytes: 250 * megabyte,
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
  await Promise.all([pixels.ready, headers.ready]).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  async function readPixelHeader(
    content: Uint8Array,
    format: SourceFormat,
    maxPixels: number,
    signal: AbortSignal,
  ): Promise<ImageHeader> {
    const plain = readHeaderHere(content, format);
    if (plain !== undefined) {
      checkSize(plain, maxPixels);
      return plain;
    }
    const job = { content: headerPart(content), maxPixels };
    const answer = await headerAdmission.run(() => headers.run(job, signal), signal);
    if ('header' in answer) return answer.header;
    throw unpackFailure(answer.failure);
  }
  return {
    async run(job, signal) {
      const answers = await pixels.run(job, signal);
      return answers.map((answer) => ('result' in answer ? answer.result : unpackFailure(answer.failure)));
    },
    async readHeader(content, maxPixels, signal = neverAborts) {
      const format = detectFormat(content, options.sourceFormats);
      const structure = readSourceStructure(content, format);
      if (structure === undefined) return await readPixelHeader(content, format, maxPixels, signal);
      checkHeaderTime(structure, format);
      const header = await readPixelHeader(content, format, maxPixels, signal);
      return { ...header, structureMs: structureMs(structure, header) };
    },
    pids: () => ({ pixels: pixels.pids(), headers: headers.pids() }),
    busy: () => ({ pixels: pixels.busy(), headers: headers.busy() }),
    close,
  };
}

/** Headers that we read ourselves, in this process. */
function readHeaderHere(content: Uint8Array, format: SourceFormat): ImageHeader | undefined {
  switch (format) {
    case 'bmp':
      return readBmpHeader(content);
    case 'gif':
      return readGifHeader(content);
    default:
      return readJpegHeader(content) ?? readPngHeader(content);
  }
}
