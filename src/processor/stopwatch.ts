import { performance } from 'node:perf_hooks';

/** How long a stage took, in milliseconds of wall time. */
export interface Stage {
  readonly name: string;
  readonly durationMs: number;
}

/** Times the stages of one request; `stages` has them in the order in which they ended. */
export function createStopwatch() {
  const stages: Stage[] = [];
  return {
    stages,
    async time<T>(name: string, work: () => T | Promise<T>): Promise<T> {
      const start = performance.now();
      const result = await work();
      stages.push({ name, durationMs: performance.now() - start });
      return result;
    },
  };
}

export type Stopwatch = ReturnType<typeof createStopwatch>;
