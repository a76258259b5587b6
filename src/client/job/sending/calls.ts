import { create } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { ProcessFailureSchema } from '../../../../gen/image/v1/processor_pb.ts';
import { failureFromConnectError } from '../../../grpc/rpc-failures.ts';
import { ClientError } from '../../client-error.ts';
import type { Absence } from '../sources/absence.ts';
import type { ImageQueue, Received, Sent } from './queue-entry.ts';

/** Calls the service for one image. @throws ConnectError; ClientError, which ends the job */
export type CallOne<Request, Response> = (
  request: Request,
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<Response>;

/** Reasons of a service that goes away. The image is not their cause. */
const awayReasons: readonly string[] = ['DRAINING', 'PROCESSOR_UNAVAILABLE'];

/**
 * Sends images of a queue in a call each, as many at once as the queue allows. After a lost call no other begins; those in
 * flight are awaited.
 *
 * @returns the error of the first lost call
 * @throws ClientError; the reason of `stop`
 */
export async function runCalls<Request, Response>(
  queue: ImageQueue<Request, Response>,
  call: CallOne<Request, Response>,
  timeoutMs: number,
  away: Absence,
  stop: AbortSignal,
): Promise<ConnectError | undefined> {
  const over = new AbortController();
  const signal = AbortSignal.any([stop, over.signal]);
  const running = new Set<Promise<void>>();
  let lost: ConnectError | undefined;

  async function run({ id, request, expired }: Sent<Request>): Promise<void> {
    try {
      // Also ended at the service: another try would only join it there.
      const either = expired === undefined ? signal : AbortSignal.any([signal, expired]);
      const result = await resultOf(() => call(request, timeoutMs, either));
      if (expired?.aborted) return;
      if (result instanceof ConnectError) {
        lost ??= result;
        return;
      }
      away.end();
      queue.onResponse({ id, result });
    } catch (error) {
      if (!expired?.aborted) over.abort(error);
    }
  }

  try {
    for (;;) {
      signal.throwIfAborted();
      const sent = lost === undefined && queue.hasRoomForResponses() ? queue.take() : undefined;
      if (sent !== undefined) {
        const work = run(sent).then(() => void running.delete(work));
        running.add(work);
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
async function resultOf<Response>(
  call: () => Promise<Response>,
): Promise<Received<Response>['result'] | ConnectError> {
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
