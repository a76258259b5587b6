import type { ProcessFailure } from '../../../../gen/image/v1/processor_pb.ts';
import { isFailureReason, retryAfterOf } from '../../../failures.ts';
import type { HostLimits, Hosts } from '../sources/hosts.ts';
import type { QueuedImage } from './queue-entry.ts';
import type { ServiceLoad } from './service-load.ts';

/** The longest backoff before an image is sent again, in seconds. A failure can ask for a longer wait. */
const maxBackoffSeconds = 30;

/** How often, and how long, a job retries. */
export interface RetryLimits extends HostLimits {
  /** How often one image is sent, counting lost connections and transient failures. */
  readonly tries: number;
}

/** The attempts at an image so far. */
export interface Attempts<Image extends QueuedImage = QueuedImage> {
  readonly image: Image;
  /** Transient failures that its host did not cause. */
  refused: number;
  /** When its host, or the service for its load, first asked to retry later. */
  busySinceMs: number | undefined;
}

/**
 * Decides when an image is sent again after a transient failure.
 *
 * @returns the wait in milliseconds, and whether the image itself is sent again after it or only others of its host;
 *   undefined where the failure is final
 * @throws ClientError if the service has refused every image for too long
 */
export function waitBeforeRetry(
  attempts: Attempts,
  failure: Pick<ProcessFailure, 'reason' | 'message' | 'metadata'>,
  hosts: Hosts,
  service: ServiceLoad,
  limits: RetryLimits,
): { readonly waitMs: number; readonly isSentAgain: boolean } | undefined {
  const { reason, metadata } = failure;
  const seconds = secondsIn(failure);
  const nowMs = performance.now();
  if (isHostBusy(reason, metadata)) {
    // A full host refuses every image, so this does not count as one of the image's tries.
    attempts.busySinceMs ??= nowMs;
    const waitMs = hosts.pause(attempts.image.source, seconds);
    if (waitMs === undefined) return undefined;
    return { waitMs, isSentAgain: nowMs - attempts.busySinceMs < limits.hostPatienceMs };
  }
  attempts.refused++;
  // At least as long as the failure asks for, with exponential backoff.
  const backoffSeconds = Math.min(maxBackoffSeconds, 2 ** (attempts.refused - 1));
  const jitter = 1 + Math.random() / 4;
  if (service.isCauseOf(failure)) {
    attempts.busySinceMs ??= nowMs;
    // A rate limit names its own time, which is exact.
    const waitSeconds = reason === 'RATE_LIMITED' ? seconds : Math.max(seconds, backoffSeconds) * jitter;
    const waitMs = service.refuse(failure, attempts.busySinceMs, waitSeconds * 1000, seconds * 1000);
    return waitMs === undefined ? undefined : { waitMs, isSentAgain: true };
  }
  if (attempts.refused >= limits.tries) return undefined;
  return { waitMs: Math.max(seconds, backoffSeconds) * 1000 * jitter, isSentAgain: true };
}

/** The seconds that a failure asks to wait. */
export function secondsIn({ reason, metadata }: Pick<ProcessFailure, 'reason' | 'metadata'>): number {
  return (isFailureReason(reason) && retryAfterOf({ reason, metadata })) || 1;
}

function isHostBusy(
  reason: string,
  { status, retry_after_seconds: retryAfter }: ProcessFailure['metadata'],
): boolean {
  return reason === 'ORIGIN_BUSY' && (retryAfter !== undefined || status === '429');
}
