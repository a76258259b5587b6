import type { ProcessFailure } from '../../../../gen/image/v1/processor_pb.ts';
import { isFailureReason, retryAfterOf } from '../../../failures.ts';
import type { JobImage } from '../images.ts';
import type { HostLimits, Hosts } from '../sources/hosts.ts';

/** The longest backoff before an image is sent again, in seconds. A failure can ask for a longer wait. */
const maxBackoffSeconds = 30;

/** How often, and how long, a job retries. */
export interface RetryLimits extends HostLimits {
  /** How often one image is sent, counting lost connections and transient failures. */
  readonly tries: number;
}

/** The attempts at an image so far. */
export interface Attempts {
  readonly image: JobImage;
  /** Transient failures that its host did not cause. */
  refused: number;
  /** When its host first asked to retry later. */
  busySinceMs: number | undefined;
}

/**
 * Decides when an image is sent again after a transient failure.
 *
 * @returns the wait in milliseconds, and whether the image itself is sent again after it or only others of its host;
 *   undefined where the failure is final
 */
export function waitBeforeRetry(
  attempts: Attempts,
  { reason, metadata }: Pick<ProcessFailure, 'reason' | 'metadata'>,
  hosts: Hosts,
  limits: RetryLimits,
): { readonly waitMs: number; readonly isSentAgain: boolean } | undefined {
  const seconds = (isFailureReason(reason) && retryAfterOf({ reason, metadata })) || 1;
  if (isHostBusy(reason, metadata)) {
    // A full host refuses every image, so this does not count as one of the image's tries.
    const nowMs = performance.now();
    attempts.busySinceMs ??= nowMs;
    const waitMs = hosts.pause(attempts.image.source, seconds);
    if (waitMs === undefined) return undefined;
    return { waitMs, isSentAgain: nowMs - attempts.busySinceMs < limits.hostPatienceMs };
  }
  attempts.refused++;
  if (attempts.refused >= limits.tries) return undefined;
  // At least as long as the failure asks for, with exponential backoff.
  const backoffSeconds = Math.min(maxBackoffSeconds, 2 ** (attempts.refused - 1));
  const waitMs = Math.max(seconds, backoffSeconds) * 1000 * (1 + Math.random() / 4);
  return { waitMs, isSentAgain: true };
}

function isHostBusy(
  reason: string,
  { status, retry_after_seconds: retryAfter }: ProcessFailure['metadata'],
): boolean {
  return reason === 'ORIGIN_BUSY' && (retryAfter !== undefined || status === '429');
}
