import type { ProcessFailure } from '../../../../gen/image/v1/processor_pb.ts';
import { ClientError } from '../../client-error.ts';
import { Pace } from './pace.ts';

/** Images that are sent before the first response shows what the service can take. */
const firstAtOnce = 8;

/**
 * The load of the service that a job sends to. A service that is full gets fewer images at once, and one whose rate limit
 * is reached gets none before the time that it names. Neither counts as one of an image's tries.
 */
export class ServiceLoad {
  readonly pace: Pace;
  readonly #patienceMs: number;
  readonly #nowMs: () => number;
  /** When an image last succeeded. */
  #succeededMs = 0;

  /**
   * @param inFlight - images at once, at most
   * @param patienceMs - the longest time without an image
   */
  constructor(inFlight: number, patienceMs: number, nowMs: () => number = () => performance.now()) {
    this.pace = new Pace(inFlight, firstAtOnce, nowMs);
    this.#patienceMs = patienceMs;
    this.#nowMs = nowMs;
  }

  succeed(): void {
    this.#succeededMs = this.#nowMs();
    this.pace.succeed();
  }

  /** Whether a failure is about the load of the service and not about the image. */
  isCauseOf({ reason }: Pick<ProcessFailure, 'reason'>): boolean {
    return reason === 'RATE_LIMITED' || reason === 'OVERLOADED';
  }

  /**
   * The service has refused an image for its load.
   *
   * @param sinceMs - when it first refused this image
   * @param waitMs - how long the image waits before it is sent again; with a rate limit, all images wait
   * @param askedMs - the part of the wait that the service asks for. Twice that is added to the patience
   * @returns milliseconds until the image is sent again; undefined if the image fails, because others succeeded while it
   *   was refused for longer than the patience
   * @throws ClientError with the service's reason if no image has succeeded for so long
   */
  refuse(
    { reason, message }: Pick<ProcessFailure, 'reason' | 'message'>,
    sinceMs: number,
    waitMs: number,
    askedMs = waitMs,
  ): number | undefined {
    this.pace.slow();
    const nowMs = this.#nowMs();
    const longestMs = this.#patienceMs + 2 * askedMs;
    const isLimited = reason === 'RATE_LIMITED';
    // A rate limit refuses every image in turn, so it never fails one.
    const countedFromMs = isLimited ? Math.max(sinceMs, this.#succeededMs) : sinceMs;
    if (nowMs - countedFromMs < longestMs) return isLimited ? this.pace.pause(waitMs) : waitMs;
    if (this.#succeededMs > sinceMs && !isLimited) return undefined;
    throw new ClientError('unavailable', reason, message);
  }
}
