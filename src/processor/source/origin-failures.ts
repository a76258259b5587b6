import { Failure } from '../../failures.ts';

/** Failures of origins. The caller sees the host's name, never Node's or undici's message. */

/** The failure of an origin that responded, but not with an image. */
export function statusFailure(host: string, status: number, words: string, cause?: unknown): Failure {
  return new Failure(
    'ORIGIN_STATUS',
    `${host} ${words}. Check that the URL leads to an image.`,
    { host, status },
    { cause },
  );
}

/** Upper bound on a Retry-After that is passed on, in seconds. */
const maxRetryAfterSeconds = 60;

/** Request Timeout, Too Early and Too Many Requests: the client errors that are temporary. */
const busyStatuses: ReadonlySet<number> = new Set([408, 425, 429]);

/** Whether a status says that the same request can succeed later. */
function isBusy(status: number): boolean {
  return busyStatuses.has(status) || (status >= 500 && status <= 599);
}

/**
 * Seconds from 1 to 60 that a Retry-After asks for (RFC 9110, 10.2.3: seconds or an HTTP date); undefined for none
 * or one that cannot be read.
 */
function retryAfterFrom(value: string | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? '';
  // Date.parse accepts more than HTTP dates, whose three forms all begin with the day's name.
  const seconds = /^\d+$/.test(text)
    ? Number(text)
    : /^[A-Z][a-z]/.test(text)
      ? Math.ceil((Date.parse(text) - nowMs) / 1000)
      : Number.NaN;
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 1), maxRetryAfterSeconds);
}

/** The failure of a status without an image: ORIGIN_BUSY where the status is temporary, else ORIGIN_STATUS. */
export function failureFromStatus(host: string, status: number, retryAfter: string | undefined): Failure {
  if (!isBusy(status)) return statusFailure(host, status, `responded with ${status}`);
  const seconds = retryAfterFrom(retryAfter, Date.now());
  return new Failure(
    'ORIGIN_BUSY',
    `${host} responded with ${status}. Try again ${seconds === undefined ? 'later' : `in ${seconds} s`}.`,
    { host, status, ...(seconds === undefined ? {} : { retry_after_seconds: seconds }) },
  );
}

/** An origin that took too long: to `connect`, for its `headers`, between pieces of its `body`, or in all. */
export function timedOut(
  host: string,
  phase: 'whole' | 'connect' | 'headers' | 'body',
  limitMs: number,
  cause?: unknown,
): Failure {
  return new Failure(
    'ORIGIN_TIMEOUT',
    `${host} took longer than ${limitMs} ms (${phase}). Try again, or send the image's bytes instead.`,
    { host, limit_ms: limitMs, phase },
    { cause },
  );
}
