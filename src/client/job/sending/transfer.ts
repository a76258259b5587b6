import { Code, ConnectError } from '@connectrpc/connect';
import type { ProcessRequest, ProcessStreamRequest } from '../../../../gen/image/v1/processor_pb.ts';
import { failureFromConnectError } from '../../../grpc/rpc-failures.ts';
import type { JobImage } from '../images.ts';
import { type Absence, reachProcessor, watchAbsence } from '../sources/absence.ts';
import type { ProcessorConnection } from './connection.ts';
import { createImageQueue } from './image-queue.ts';
import type { ImageQueue, Outcomes, QueueLimits } from './queue-entry.ts';

/** How much a job has in flight, and how long it waits. */
export interface TransferLimits extends QueueLimits {
  /** How long the processor may be unreachable, or silent with images in flight, in milliseconds. */
  readonly patienceMs: number;
}

/** Receives the outcomes of the images and the state of the connection. */
export interface TransferEvents extends Outcomes {
  /** The processor is unreachable, or a stream ended early; the job retries. */
  onAway(why: string): void;
}

/**
 * Sends images over ProcessStream and reports the outcome of each. When the stream ends before all have a response
 * (the processor drains, the connection is lost) another is opened, and images without a response are sent again.
 *
 * @param request - for every image, without its source
 * @throws ClientError PROCESSOR_UNAVAILABLE if the processor is unreachable for too long; errors of `events`; the
 *   signal's reason
 */
export async function transferImages(
  images: readonly JobImage[],
  request: ProcessRequest,
  connection: ProcessorConnection,
  limits: TransferLimits,
  events: TransferEvents,
  signal: AbortSignal,
): Promise<void> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const queue = createImageQueue(images, request, limits, events, stop, (error) => ended.abort(error));
  const away = watchAbsence(limits.patienceMs, events.onAway);
  try {
    while (!queue.isDone() && !stop.aborted) {
      // The processor ends idle streams, so none is open while all images wait.
      if (!queue.hasNext()) {
        await queue.changed();
        continue;
      }
      await reachProcessor(connection, limits.patienceMs, away, stop);
      const error = await runStream(queue, connection, limits.patienceMs, away, stop);
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

/**
 * Sends and receives over one stream.
 *
 * @returns the error that ended it before every image had a response
 * @throws the reason of `stop`
 */
async function runStream(
  queue: ImageQueue,
  connection: ProcessorConnection,
  patienceMs: number,
  away: Absence,
  stop: AbortSignal,
): Promise<ConnectError | undefined> {
  stop.throwIfAborted();
  const over = new AbortController();
  const onStop = () => over.abort(new ConnectError('stopped', Code.Canceled));
  stop.addEventListener('abort', onStop, { once: true });
  const silence = setTimeout(() => {
    if (queue.inFlight() > 0) over.abort(new ConnectError('no response in time', Code.Unavailable));
  }, patienceMs);
  try {
    const requests = messagesOf(queue, over.signal, () => silence.refresh());
    for await (const response of connection.processStream(requests, over.signal)) {
      away.end();
      queue.onResponse(response);
      while (!queue.hasRoomForResponses()) await queue.changed();
      silence.refresh();
    }
    return queue.isDone() ? undefined : new ConnectError('the stream has ended', Code.Unavailable);
  } catch (error) {
    stop.throwIfAborted();
    return ConnectError.from(over.signal.aborted ? over.signal.reason : error);
  } finally {
    clearTimeout(silence);
    stop.removeEventListener('abort', onStop);
    over.abort();
  }
}

/** The messages of one stream; it stays open while there may be more to send. */
async function* messagesOf(
  queue: ImageQueue,
  over: AbortSignal,
  onFirst: () => void,
): AsyncGenerator<ProcessStreamRequest> {
  while (!over.aborted && !queue.isDone()) {
    const message = queue.take();
    if (message === undefined) {
      await queue.changed();
      continue;
    }
    if (queue.inFlight() === 1) onFirst();
    yield message;
  }
}
