import { performance } from 'node:perf_hooks';

/** The start and the duration of a stage, in milliseconds of wall time. */
export interface Stage {
  readonly name: string;
  /** From the stopwatch's origin. */
  readonly startMs: number;
  readonly durationMs: number;
}

/**
 * Is called for each stage as soon as it ends, with times of `performance.now()`.
 *
 * @param error - the error that the stage threw, if any
 */
export type StageListener = (name: string, startMs: number, endMs: number, error?: unknown) => void;

/**
 * Times the stages of one request. `stages` contains those that succeeded, in the order in which they ended.
 *
 * @param originMs - start of the scale for the stages' starts, by `performance.now()`
 */
export function createStopwatch(onStage?: StageListener, originMs = performance.now()) {
  const stages: Stage[] = [];

  function note(name: string, startMs: number, endMs: number): void {
    stages.push({ name, startMs: startMs - originMs, durationMs: endMs - startMs });
    onStage?.(name, startMs, endMs);
  }

  return {
    stages,
    async time<T>(name: string, work: () => T | Promise<T>): Promise<T> {
      const start = performance.now();
      try {
        const result = await work();
        note(name, start, performance.now());
        return result;
      } catch (error) {
        onStage?.(name, start, performance.now(), error);
        throw error;
      }
    },
    /** A stage that began at `startMs` (by `performance.now()`) and ends now. */
    end: (name: string, startMs: number): void => note(name, startMs, performance.now()),
    /**
     * Reports stages that another process has timed, from the time of the request until now. The clocks of the
     * processes differ, so the time spent on the way is divided equally between request and reply.
     */
    addRemote(others: readonly Stage[], requestedMs: number): void {
      const workMs = Math.max(0, ...others.map(({ startMs, durationMs }) => startMs + durationMs));
      const beganMs = requestedMs + Math.max(0, performance.now() - requestedMs - workMs) / 2;
      for (const { name, startMs, durationMs } of others) {
        onStage?.(name, beganMs + startMs, beganMs + startMs + durationMs);
      }
    },
  };
}
