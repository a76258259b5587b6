import { create } from '@bufbuild/protobuf';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import {
  type ProcessBatchRequest,
  ProcessFailureSchema,
  type ProcessorService,
  type ProcessRequest,
  type ProcessResponse,
  type ProcessStreamRequest,
  type ProcessStreamResponse,
  ProcessStreamResponseSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { startDeadline } from '../deadline.ts';
import { Failure, failureFromAbort, failureKinds } from '../failures.ts';
import { publicFailure, toConnectError } from '../rpc-failures.ts';
import type { Logger } from '../telemetry.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { ProcessorMetrics } from './metrics.ts';
import { processBatch } from './process-batch.ts';
import { type ImageProcessing, processImage } from './process-image.ts';
import { drainingKey } from './server.ts';

/** The longest `id` of a stream's message, in characters: it is held while the image is processed. */
const maxIdLength = 256;

/**
 * image.v1.ProcessorService.
 *
 * @param limits.streamConcurrency - images of one stream in work at once; while that many are, the next message
 *   isn't read, which holds the sender back through HTTP/2's windows
 * @param limits.maxTimeoutMs - longest time for one image, whatever deadline its caller has set
 */
export function createProcessorService(
  processing: ImageProcessing,
  { streamConcurrency, maxTimeoutMs }: { streamConcurrency: number; maxTimeoutMs: number },
  metrics: ProcessorMetrics,
  log: Logger,
) {
  async function processOne(request: ProcessRequest, caller: AbortSignal): Promise<ProcessResponse> {
    using deadline = startDeadline(caller, maxTimeoutMs);
    const { signal } = deadline;
    try {
      const response = await processImage(request, processing, signal);
      metrics.onRequest(deadline.elapsedMs() / 1000, 'OK');
      metrics.onResponse(response, Number(response.source?.bytes ?? 0));
      return response;
    } catch (error) {
      // What a library throws when it is aborted is the caller's leaving, not our failing.
      const failure =
        signal.aborted && !(error instanceof Failure) ? failureFromAbort(signal) : publicFailure(error);
      metrics.onRequest(deadline.elapsedMs() / 1000, failure.reason);
      const { reason, message, cause, metadata } = failure;
      // The caller's mistakes are the caller's to know; a cause is ours to know.
      const level = reason === 'INTERNAL' ? 'error' : failureKinds[reason].status >= 500 ? 'warn' : 'info';
      log[level]({ reason, ...metadata, ...(cause === undefined ? {} : { err: cause }) }, message);
      throw failure;
    }
  }

  async function processMessage(
    { id, request }: ProcessStreamRequest,
    signal: AbortSignal,
  ): Promise<ProcessStreamResponse> {
    try {
      if (id.length > maxIdLength) {
        const limits = { limit: maxIdLength, actual: id.length };
        throw new Failure(
          'OPTION_INVALID',
          `id has ${id.length} characters; the limit is ${maxIdLength}.`,
          limits,
        );
      }
      if (request === undefined) {
        throw new Failure(
          'SOURCE_MISSING',
          'The message has no request. Set request.content or request.url.',
        );
      }
      const response = await processOne(request, signal);
      return create(ProcessStreamResponseSchema, { id, result: { case: 'response', value: response } });
    } catch (error) {
      const { reason, message, metadata } = publicFailure(error);
      const { code } = failureKinds[reason];
      const value = create(ProcessFailureSchema, { code, reason, message, metadata: { ...metadata } });
      return create(ProcessStreamResponseSchema, {
        id: id.slice(0, maxIdLength),
        result: { case: 'failure', value },
      });
    }
  }

  return {
    async process(request: ProcessRequest, { signal }: HandlerContext) {
      return await processOne(request, signal).catch((error: unknown) => {
        throw toConnectError(error);
      });
    },
    async processBatch({ requests }: ProcessBatchRequest, { signal }: HandlerContext) {
      const limits = { concurrency: streamConcurrency, maxOutputPixels: processing.limits.maxOutputPixels };
      return await processBatch(requests, processOne, limits, signal).catch((error: unknown) => {
        throw toConnectError(error);
      });
    },
    async *processStream(
      requests: AsyncIterable<ProcessStreamRequest>,
      { signal, values }: HandlerContext,
    ): AsyncGenerator<ProcessStreamResponse, void> {
      const one = (message: ProcessStreamRequest) => processMessage(message, signal);
      const end = yield* mapConcurrently(requests, streamConcurrency, one, values.get(drainingKey));
      if (end === 'stopped') {
        throw toConnectError(
          new Failure(
            'DRAINING',
            'The processor is shutting down. Send the images that were not answered over another stream.',
          ),
        );
      }
    },
  } satisfies ServiceImpl<typeof ProcessorService>;
}
