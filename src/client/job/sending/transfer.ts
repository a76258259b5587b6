import type { ProcessRequest } from '../../../../gen/image/v1/processor_pb.ts';
import { failureFromConnectError } from '../../../grpc/rpc-failures.ts';
import type { JobImage } from '../images.ts';
import { reachService, watchAbsence } from '../sources/absence.ts';
import type { ServiceConnection } from './connection.ts';
import { createImageQueue } from './image-queue.ts';
import type { Outcomes, QueueLimits } from './queue-entry.ts';

/** Receives the outcomes of the images and the state of the connection. */
export interface TransferEvents extends Outcomes {
  /** The service is unreachable, or a connection was lost; the job retries. */
  onAway(why: string): void;
}

/**
 * Sends images to a service and reports the outcome of each. Images that lose their connection, or whose processor drains,
 * are sent again.
 *
 * @param request - for every image, without its source
 * @throws ClientError if the service is unreachable or full for too long, or refuses the caller; errors of `events`; the
 *   signal's reason
 */
export async function transferImages(
  images: readonly JobImage[],
  request: ProcessRequest,
  connection: ServiceConnection,
  limits: QueueLimits,
  events: TransferEvents,
  signal: AbortSignal,
): Promise<void> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const queue = createImageQueue(images, request, limits, events, stop, (error) => ended.abort(error));
  const away = watchAbsence(connection, limits.patienceMs, events.onAway);
  try {
    while (!queue.isDone() && !stop.aborted) {
      // The services end idle streams and connections, so none is open while all images wait.
      if (!queue.hasNext()) {
        await queue.changed();
        continue;
      }
      await reachService(connection, limits.patienceMs, away, stop);
      const error = await connection.sendImages(queue, limits.patienceMs, away, stop);
      const reason = error && failureFromConnectError(error)?.reason;
      // Failures of the last images may still be being written.
      if (error === undefined || queue.takeBack(reason)) await queue.settled();
      else if (!queue.isDone() && (reason !== 'STREAM_IDLE' || queue.hasNext())) {
        await away.report(error.rawMessage, stop);
      }
    }
    stop.throwIfAborted();
  } catch (error) {
    ended.abort(error);
    await queue.settled();
    throw stop.reason;
  }
}
