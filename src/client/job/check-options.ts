import { ConnectError } from '@connectrpc/connect';
import type { ProcessRequest } from '../../../gen/image/v1/processor_pb.ts';
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
 * @throws ClientError of bad usage for options that the service refuses; if it cannot be reached, or refuses the caller
 */
export async function checkOptions(
  connection: ServiceConnection,
  request: ProcessRequest,
  patienceMs: number,
  onAway: (why: string) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  const away = watchAbsence(connection, patienceMs, onAway);
  const source = { case: 'content' as const, value: blackSquare };
  for (;;) {
    await reachService(connection, patienceMs, away, signal);
    try {
      const { provenance } = await connection.process({ ...request, source }, patienceMs, signal);
      return provenance?.numericsVersion;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ClientError) throw error;
      const cause = ConnectError.from(error);
      const failure = failureFromConnectError(cause);
      if (failure !== undefined && /^(OPTION|PRESET|OUTPUT)_/.test(failure.reason)) {
        throw new ClientError('usage', failure.reason, failure.message, { cause });
      }
      if (failure !== undefined && !failure.isRetryable) return undefined;
      await away.report(failure?.message ?? cause.rawMessage, signal, failure && secondsIn(failure) * 1000);
    }
  }
}
