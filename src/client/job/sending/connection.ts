import type { ConnectError } from '@connectrpc/connect';
import type {
  DescribeResponse,
  ProcessRequest,
  ProcessResponse,
  SkewRequest,
  SkewResponse,
} from '../../../../gen/image/v1/processor_pb.ts';
import type { Absence } from '../sources/absence.ts';
import type { ImageQueue } from './queue-entry.ts';

/** A service that processes images, or compares tensors. It is called when a call needs it. */
export interface ServiceConnection {
  readonly name: 'image-api' | 'image-processor';
  /** Where it is, for messages: `at` a host and port, or `in this program`. */
  readonly place: string;
  /** @throws ConnectError; ClientError if the service refuses the caller, or is another service */
  process(request: ProcessRequest, timeoutMs: number, signal: AbortSignal): Promise<ProcessResponse>;
  /** @throws as process */
  describe(request: ProcessRequest, timeoutMs: number, signal: AbortSignal): Promise<DescribeResponse>;
  /** @throws as process */
  skew(request: SkewRequest, timeoutMs: number, signal: AbortSignal): Promise<SkewResponse>;
  /** Whether the service reports that it serves. @throws ConnectError, also after the time */
  isServing(timeoutMs: number, signal: AbortSignal): Promise<boolean>;
  /**
   * Sends images of a queue until it is done, or none can be sent now.
   *
   * @param patienceMs - how long the service may be silent with images in flight, in milliseconds
   * @returns the error for which images in flight have no response
   * @throws ClientError; the reason of `stop`
   */
  sendImages(
    queue: ImageQueue<ProcessRequest, ProcessResponse>,
    patienceMs: number,
    away: Absence,
    stop: AbortSignal,
  ): Promise<ConnectError | undefined>;
  /** Ends what is left of it. Nothing is called after it. */
  close(): Promise<void>;
}
