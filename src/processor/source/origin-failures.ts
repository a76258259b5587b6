import { errors } from 'undici';
import { Failure } from '../../failures.ts';
import type { OriginTimeouts } from './guarded-agent.ts';
import { maxHeadBytes } from './response-heads.ts';

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

const invalidHttp = 'HTTP_INVALID';
const longHead = 'HEAD_OVER_LIMIT';

function codeOf(error: unknown): string | undefined {
  // undici's default parser sets no code on these.
  if (error instanceof errors.HeadersOverflowError) return longHead;
  if (error instanceof errors.HTTPParserError) return invalidHttp;
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Describes an error code of Node, OpenSSL or undici. */
function unreachableWords(code: string): string {
  if (code === 'ECONNREFUSED') return 'refused the connection';
  if (code === invalidHttp) return 'did not respond in valid HTTP';
  if (code === longHead) return `responded with more than ${maxHeadBytes} bytes of headers`;
  if (/CERT|UNABLE_TO_VERIFY/.test(code)) return 'has no TLS certificate that can be verified';
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return 'does not speak TLS as this URL needs it';
  if (/^ECONNRESET$|^EPIPE$|^UND_ERR_(SOCKET|RES_CONTENT_LENGTH_MISMATCH)$/.test(code)) {
    return 'closed the connection before its response was complete';
  }
  return 'cannot be reached';
}

/** Whether the origin would have to be changed before the same request can succeed. */
function isPermanent(code: string): boolean {
  return code === invalidHttp || code === longHead || /CERT|UNABLE_TO_VERIFY/.test(code);
}

/** Turns an error of undici into a failure; errors of this service are returned unchanged. */
export function failureFromOrigin(error: unknown, host: string, timeouts: OriginTimeouts): unknown {
  if (error instanceof Failure) return error;
  const code = codeOf(error);
  // Network errors have a code, so this is an error of this service.
  if (code === undefined) return error;
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return timedOut(host, 'connect', timeouts.connectTimeoutMs, error);
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT') {
    return timedOut(host, 'headers', timeouts.headersTimeoutMs, error);
  }
  if (code === 'UND_ERR_BODY_TIMEOUT') return timedOut(host, 'body', timeouts.bodyTimeoutMs, error);
  return new Failure(
    'ORIGIN_UNREACHABLE',
    `${host} ${unreachableWords(code)}. Check the URL${isPermanent(code) ? '' : ', or try again later'}.`,
    { host },
    { cause: error, ...(isPermanent(code) && { isRetryable: false }) },
  );
}
