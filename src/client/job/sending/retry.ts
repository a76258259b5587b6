import type { ProcessFailure } from '../../../../gen/image/v1/processor_pb.ts';
import { isFailureReason, retryAfterOf } from '../../../failures.ts';
import type { JobImage } from '../images.ts';
import type { HostLimits, Hosts } from '../sources/hosts.ts';

/** The longest wait of the client's own choice before an image is sent again, in seconds. */
const maxBackoffSeconds = 30;

/** How long a job tries. */
export interface RetryLimits extends HostLimits {
  /** How often one image is sent: when a connection is lost under it, or it fails in a way that can pass by itself. */
  readonly tries: number;
}

/** What has happened to an image so far. */
export interface Attempts {
  readonly image: JobImage;
  /** Failures that can pass by themselves, and that its host has not caused. */
  refused: number;
  /** When its host first asked to come again for it. */
  busySinceMs: number | undefined;
}

/**
 * Decides when an image is sent again after a failure that can pass by itself.
 *
 * @returns the wait in milliseconds, and whether the image is sent again after it or only others of its host; undefined
 *   if nothing is to wait for
 */
export function waitBeforeRetry(
  attempts: Attempts,
  { reason, metadata }: Pick<ProcessFailure, 'reason' | 'metadata'>,
  hosts: Hosts,
  limits: RetryLimits,
): { readonly waitMs: number; readonly isSentAgain: boolean } | undefined {
  const seconds = (isFailureReason(reason) && retryAfterOf({ reason, metadata })) || 1;
  if (isHostBusy(reason, metadata)) {
    // The host is full, whichever image is asked for: that is not one of the image's tries.
    const nowMs = performance.now();
    attempts.busySinceMs ??= nowMs;
    const waitMs = hosts.pause(attempts.image.source, seconds);
    if (waitMs === undefined) return undefined;
    return { waitMs, isSentAgain: nowMs - attempts.busySinceMs < limits.hostPatienceMs };
  }
  attempts.refused++;
  if (attempts.refused >= limits.tries) return undefined;
  // At least as long as the failure says, and longer each time where that is short.
  const backoffSeconds = Math.min(maxBackoffSeconds, 2 ** (attempts.refused - 1));
  const waitMs = Math.max(seconds, backoffSeconds) * 1000 * (1 + Math.random() / 4);
  return { waitMs, isSentAgain: true };
}

function isHostBusy(
  reason: string,
  { status, retry_after_seconds: asked }: ProcessFailure['metadata'],
): boolean {
  return reason === 'ORIGIN_BUSY' && (asked !== undefined || status === '429');
}
