import { Code, ConnectError } from '@connectrpc/connect';
import { Failure } from '../../../failures.ts';
import { failureFromConnectError, toConnectError } from '../../../grpc/rpc-failures.ts';
import { ClientError } from '../../client-error.ts';
import { keyAdvice } from '../../send.ts';

/**
 * The error to throw for a response without an image.
 *
 * @param error - of the response
 * @param hasKey - whether an API key was sent
 * @returns a ClientError where no image would get another response: the key is refused, or this is not image-api; else a
 *   ConnectError, also for what a proxy in front of image-api responds
 */
export function apiFailure(
  error: ConnectError,
  { status, url, headers }: Pick<Response, 'status' | 'url' | 'headers'>,
  hasKey: boolean,
): ConnectError | ClientError {
  const failure = failureFromConnectError(error);
  if (failure?.reason === 'UNAUTHENTICATED') {
    return new ClientError('refused', 'UNAUTHENTICATED', `${failure.message} ${keyAdvice(hasKey)}`);
  }
  if (failure !== undefined) return error;
  const { origin } = new URL(url);
  if (status === 401 || status === 403) {
    return new ClientError(
      'refused',
      `HTTP_${status}`,
      `A proxy in front of image-api at ${origin} refuses the caller. ${keyAdvice(hasKey)}`,
    );
  }
  if (status === 413) {
    const message = `A proxy in front of image-api at ${origin} accepts no image of this length; its operators can raise the limit.`;
    return toConnectError(new Failure('SOURCE_BYTES_OVER_LIMIT', message));
  }
  const retryAfter = headers.get('retry-after');
  if (status === 429 || (status === 503 && retryAfter !== null)) {
    const seconds = secondsOf(retryAfter);
    const message = `${origin} responds with ${status} and asks to wait ${seconds} s.`;
    return toConnectError(new Failure('RATE_LIMITED', message, { retry_after_seconds: seconds }));
  }
  if (error.code === Code.Unavailable || status === 408 || status === 500) {
    return new ConnectError(
      `${origin} responds with ${status}`,
      Code.Unavailable,
      undefined,
      undefined,
      error,
    );
  }
  return new ClientError(
    'unexpected',
    status === 200 ? 'ANSWER_UNKNOWN' : `HTTP_${status}`,
    `${origin} responded with ${status} and ${headers.get('content-type') ?? 'no type'}, unlike image-api; --api sets the address of image-api.`,
  );
}

/** Retry-After (RFC 9110, 10.2.3): seconds, or a date. At least 1. */
function secondsOf(retryAfter: string | null): number {
  const seconds = /^\d{1,6}$/.test(retryAfter ?? '')
    ? Number(retryAfter)
    : Math.ceil((Date.parse(retryAfter ?? '') - Date.now()) / 1000);
  return Number.isFinite(seconds) ? Math.max(1, seconds) : 1;
}
