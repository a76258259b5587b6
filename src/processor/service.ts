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
  type ProcessVariantsRequest,
} from '../../gen/image/v1/processor_pb.ts';
import { startDeadline } from '../deadline.ts';
import { Failure, failureFromAbort, failureKinds } from '../failures.ts';
import { publicFailure, toConnectError } from '../rpc-failures.ts';
import type { Logger } from '../telemetry.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { ProcessorMetrics } from './metrics.ts';
import { callKey } from './observe-calls.ts';
import { processBatch } from './process-batch.ts';
import { type Caller, type ImageProcessing, processImage } from './process-image.ts';
import { processVariants } from './process-variants.ts';
import { callerKey, drainingKey, noCacheKey } from './server.ts';

/** Until when a caller waits, and what its call carries. */
type CallTime = Pick<HandlerContext, 'signal' | 'values'> & Partial<Pick<HandlerContext, 'timeoutMs'>>;

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
  /** Does one call's work within its time, counts it, and logs what goes wrong. */
  async function attend<Answer>(
    caller: CallTime,
    work: (caller: Caller) => Promise<Answer>,
  ): Promise<Answer> {
    const { logFields, onStage } = caller.values.get(callKey);
    using deadline = startDeadline(
      caller.signal,
      Math.min(maxTimeoutMs, caller.timeoutMs?.() ?? maxTimeoutMs),
    );
    const { signal } = deadline;
    try {
      const name = caller.values.get(callerKey);
      const mustRevalidate = caller.values.get(noCacheKey);
      const { remainingMs } = deadline;
      const answer = await work({ name, signal, remainingMs, onStage, mustRevalidate });
      metrics.onRequest(deadline.elapsedMs() / 1000, 'OK');
      return answer;
    } catch (error) {
      // What a library throws when it is aborted is the caller's leaving, not our failing.
      const failure =
        signal.aborted && !(error instanceof Failure) ? failureFromAbort(signal) : publicFailure(error);
      metrics.onRequest(deadline.elapsedMs() / 1000, failure.reason);
      const { reason, message, cause, metadata } = failure;
      // The caller's mistakes are the caller's to know; a cause is ours to know.
      const level = reason === 'INTERNAL' ? 'error' : failureKinds[reason].status >= 500 ? 'warn' : 'info';
      log[level](
        { ...logFields, reason, ...metadata, ...(cause === undefined ? {} : { err: cause }) },
        message,
      );
      throw failure;
    }
  }

  async function processOne(request: ProcessRequest, caller: CallTime): Promise<ProcessResponse> {
    const response = await attend(caller, (waiting) => processImage(request, processing, waiting));
    metrics.onResponse(response, Number(response.source?.bytes ?? 0));
    return response;
  }

  async function processMessage(
    { id, request }: ProcessStreamRequest,
    caller: CallTime,
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
      const response = await processOne(request, caller);
      return create(ProcessStreamResponseSchema, { id, result: { case: 'response', value: response } });
    } catch (error) {
      const { reason, message, metadata, isRetryable: retryable } = publicFailure(error);
      const { code } = failureKinds[reason];
      const value = create(ProcessFailureSchema, {
        code,
        reason,
        message,
        metadata: { ...metadata },
        retryable,
      });
      return create(ProcessStreamResponseSchema, {
        id: id.slice(0, maxIdLength),
        result: { case: 'failure', value },
      });
    }
  }

  return {
    async process(request: ProcessRequest, context: HandlerContext) {
      return await processOne(request, context).catch((error: unknown) => {
        throw toConnectError(error);
      });
    },
    async processVariants(request: ProcessVariantsRequest, context: HandlerContext) {
      const work = (waiting: Caller) => processVariants(request, processing, waiting);
      const answer = await attend(context, work).catch((error: unknown) => {
        throw toConnectError(error);
      });
      for (const [index, response] of answer.variants.entries()) {
        metrics.onResponse(response, index === 0 ? Number(response.source?.bytes ?? 0) : 0);
      }
      return answer;
    },
    async processBatch({ requests }: ProcessBatchRequest, { signal, values }: HandlerContext) {
      const limits = { concurrency: streamConcurrency, maxOutputPixels: processing.limits.maxOutputPixels };
      return await processBatch(
        requests,
        (request, stop) => processOne(request, { signal: stop, values }),
        limits,
        signal,
      ).catch((error: unknown) => {
        throw toConnectError(error);
      });
    },
    async *processStream(
      requests: AsyncIterable<ProcessStreamRequest>,
      { signal, values }: HandlerContext,
    ): AsyncGenerator<ProcessStreamResponse, void> {
      const one = (message: ProcessStreamRequest) => processMessage(message, { signal, values });
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
