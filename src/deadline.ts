import { addAbortListener } from 'node:events';
import { Failure, failureFromAbort } from './failures.ts';

/** The time that one request may take. */
export interface Deadline extends Disposable {
  /** Aborts when the time is up or the caller leaves; its reason is a Failure. */
  readonly signal: AbortSignal;
  /** Milliseconds since the request began. */
  elapsedMs(): number;
  /** Milliseconds that are left, at least 1. */
  remainingMs(): number;
}

/**
 * Starts the deadline of a request, in either service. Dispose of it once the response is there: a timer that is not
 * stopped keeps the request in memory until it fires.
 */
export function startDeadline(caller: AbortSignal, timeoutMs: number): Deadline {
  const started = performance.now();
  const controller = new AbortController();
  const onTimeout = () =>
    controller.abort(
      new Failure(
        'DEADLINE_EXCEEDED',
        `The request was not done within ${timeoutMs} ms; send it again, perhaps with a smaller image.`,
        { limit: timeoutMs },
      ),
    );
  const onCallerLeft = () => controller.abort(failureFromAbort(caller));
  const timer = setTimeout(onTimeout, timeoutMs);
  // At once, where `addAbortListener` would wait for the next microtask.
  if (caller.aborted) onCallerLeft();
  const listening = addAbortListener(caller, onCallerLeft);
  const elapsedMs = () => performance.now() - started;
  return {
    signal: controller.signal,
    elapsedMs,
    remainingMs: () => Math.max(1, Math.ceil(timeoutMs - elapsedMs())),
    [Symbol.dispose]() {
      clearTimeout(timer);
      listening[Symbol.dispose]();
    },
  };
}
