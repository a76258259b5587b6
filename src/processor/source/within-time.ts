import { failureFromAbort } from '../../failures.ts';
import { timedOut } from './origin-failures.ts';

/**
 * Runs the download of an image within its time.
 *
 * @param host - names the origin in the failure
 * @throws Failure ORIGIN_TIMEOUT, or the one that `failureFromAbort` derives from the signal
 */
export async function withinTime<T>(
  host: string,
  timeoutMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const whole = new AbortController();
  const timer = setTimeout(() => whole.abort(timedOut(host, 'whole', timeoutMs)), timeoutMs);
  const either = AbortSignal.any([signal, whole.signal]);
  try {
    return await work(either);
  } catch (error) {
    throw either.aborted ? failureFromAbort(either) : error;
  } finally {
    clearTimeout(timer);
  }
}
