import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  type ProcessRequest,
  type ProcessResponse,
  type ProcessStreamRequest,
  ProcessStreamRequestSchema,
  type ProcessStreamResponse,
} from '../../../../gen/image/v1/processor_pb.ts';
import { ClientError } from '../../client-error.ts';
import type { Absence } from '../sources/absence.ts';
import type { ImageQueue } from './queue-entry.ts';

/** Opens a stream of messages in both directions. */
export type OpenStream = (
  requests: AsyncIterable<ProcessStreamRequest>,
  signal: AbortSignal,
) => AsyncIterable<ProcessStreamResponse>;

/**
 * Sends and receives over one stream.
 *
 * @returns the error that ended it before every image had a response
 * @throws ClientError of the queue; the reason of `stop`
 */
export async function runStream(
  queue: ImageQueue<ProcessRequest, ProcessResponse>,
  open: OpenStream,
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
    for await (const response of open(requests, over.signal)) {
      away.end();
      queue.onResponse(response);
      while (!queue.hasRoomForResponses()) await queue.changed();
      silence.refresh();
    }
    return queue.isDone() ? undefined : new ConnectError('the stream has ended', Code.Unavailable);
  } catch (error) {
    stop.throwIfAborted();
    if (error instanceof ClientError) throw error;
    return ConnectError.from(over.signal.aborted ? over.signal.reason : error);
  } finally {
    clearTimeout(silence);
    stop.removeEventListener('abort', onStop);
    over.abort();
  }
}

/** The messages of one stream; it stays open while there may be more to send. */
async function* messagesOf(
  queue: ImageQueue<ProcessRequest, ProcessResponse>,
  over: AbortSignal,
  onFirst: () => void,
): AsyncGenerator<ProcessStreamRequest> {
  while (!over.aborted && !queue.isDone()) {
    const sent = queue.take();
    if (sent === undefined) {
      await queue.changed();
      continue;
    }
    if (queue.inFlight() === 1) onFirst();
    yield create(ProcessStreamRequestSchema, { id: sent.id, request: sent.request });
  }
}
