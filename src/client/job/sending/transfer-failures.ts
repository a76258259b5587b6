import { failureKinds } from '../../../failures.ts';
import type { JobFailure } from '../images.ts';

type TransferFailure = Omit<JobFailure, 'source'>;

/** The failure of an image with more bytes than the processor accepts. */
export function sourceTooLong(bytes: number): TransferFailure {
  return {
    reason: 'SOURCE_BYTES_OVER_LIMIT',
    message: `The image has ${bytes} bytes; the processor accepts fewer.`,
    metadata: { actual: String(bytes) },
    code: failureKinds.SOURCE_BYTES_OVER_LIMIT.code,
    retryable: false,
  };
}

/** The failure of an image that was in flight at too many lost connections. */
export function lostTooOften(times: number): TransferFailure {
  return {
    reason: 'PROCESSOR_UNAVAILABLE',
    message: `The processor was lost ${times} times while it had this image.`,
    metadata: { tries: String(times) },
    code: failureKinds.PROCESSOR_UNAVAILABLE.code,
    retryable: true,
  };
}

/** The failure of a try that took too long. */
export function triedTooLong(ms: number): TransferFailure {
  return {
    reason: 'DEADLINE_EXCEEDED',
    message: `The image had no response within ${ms / 1000} s.`,
    metadata: { limit: String(ms) },
    code: failureKinds.DEADLINE_EXCEEDED.code,
    retryable: true,
  };
}

/** The failure of a URL whose host has asked to retry later for too long. */
export function hostGivenUp(url: string): TransferFailure {
  const host = URL.parse(url)?.host ?? '';
  return {
    reason: 'ORIGIN_BUSY',
    message: `${host} has asked to try again later for too long; --host-patience sets a longer time.`,
    metadata: { host },
    code: failureKinds.ORIGIN_BUSY.code,
    retryable: true,
  };
}
