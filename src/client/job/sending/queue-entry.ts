import type { ConnectError } from '@connectrpc/connect';
import type { ProcessFailure } from '../../../../gen/image/v1/processor_pb.ts';
import type { FailureReason } from '../../../failures.ts';
import type { JobFailure, JobPage, JobSource } from '../images.ts';
import type { Absence } from '../sources/absence.ts';
import type { Attempts, RetryLimits } from './retry.ts';

/** How much a job has in flight. */
export interface QueueLimits extends RetryLimits {
  /** Images that are read, sent, or have a response that is not yet written. */
  readonly inFlight: number;
  /** Bytes of sources held at once, and the same of responses; one image by itself may be longer. */
  readonly bytes: number;
  /** How long the service may be unreachable, silent or full, in milliseconds. */
  readonly patienceMs: number;
  /** Longest time of one try at an image, in milliseconds. Default: no limit. */
  readonly tryMs?: number;
}

/** Receives the outcome of each image: one of the two functions is called, once. An error that it throws ends the job. */
export interface Outcomes<Image, Response> {
  onResponse(image: Image, response: Response): Promise<void>;
  onFailure(image: Image, failure: JobFailure): Promise<void>;
  /** The image will be sent again after this failure. */
  onRetry?(image: Image, failure: Pick<JobFailure, 'reason' | 'message'>): void;
}

/** An image of a queue: of a job, or of a pair to compare. */
export interface QueuedImage {
  readonly source: JobSource;
  /** Of a document. */
  readonly page?: JobPage;
}

/** The request that a queue sends for each image, and how it is sent. */
export interface Exchange<Image extends QueuedImage, Request, Response> {
  /** Length of the files that the request contains, in bytes. */
  bytesOf(image: Image): number;
  /** Reads the files. @throws the system's error */
  requestOf(image: Image, stop: AbortSignal): Promise<Request>;
  /** Length of what a response contains, in bytes. */
  lengthOf(response: Response): number;
  /**
   * Sends images of a queue until it is done, or none can be sent now.
   *
   * @returns the error for which images in flight have no response
   * @throws ClientError; the reason of `stop`
   */
  send(
    queue: ImageQueue<Request, Response>,
    away: Absence,
    stop: AbortSignal,
  ): Promise<ConnectError | undefined>;
}

/** A request of a queue. */
export interface Sent<Request> {
  readonly id: string;
  readonly request: Request;
  /** Aborts when this try has taken too long; its response is then ignored. */
  expired?: AbortSignal | undefined;
}

/** The response to the request of this id. */
export interface Received<Response> {
  readonly id: string;
  readonly result:
    | { readonly case: 'response'; readonly value: Response }
    | { readonly case: 'failure'; readonly value: ProcessFailure }
    | { readonly case: undefined };
}

/** One image between reading and its outcome. */
export interface Entry<Image extends QueuedImage, Request> extends Attempts<Image>, Sent<Request> {
  readonly bytes: number;
  /** Connections that were lost while it was in flight. */
  lost: number;
  /** Ends the try that is under way. */
  timer?: NodeJS.Timeout | undefined;
}

/** The images of a job in flight: read when there is room, sent, sent again if necessary, and written. */
export interface ImageQueue<Request, Response> {
  /** How many requests may be in flight at once. */
  readonly mostInFlight: number;
  /** Whether every image has its outcome. */
  isDone(): boolean;
  /** Resolves at the next change of any kind. */
  changed(): Promise<void>;
  /** Whether `take` would return a request. */
  hasNext(): boolean;
  /** The next request to send, if there is one. It counts as in flight from then on. */
  take(): Sent<Request> | undefined;
  /** How many requests are in flight. */
  inFlight(): number;
  /** @throws ClientError if the service has refused every image for its load for too long */
  onResponse(response: Received<Response>): void;
  /** Whether the responses that wait to be written leave room for more. */
  hasRoomForResponses(): boolean;
  /**
   * Handles the end of a stream: images in flight are sent first over the next stream, or fail after enough tries.
   *
   * @param reason - the service's, if it gave one
   * @param ids - of the requests that the stream had in flight. Default: all in flight
   * @returns whether the stream ended because of one image, which has failed now
   */
  takeBack(reason: FailureReason | undefined, ids?: ReadonlySet<string>): boolean;
  /** Resolves when no outcome is being written. */
  settled(): Promise<void>;
}
