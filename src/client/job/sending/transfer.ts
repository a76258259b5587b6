import { Code, ConnectError } from '@connectrpc/connect';
import type { ProcessRequest, ProcessStreamRequest } from '../../../../gen/image/v1/processor_pb.ts';
import { failureFromConnectError } from '../../../grpc/rpc-failures.ts';
import type { JobImage } from '../images.ts';
import { type Absence, reachProcessor, watchAbsence } from '../sources/absence.ts';
import type { ProcessorConnection } from './connection.ts';
import { createImageQueue } from './image-queue.ts';
import type { ImageQueue, Outcomes, QueueLimits } from './queue-entry.ts';

/** How much is under way, and how long is waited. */
export interface TransferLimits extends QueueLimits {
  /** Milliseconds that the processor may be away, or be silent with images in hand. */
  readonly patienceMs: number;
}

/** What becomes of the images, and of the way there. */
export interface TransferEvents extends Outcomes {
  /** The processor cannot be reached, or a stream has ended before its time; it is tried again. */
  onAway(why: string): void;
}

/**
 * Sends images over ProcessStream and reports the outcome of each. When the stream ends before all have a response
 * (the processor drains, the connection is lost) another is opened, and images without a response are sent again.
 *
 * @param request - for every image, without its source
 * @throws ClientError PROCESSOR_UNAVAILABLE when the processor is away for too long; what an outcome throws; the
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
      // A stream without an image in work would be ended, so none is open while all images rest.
      if (!queue.hasNext()) {
        await queue.changed();
        continue;
      }
      await reachProcessor(connection, limits.patienceMs, away, stop);
      const error = await runStream(queue, connection, limits.patienceMs, away, stop);
      const reason = error && failureFromConnectError(error)?.reason;
      // What was refused at the very end is still being written.
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
 * @returns what ended it before every image had a response
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
    if (queue.inFlight() > 0) over.abort(new ConnectError('no answer in time', Code.Unavailable));
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
