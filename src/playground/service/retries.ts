import { callProblem, type Problem } from './problem.ts';

/** Attempts of one call, at most. */
const maxAttempts = 6;

/** A call that failed and is repeated later, because the service asks for that. */
export interface Pause {
  readonly problem: Problem;
  /** When it is repeated, in milliseconds of `performance.now()`. */
  readonly untilMs: number;
}

/**
 * Makes a call, and repeats it as long as the service asks for that: after the time of its Retry-After.
 *
 * @param onPause - called before each wait
 * @throws the error of the last attempt
 */
export async function withRetries<Result>(
  attempt: () => Promise<Result>,
  signal: AbortSignal,
  onPause: (pause: Pause) => void,
): Promise<Result> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      const problem = callProblem(error, signal);
      const seconds = problem?.retryAfterS;
      if (problem === undefined || seconds === undefined || attempts === maxAttempts) throw error;
      const untilMs = performance.now() + 1000 * seconds;
      onPause({ problem, untilMs });
      await waitUntil(untilMs, signal);
    }
  }
}

/** @throws the signal's reason */
function waitUntil(untilMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, untilMs - performance.now());
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
