import { performance } from 'node:perf_hooks';

/** When a stage began and how long it took, in milliseconds of wall time. */
export interface Stage {
  readonly name: string;
  /** Since the stopwatch's origin. */
  readonly startMs: number;
  readonly durationMs: number;
}

/**
 * Hears of each stage as soon as it is over, by `performance.now()`.
 *
 * @param error - what the stage threw, if it did
 */
export type StageListener = (name: string, startMs: number, endMs: number, error?: unknown) => void;

/**
 * Times the stages of one request; `stages` has those that succeeded in the order in which they ended.
 *
 * @param originMs - what the stages' beginnings are counted from, by `performance.now()`
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
     * Tells the listener of stages that another process has timed for us, from when it was asked until now. Its clock
     * isn't ours, so the time that their way there and back took is halved between the two.
     */
    tell(others: readonly Stage[], askedMs: number): void {
      const workMs = Math.max(0, ...others.map(({ startMs, durationMs }) => startMs + durationMs));
      const beganMs = askedMs + Math.max(0, performance.now() - askedMs - workMs) / 2;
      for (const { name, startMs, durationMs } of others) {
        onStage?.(name, beganMs + startMs, beganMs + startMs + durationMs);
      }
    },
  };
}
