import type { ProcessResponse } from '../../../gen/image/v1/processor_pb.ts';
import { requestOf } from '../form/request.ts';
import { callVariants } from '../service/call.ts';
import type { CallEvents } from '../service/call-events.ts';
import { withRetries } from '../service/retries.ts';
import { withPassword } from '../source/password.ts';
import type { ImageSource } from '../source/source.ts';
import { checkLength } from '../source/upload-limit.ts';
import type { State } from '../state/state.ts';
import { requestsOfView } from '../view/presentation.ts';

/** The responses of one run. */
export interface Responses {
  /** To the request of the settings. */
  readonly response: ProcessResponse;
  /** To the requests of the view. */
  readonly others: readonly ProcessResponse[];
  /** As measured by this page. */
  readonly roundTripMs: number;
}

/**
 * Requests the output of the settings and those of the view, in one call.
 *
 * @param maxUploadBytes - the longest image that the service takes; longer files are not sent
 * @throws ConnectError, and Failure OPTION_INVALID, SOURCE_BYTES_OVER_LIMIT
 */
export async function requestOutputs(
  source: ImageSource,
  state: State,
  maxUploadBytes: number | undefined,
  { onProgress, onPause }: CallEvents,
  signal: AbortSignal,
): Promise<Responses> {
  const started = performance.now();
  const requests = [requestOf(state.settings), ...requestsOfView(state)];
  if (source.file !== undefined) checkLength(source.file, maxUploadBytes);
  const call = async () =>
    callVariants(
      await source.message(),
      requests.map((request) => withPassword(request, source.password)),
      signal,
      onProgress,
    );
  const [response, ...others] = await withRetries(call, signal, onPause);
  if (response === undefined) throw new Error('A response is missing.');
  return { response, others, roundTripMs: performance.now() - started };
}
