import { errors } from 'undici';
import { Failure } from '../../failures.ts';
import type { OriginTimeouts } from './guarded-agent.ts';
import { timedOut } from './origin-failures.ts';
import { maxHeadBytes } from './response-heads.ts';

/** Failures of the HTTP client. They are apart from those of origins so that only downloads load undici. */

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
