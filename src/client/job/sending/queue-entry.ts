import type {
  ProcessResponse,
  ProcessStreamRequest,
  ProcessStreamResponse,
} from '../../../../gen/image/v1/processor_pb.ts';
import type { FailureReason } from '../../../failures.ts';
import type { JobFailure, JobImage } from '../images.ts';
import type { Attempts, RetryLimits } from './retry.ts';

/** How much a job has in flight. */
export interface QueueLimits extends RetryLimits {
  /** Images that are read, sent, or have a response that is not yet written. */
  readonly inFlight: number;
  /** Bytes of sources held at once, and the same of responses; one image by itself may be longer. */
  readonly bytes: number;
  /** How long the service may be unreachable, silent or full, in milliseconds. */
  readonly patienceMs: number;
}

/** Receives the outcome of each image: one of the two functions is called, once. An error that it throws ends the job. */
export interface Outcomes {
  onResponse(image: JobImage, response: ProcessResponse): Promise<void>;
  onFailure(image: JobImage, failure: JobFailure): Promise<void>;
}

/** One image between reading and its outcome. */
export interface Entry extends Attempts {
  readonly id: string;
  readonly message: ProcessStreamRequest;
  readonly bytes: number;
  /** Connections that were lost while it was in flight. */
  lost: number;
}

/** The images of a job in flight: read when there is room, sent, sent again if necessary, and written. */
export interface ImageQueue {
  /** Whether every image has its outcome. */
  isDone(): boolean;
  /** Resolves at the next change of any kind. */
  changed(): Promise<void>;
  /** Whether `take` would return a message. */
  hasNext(): boolean;
  /** The next message to send, if there is one. It counts as in flight from then on. */
  take(): ProcessStreamRequest | undefined;
  /** How many messages are in flight. */
  inFlight(): number;
  /** @throws ClientError if the service has refused every image for its load for too long */
  onResponse(response: ProcessStreamResponse): void;
  /** Whether the responses that wait to be written leave room for more. */
  hasRoomForResponses(): boolean;
  /**
   * Handles the end of a stream: images in flight are sent first over the next stream, or fail after enough tries.
   *
   * @param reason - the service's, if it gave one
   * @returns whether the stream ended because of one image, which has failed now
   */
  takeBack(reason: FailureReason | undefined): boolean;
  /** Resolves when no outcome is being written. */
  settled(): Promise<void>;
}
