import { ConnectError } from '@connectrpc/connect';
import type { ProcessRequest, ProcessResponse } from '../../../gen/image/v1/processor_pb.ts';
import type { Failure } from '../../failures.ts';
import { failureFromConnectError } from '../../grpc/rpc-failures.ts';
import { ClientError } from '../client-error.ts';
import { blackSquare } from '../probe-images.ts';
import type { ServiceConnection } from './sending/connection.ts';
import { secondsIn } from './sending/retry.ts';
import { reachService, watchAbsence } from './sources/absence.ts';

/**
 * Sends one small image with the job's options first, so that bad options end the job once instead of failing every
 * image.
 *
 * @param request - for every image, without its source
 * @param patienceMs - longest wait for a service that is unreachable or full, in milliseconds
 * @returns the service's numerics version; undefined where it does not process the small image for another reason
 * @throws as tryOptions
 */
export async function checkOptions(
  connection: ServiceConnection,
  request: ProcessRequest,
  patienceMs: number,
  onAway: (line: string) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  const tried = await tryOptions(connection, request, blackSquare, patienceMs, onAway, signal);
  return 'reason' in tried ? undefined : tried.provenance?.numericsVersion;
}

/**
 * Sends an image with a job's options.
 *
 * @returns the response, or the failure of this image
 * @throws ClientError of bad usage for options that the service refuses; if it cannot be reached, or refuses the caller
 */
export async function tryOptions(
  connection: ServiceConnection,
  request: ProcessRequest,
  image: Uint8Array,
  patienceMs: number,
  onAway: (line: string) => void,
  signal: AbortSignal,
): Promise<ProcessResponse | Failure> {
  const away = watchAbsence(connection, patienceMs, onAway);
  const source = { case: 'content' as const, value: image };
  const { sourceOptions: _, ...ofPictures } = request;
  for (;;) {
    await reachService(connection, patienceMs, away, signal);
    try {
      return await connection.process({ ...ofPictures, source }, patienceMs, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ClientError) throw error;
      const cause = ConnectError.from(error);
      const failure = failureFromConnectError(cause);
      if (failure !== undefined && /^(OPTION|PRESET|OUTPUT)_/.test(failure.reason)) {
        throw new ClientError('usage', failure.reason, failure.message, { cause });
      }
      if (failure !== undefined && !failure.isRetryable) return failure;
      await away.report(failure?.message ?? cause.rawMessage, signal, failure && secondsIn(failure) * 1000);
    }
  }
}
