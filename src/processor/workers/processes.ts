import { addAbortListener } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EnvironmentError } from '../../environment.ts';
import { Failure, failureFromAbort } from '../../failures.ts';
import type { SourceFormat } from '../codecs/source-format.ts';
import { startChild, type WorkerChild, WorkerEnded } from './child.ts';
import { restJob } from './message.ts';
import type { Libraries, WorkerReply, WorkerRoles } from './worker-process.ts';

/** Limits for a job in a worker process. */
export interface WorkerLimits {
  /** Longest time for one job, in milliseconds; a worker that takes longer is killed. */
  readonly jobTimeoutMs: number;
  /** Time in milliseconds that a job may continue after its caller has left; then its worker is killed. */
  readonly abortGraceMs: number;
  /** Bytes of memory that a process may hold during a job; one that holds more is killed. */
  readonly maxRssBytes: number;
  /** Bytes of memory that a process may hold between jobs; one that holds more is replaced. */
  readonly maxIdleRssBytes: number;
  /** Milliseconds without a job after which a process gives memory back that it keeps for the next one. */
  readonly restAfterMs: number;
  /** The formats that are enabled, whose decoders a process loads. */
  readonly sourceFormats: readonly SourceFormat[];
}

/**
 * Reasons for replacing a process. `crashed`: it ended by itself, at any time. `memory`: it held too much during a job
 * or after one. `timeout`: its job took too long. `abandoned`: its job continued after the caller had left.
 */
export const workerEnds = ['crashed', 'memory', 'timeout', 'abandoned', 'start_failed'] as const;

export type WorkerEnd = (typeof workerEnds)[number];

/** Events in the worker processes, for log and metrics. */
export interface WorkerEvents {
  /** A process wrote a line to stderr. */
  onLine(line: string): void;
  /** A process was replaced, with the reason. Not called for processes that end with the pool. */
  onReplaced(why: string, end: WorkerEnd): void;
}

/** Warm processes of one role. Each runs one job at a time; one that ends is replaced. */
export interface WorkerProcesses<Job, Result> {
  /**
   * Resolves to the versions of the loaded libraries when the first process is ready.
   *
   * @throws EnvironmentError; an Error with the last lines of the process if it ended during its start
   */
  readonly ready: Promise<Libraries>;
  /**
   * Runs one job in the next free process. If the process dies the job is not retried, since it may be the cause.
   *
   * @throws WORKER_CRASHED, INTERNAL, SOURCE_MEMORY_OVER_LIMIT, DEADLINE_EXCEEDED, or the signal's failure if it
   *   aborts before the job starts or if the job does not end soon after
   */
  run(job: Job, signal?: AbortSignal): Promise<Result>;
  /** Ids of the processes that are ready. */
  pids(): readonly number[];
  /** Number of processes that run a job. */
  busy(): number;
  /** Ends the processes and the jobs in them. */
  close(): Promise<void>;
}

interface Replacement {
  readonly why: string;
  readonly end: WorkerEnd;
}

/** Why the watch over a job killed its process. */
interface Killed {
  readonly end: WorkerEnd;
  readonly failure: Failure;
}

interface Task<Job, Result> {
  readonly job: Job;
  readonly signal: AbortSignal | undefined;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** Milliseconds between two checks of the memory of a process with a job. */
const memoryCheckMs = 100;

/** Milliseconds before the next attempt if a process ended before it was ready; doubled after each failure. */
const firstBackoffMs = 100;
const longestBackoffMs = 30_000;

/** Starts processes of a role. */
export function startProcesses<Name extends keyof WorkerRoles>(
  role: Name,
  count: number,
  limits: WorkerLimits,
  events: WorkerEvents,
): WorkerProcesses<WorkerRoles[Name]['job'], WorkerRoles[Name]['result']> {
  type Job = WorkerRoles[Name]['job'];
  type Result = WorkerRoles[Name]['result'];
  const queue = new Set<Task<Job, Result>>();
  /** Passes a job to each idle process, or undefined to end its wait. */
  const idle = new Map<WorkerChild<Job, Result>, (task: Task<Job, Result> | undefined) => void>();
  const children = new Set<WorkerChild<Job, Result>>();
  const ready = new Set<WorkerChild<Job, Result>>();
  const closing = new AbortController();
  const firstReady = Promise.withResolvers<Libraries>();
  firstReady.promise.catch(() => {});
  const lanes = Array.from({ length: count }, (_, index) => keepOneRunning(index === 0));

  const restTask: Task<Job, Result> = {
    job: restJob as unknown as Job,
    signal: undefined,
    resolve() {},
    reject() {},
  };

  async function keepOneRunning(isFirst: boolean): Promise<void> {
    // While the first one starts, the others would take the cores that it and the services need for that.
    if (!isFirst) await firstReady.promise.catch(() => {});
    for (let failedStarts = 0; !closing.signal.aborted; ) {
      const lines: string[] = [];
      let child: WorkerChild<Job, Result> | undefined;
      try {
        const onLine = (line: string) => {
          if (lines.push(line) > 20) lines.shift();
          events.onLine(line);
        };
        child = startChild<Name>(role, onLine, limits.sourceFormats);
        children.add(child);
        const libraries = await child.ready;
        failedStarts = 0;
        ready.add(child);
        firstReady.resolve(libraries);
        const { why, end } = await serve(child);
        if (!closing.signal.aborted) events.onReplaced(why, end);
      } catch (error) {
        failedStarts++;
        firstReady.reject(
          error instanceof EnvironmentError
            ? error
            : new Error(`No worker process could be started:\n${lines.join('\n')}`, { cause: error }),
        );
        if (!closing.signal.aborted) events.onReplaced('it did not start', 'start_failed');
        const backoffMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (failedStarts - 1));
        await sleep(backoffMs, undefined, { signal: closing.signal }).catch(() => {});
      } finally {
        if (child !== undefined) {
          ready.delete(child);
          child.kill();
          await child.ended;
          children.delete(child);
        }
      }
    }
  }

  /** Passes jobs to a process until it has to be replaced. */
  async function serve(child: WorkerChild<Job, Result>): Promise<Replacement> {
    let hasEnded = false;
    let hasRested = false;
    // One reaction per process. A reaction per job would stay in memory until the process ends.
    void child.ended.then(() => {
      hasEnded = true;
      wake(child, undefined);
    });
    for (;;) {
      const task: Task<Job, Result> | undefined = hasEnded ? undefined : await nextTask(child, hasRested);
      if (task === undefined) return await endOf(child);
      hasRested = task === restTask;
      const { died, rss } = await work(child, task);
      if (died !== undefined) return died;
      if (rss > limits.maxIdleRssBytes) {
        const why = `it held ${rss} bytes after a job; the limit is ${limits.maxIdleRssBytes}`;
        return { why, end: 'memory' };
      }
    }
  }

  function nextTask(
    child: WorkerChild<Job, Result>,
    hasRested: boolean,
  ): Promise<Task<Job, Result> | undefined> {
    if (closing.signal.aborted) return Promise.resolve(undefined);
    const [first] = queue;
    if (first !== undefined) {
      queue.delete(first);
      return Promise.resolve(first);
    }
    return new Promise((resolve) => {
      const timer = hasRested
        ? undefined
        : setTimeout(() => wake(child, restTask), limits.restAfterMs).unref();
      idle.set(child, (task) => {
        clearTimeout(timer);
        resolve(task);
      });
    });
  }

  /** Ends the wait of an idle process. */
  function wake(child: WorkerChild<Job, Result>, task: Task<Job, Result> | undefined): void {
    const take = idle.get(child);
    idle.delete(child);
    take?.(task);
  }

  async function endOf(child: WorkerChild<Job, Result>): Promise<Replacement> {
    child.kill();
    return { why: `it ended: ${await child.ended}`, end: 'crashed' };
  }

  /** @returns the reason in `died` if the process has ended */
  async function work(
    child: WorkerChild<Job, Result>,
    { job, signal, resolve, reject }: Task<Job, Result>,
  ): Promise<{ died?: Replacement; rss: number }> {
    using watch = watchOver(child, limits, signal);
    try {
      const reply = await child.run(job);
      settle(reply, resolve, reject);
      return { rss: reply.rss };
    } catch (error) {
      if (!(error instanceof WorkerEnded)) {
        // The job was not sent: it cannot be cloned.
        reject(new Failure('INTERNAL', bugMessage, {}, { cause: error }));
        return { rss: 0 };
      }
      const how = await child.ended;
      const killed = watch.killed();
      reject(killed?.failure ?? crashOf(how, error));
      return {
        died:
          killed === undefined
            ? { why: `it ended in a job: ${how}`, end: 'crashed' }
            : { why: killed.failure.message, end: killed.end },
        rss: 0,
      };
    }
  }

  return {
    ready: firstReady.promise,
    run(job, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(failureFromAbort(signal));
        if (closing.signal.aborted) return reject(crashOf('it was closed'));
        const [child] = idle.keys();
        if (child !== undefined) return wake(child, { job, signal, resolve, reject });
        const leave = () => {
          if (queue.delete(task)) reject(failureFromAbort(signal as AbortSignal));
        };
        const listening = signal && addAbortListener(signal, leave);
        const stay = () => listening?.[Symbol.dispose]();
        const task: Task<Job, Result> = {
          job,
          signal,
          resolve: (result) => {
            stay();
            resolve(result);
          },
          reject: (error) => {
            stay();
            reject(error);
          },
        };
        queue.add(task);
      });
    },
    busy: () => ready.size - idle.size,
    pids: () => [...ready].flatMap(({ pid }) => pid ?? []),
    async close() {
      closing.abort();
      for (const task of queue) task.reject(crashOf('it was closed'));
      queue.clear();
      for (const child of children) child.kill();
      await Promise.all(lanes);
    },
  };
}

const bugMessage = 'The worker that processed this image failed; the image was not processed.';

function settle<Result>(
  { result, bug }: WorkerReply<Result>,
  resolve: (result: Result) => void,
  reject: (error: unknown) => void,
): void {
  if (result === undefined) reject(new Failure('INTERNAL', bugMessage, {}, { cause: bug }));
  else resolve(result);
}

/** The failure of a job whose process ended. @param how - for a program */
export function crashOf(how: string, cause?: unknown): Failure {
  return new Failure(
    'WORKER_CRASHED',
    'The process that worked on this image ended before it was done. It has been replaced; if the same image does it again, convert it.',
    { ended_by: how },
    { cause },
  );
}

/** Kills a process whose job exceeds its time or memory, and reports the reason. */
function watchOver(
  child: WorkerChild<never, unknown>,
  { jobTimeoutMs, abortGraceMs, maxRssBytes }: WorkerLimits,
  signal: AbortSignal | undefined,
): Disposable & { killed(): Killed | undefined } {
  let killed: Killed | undefined;
  let grace: NodeJS.Timeout | undefined;
  const kill = (end: WorkerEnd, failure: Failure): void => {
    killed ??= { end, failure };
    child.kill();
  };
  const timer = setTimeout(() => {
    kill(
      'timeout',
      new Failure(
        'DEADLINE_EXCEEDED',
        `The image was not done within ${jobTimeoutMs} ms of work. Send a smaller one.`,
        { limit: jobTimeoutMs },
      ),
    );
  }, jobTimeoutMs);
  const onAbort = (): void => {
    grace = setTimeout(() => kill('abandoned', failureFromAbort(signal as AbortSignal)), abortGraceMs);
  };
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  const memoryCheck = setInterval(() => {
    const rss = rssOf(child.pid);
    if (rss > maxRssBytes) kill('memory', overMemory(maxRssBytes, rss));
  }, memoryCheckMs);
  return {
    killed: () => killed,
    [Symbol.dispose]() {
      clearTimeout(timer);
      clearTimeout(grace);
      clearInterval(memoryCheck);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

function overMemory(limit: number, actual: number): Failure {
  return new Failure(
    'SOURCE_MEMORY_OVER_LIMIT',
    `The image took ${actual} bytes of memory on its way; the limit is ${limit}. Scale it down first, or save it as not progressive.`,
    { limit, actual },
  );
}

/** In bytes; 0 if the system does not report it. proc(5), /proc/pid/statm: the second number is resident pages. */
export function rssOf(pid: number | undefined): number {
  try {
    const [, pages] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
    return Number(pages) * pageBytes;
  } catch {
    return 0;
  }
}

/** The page size of Linux on x86-64 and, in most distributions, on arm64. */
const pageBytes = 4096;
