import { Failure, type FailureReason } from '../../failures.ts';
import { StorageFailure, type StorageProblem } from '../../object-storage/storage-failure.ts';

/** The reasons of a source's origin, where object storage fails as any origin may. The others are STORAGE_FAILED. */
const reasons: { readonly [problem in StorageProblem]?: FailureReason } = {
  OBJECT_MISSING: 'ORIGIN_STATUS',
  BUCKET_MISSING: 'ORIGIN_STATUS',
  DENIED: 'ORIGIN_STATUS',
  REFUSED: 'ORIGIN_STATUS',
  THROTTLED: 'ORIGIN_BUSY',
  BROKEN: 'ORIGIN_BUSY',
  TIMEOUT: 'ORIGIN_TIMEOUT',
  DROPPED: 'ORIGIN_UNREACHABLE',
  UNREACHABLE: 'ORIGIN_UNREACHABLE',
};

/** Upper bound on a Retry-After that is passed on, in seconds. */
const maxRetryAfterSeconds = 60;

/** The failure of a source in object storage; errors of this service are returned unchanged. */
export function failureFromStorage(error: unknown): unknown {
  if (!(error instanceof StorageFailure)) return error;
  const reason = reasons[error.problem];
  return reason === undefined ? storageFailed(error) : failureOf(reason, error, 'Check the URL');
}

/** STORAGE_FAILED: a failure of object storage that is not the caller's. */
export function storageFailed(error: StorageFailure): Failure {
  return failureOf('STORAGE_FAILED', error, "Tell the service's operator");
}

function failureOf(reason: FailureReason, error: StorageFailure, advice: string): Failure {
  const { problem, bucket, status, retryAfterSeconds, isRetryable } = error;
  const seconds = retryAfterSeconds && Math.min(retryAfterSeconds, maxRetryAfterSeconds);
  const later = seconds === undefined ? 'later' : `in ${seconds} s`;
  return new Failure(
    reason,
    `${error.message} ${isRetryable ? `Try again ${later}` : advice}.`,
    {
      bucket,
      problem,
      ...(status !== undefined && { status }),
      ...(seconds !== undefined && { retry_after_seconds: seconds }),
    },
    // Lists of images contain many that are gone; the log needs no stack for each.
    { cause: problem === 'OBJECT_MISSING' ? undefined : error, isRetryable },
  );
}
