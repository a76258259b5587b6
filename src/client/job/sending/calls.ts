import { create } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import {
  ProcessFailureSchema,
  type ProcessRequest,
  type ProcessResponse,
  type ProcessStreamRequest,
  type ProcessStreamResponse,
  ProcessStreamResponseSchema,
} from '../../../../gen/image/v1/processor_pb.ts';
import { failureFromConnectError } from '../../../grpc/rpc-failures.ts';
import { ClientError } from '../../client-error.ts';
import type { Absence } from '../sources/absence.ts';
import type { ImageQueue } from './queue-entry.ts';

/** Processes one image. @throws ConnectError; ClientError, which ends the job */
type ProcessOne = (
  request: ProcessRequest,
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<ProcessResponse>;

/** Reasons of a service that goes away. The image is not their cause. */
const awayReasons: readonly string[] = ['DRAINING', 'PROCESSOR_UNAVAILABLE'];

/**
 * Sends images of a queue in a call each, as many at once as the queue allows. After a lost call no other begins; those in
 * flight are awaited.
 *
 * @returns the error of the first lost call
 * @throws ClientError; the reason of `stop`
 */
export async function runCalls(
  queue: ImageQueue,
  process: ProcessOne,
  timeoutMs: number,
  away: Absence,
  stop: AbortSignal,
): Promise<ConnectError | undefined> {
  const over = new AbortController();
  const signal = AbortSignal.any([stop, over.signal]);
  const running = new Set<Promise<void>>();
  let lost: ConnectError | undefined;

  async function run({ id, request }: ProcessStreamRequest): Promise<void> {
    try {
      if (request === undefined) return;
      const result = await resultOf(() => process(request, timeoutMs, signal));
      if (result instanceof ConnectError) {
        lost ??= result;
        return;
      }
      away.end();
      queue.onResponse(create(ProcessStreamResponseSchema, { id, result }));
    } catch (error) {
      over.abort(error);
    }
  }

  try {
    for (;;) {
      signal.throwIfAborted();
      const message = lost === undefined && queue.hasRoomForResponses() ? queue.take() : undefined;
      if (message !== undefined) {
        const call = run(message).then(() => void running.delete(call));
        running.add(call);
      } else if (running.size > 0) {
        await Promise.race([queue.changed(), ...running]);
      } else if (lost !== undefined || !queue.hasNext()) {
        return lost;
      } else {
        await queue.changed();
      }
    }
  } finally {
    over.abort();
  }
}

/** The result of a call; the error of a call that was lost. @throws other errors */
async function resultOf(
  call: () => Promise<ProcessResponse>,
): Promise<ProcessStreamResponse['result'] | ConnectError> {
  try {
    return { case: 'response', value: await call() };
  } catch (error) {
    if (error instanceof ClientError || !(error instanceof ConnectError)) throw error;
    const failure = failureFromConnectError(error);
    if (failure === undefined || awayReasons.includes(failure.reason)) return error;
    const { reason, message, metadata, isRetryable } = failure;
    const value = create(ProcessFailureSchema, {
      code: error.code,
      reason,
      message,
      metadata,
      retryable: isRetryable,
    });
    return { case: 'failure', value };
  }
}
