import type { ProcessRequest } from '../../gen/image/v1/processor_pb.ts';
import { type CallMemory, unlimitedMemory } from './serving/call-memory.ts';
import { createStopwatch, type Stage, type StageListener } from './stopwatch.ts';

/** The caller of one call. */
export interface Caller {
  /** The caller's name, by which limits per caller count: see caller.ts. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** Milliseconds until the caller stops waiting. Unset: it waits until the signal aborts. */
  remainingMs?(): number;
  /** Whether a URL's origin is asked even if its image is still fresh. */
  readonly mustRevalidate?: boolean | undefined;
  /** The memory that the call may hold. Unset: no limit. */
  readonly memory?: CallMemory;
  /** Called for the stages that run for this caller, not for those that ran for another caller's equal request. */
  readonly onStage?: StageListener | undefined;
}

/** One call in progress. It times stages and counts memory. Dispose of it when its responses have been counted. */
export interface Call extends Disposable {
  readonly memory: CallMemory;
  /** The stages so far, without those of the workers. */
  readonly stages: readonly Stage[];
  /** Reads the source. A downloaded image counts as the call's memory. */
  read<Image extends object>(source: ProcessRequest['source'], read: () => Promise<Image>): Promise<Image>;
  /** Reads the header. */
  readHeader<Header>(read: () => Promise<Header>): Promise<Header>;
  /**
   * Runs a job in a worker, through admission. It reserves memory for its outputs when it starts, not while it waits,
   * until the call ends, which has counted its responses by then.
   *
   * @param bytes - of the outputs
   * @param run - returns the stages that the worker timed
   * @throws Failure OVERLOADED
   */
  workerJob<Result>(
    bytes: number,
    run: () => Promise<Result>,
    stagesOf: (result: Result) => readonly Stage[],
  ): () => Promise<Result>;
}

/** The stage in which a source is read. A source known by its hash only is looked up in the cache. */
const readingStages = { content: 'hash', url: 'download' } as const;

/** Starts a call. */
export function startCall({ onStage, memory = unlimitedMemory() }: Caller): Call {
  const stopwatch = createStopwatch(onStage);
  const rooms: Disposable[] = [];
  let isOver = false;
  return {
    memory,
    stages: stopwatch.stages,
    async read(source, read) {
      if (source.case === undefined || source.case === 'sha256') return await read();
      const image = await stopwatch.time(readingStages[source.case], read);
      if (source.case === 'url' && 'content' in image) memory.hold((image.content as Uint8Array).length);
      return image;
    },
    readHeader: (read) => stopwatch.time('header', read),
    workerJob(bytes, run, stagesOf) {
      const queuedAt = performance.now();
      return async () => {
        const room = memory.reserve(bytes);
        stopwatch.end('queue', queuedAt);
        const startedAt = performance.now();
        try {
          const result = await run();
          stopwatch.addRemote(stagesOf(result), startedAt);
          return result;
        } finally {
          // An equal call may still wait for the job of a call that has ended.
          if (isOver) room[Symbol.dispose]();
          else rooms.push(room);
        }
      };
    },
    [Symbol.dispose]() {
      isOver = true;
      for (const room of rooms) room[Symbol.dispose]();
    },
  };
}
