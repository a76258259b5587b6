import { setTimeout as sleep } from 'node:timers/promises';
import { Code, ConnectError } from '@connectrpc/connect';
import type { ProcessRequest, ProcessResponse } from '../../../../gen/image/v1/processor_pb.ts';
import { failureFromConnectError } from '../../../grpc/rpc-failures.ts';
import type { Absence } from '../sources/absence.ts';
import type { ServiceConnection } from './connection.ts';
import type { ImageQueue } from './queue-entry.ts';

type Queue = ImageQueue<ProcessRequest, ProcessResponse>;

/** The longest wait before a processor that was lost is tried again, in milliseconds. */
const maxWaitMs = 5_000;

/** The codes of calls whose processor was lost. */
const ofLostConnections: readonly Code[] = [Code.Unavailable, Code.Aborted, Code.Canceled];

/**
 * Several processors as one service. Each has a stream of its own and an equal share of what may be in flight; a call goes to
 * the one with the fewest calls. While one is away the others get its images, and it is tried again.
 */
export function shareImages(connections: readonly ServiceConnection[]): ServiceConnection {
  const calls = new Map(connections.map((connection) => [connection, 0]));
  const count = (connection: ServiceConnection, difference: number) =>
    calls.set(connection, (calls.get(connection) ?? 0) + difference);

  /** Calls the one with the fewest calls in flight; the next one if it cannot be reached. */
  async function callAny<Result>(call: (connection: ServiceConnection) => Promise<Result>): Promise<Result> {
    const inOrder = connections.toSorted((a, b) => (calls.get(a) ?? 0) - (calls.get(b) ?? 0));
    let lost: unknown;
    for (const connection of inOrder) {
      count(connection, 1);
      try {
        return await call(connection);
      } catch (error) {
        if (!(error instanceof ConnectError) || !ofLostConnections.includes(error.code)) throw error;
        lost ??= error;
      } finally {
        count(connection, -1);
      }
    }
    throw lost;
  }

  return {
    name: 'image-processor',
    place: connections.map(({ place }) => place).join(', '),
    process: (request, timeoutMs, signal) => callAny((each) => each.process(request, timeoutMs, signal)),
    describe: (request, timeoutMs, signal) => callAny((each) => each.describe(request, timeoutMs, signal)),
    skew: (request, timeoutMs, signal) => callAny((each) => each.skew(request, timeoutMs, signal)),
    async isServing(timeoutMs, signal) {
      const states = await Promise.allSettled(connections.map((each) => each.isServing(timeoutMs, signal)));
      if (states.some((state) => state.status === 'fulfilled' && state.value)) return true;
      const failed = states.find((state) => state.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      return false;
    },
    sendImages: (queue, patienceMs, away, stop) => sendShared(connections, queue, patienceMs, away, stop),
    async close() {
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}

/** @returns the error of the last processor, if none can be reached any more */
async function sendShared(
  connections: readonly ServiceConnection[],
  queue: Queue,
  patienceMs: number,
  away: Absence,
  stop: AbortSignal,
): Promise<ConnectError | undefined> {
  const over = new AbortController();
  const signal = AbortSignal.any([stop, over.signal]);
  const streams = { open: 0, opening: 0 };
  let lost: ConnectError | undefined;

  /** Sends over a new stream of one processor. @returns the error that ended it */
  async function sendOver(connection: ServiceConnection): Promise<ConnectError | undefined> {
    streams.opening++;
    const isServing = await connection.isServing(Math.min(maxWaitMs, patienceMs), signal).catch(() => false);
    streams.opening--;
    if (!isServing) return new ConnectError('it does not serve', Code.Unavailable);
    const ids = new Set<string>();
    streams.open++;
    const share = shareOf(queue, ids, () => streams.open + streams.opening);
    const error = await connection.sendImages(share, patienceMs, away, signal).finally(() => streams.open--);
    // Only now: the others have room for these images since the stream has ended.
    if (error !== undefined) queue.takeBack(failureFromConnectError(error)?.reason, ids);
    return error;
  }

  async function keepSending(connection: ServiceConnection): Promise<void> {
    for (let waitMs = 100; !queue.isDone() && !signal.aborted; waitMs = Math.min(maxWaitMs, 2 * waitMs)) {
      const error = await sendOver(connection);
      if (error === undefined || signal.aborted) continue;
      if (streams.open + streams.opening === 0) {
        lost = error;
        over.abort(error);
        return;
      }
      await Promise.race([sleep(waitMs, undefined, { signal }).catch(() => {}), doneOf(queue, signal)]);
    }
    over.abort();
  }

  try {
    await Promise.all(connections.map(keepSending));
  } catch (error) {
    if (!over.signal.aborted || stop.aborted) throw error;
  } finally {
    over.abort();
  }
  stop.throwIfAborted();
  return lost;
}

/** Resolves when a queue is done. */
async function doneOf(queue: Queue, signal: AbortSignal): Promise<void> {
  while (!queue.isDone() && !signal.aborted) await queue.changed();
}

/**
 * The part of a queue that one stream sends.
 *
 * @param ids - of the requests that the stream has in flight
 * @param streams - how many share the queue
 */
function shareOf(queue: Queue, ids: Set<string>, streams: () => number): Queue {
  const hasRoom = () => ids.size < Math.ceil(queue.mostInFlight / streams());
  return {
    ...queue,
    inFlight: () => ids.size,
    hasNext: () => hasRoom() && queue.hasNext(),
    take() {
      const sent = hasRoom() ? queue.take() : undefined;
      if (sent !== undefined) ids.add(sent.id);
      return sent;
    },
    onResponse(response) {
      ids.delete(response.id);
      queue.onResponse(response);
    },
  };
}
