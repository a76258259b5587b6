import type { FailureReason } from '../../../failures.ts';
import type { JobFailure } from '../images.ts';
import type { Entry, QueuedImage } from './queue-entry.ts';
import { lostTooOften, sourceTooLong } from './transfer-failures.ts';

/** The images of a stream that has ended. */
export interface TakenBack<Image extends QueuedImage, Request> {
  readonly again: readonly Entry<Image, Request>[];
  readonly failed: readonly {
    readonly entry: Entry<Image, Request>;
    readonly failure: Omit<JobFailure, 'source'>;
  }[];
  /** The length, in bytes, from which images are known to be too long. */
  readonly tooLong: number;
  /** Whether the length of one image ended the stream. */
  readonly wasTooLong: boolean;
}

/**
 * Decides which images are sent again after a stream has ended.
 *
 * @param sent - were in flight
 * @param ready - were about to be sent
 * @param reason - the service's, if it gave one
 * @param knownTooLong - the length, in bytes, from which images were known to be too long so far
 * @param tries - how often an image may be lost
 */
export function takeBack<Image extends QueuedImage, Request>(
  sent: readonly Entry<Image, Request>[],
  ready: readonly Entry<Image, Request>[],
  reason: FailureReason | undefined,
  knownTooLong: number,
  tries: number,
): TakenBack<Image, Request> {
  const longest = Math.max(0, ...sent.map(({ bytes }) => bytes));
  // The processor refuses a message for its length by ending the stream, so the longest image was refused.
  const wasTooLong = reason === 'SOURCE_BYTES_OVER_LIMIT' && longest > 0;
  const tooLong = wasTooLong ? Math.min(knownTooLong, longest) : knownTooLong;
  if (!wasTooLong && !isOfService(reason)) for (const entry of sent) entry.lost++;
  const again: Entry<Image, Request>[] = [];
  const failed: { entry: Entry<Image, Request>; failure: Omit<JobFailure, 'source'> }[] = [];
  for (const entry of [...sent, ...ready]) {
    if (entry.bytes >= tooLong) failed.push({ entry, failure: sourceTooLong(entry.bytes) });
    else if (entry.lost >= tries) failed.push({ entry, failure: lostTooOften(entry.lost) });
    else again.push(entry);
  }
  return { again, failed, tooLong, wasTooLong };
}

/** Whether a stream ended for a reason that none of its images caused. */
function isOfService(reason: FailureReason | undefined): boolean {
  return ['DRAINING', 'OVERLOADED', 'STREAMS_OVER_LIMIT', 'STREAM_IDLE'].includes(reason ?? '');
}
