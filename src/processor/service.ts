import { ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import type {
  GetPresetRequest,
  ListPresetsRequest,
  ProcessBatchRequest,
  ProcessorService,
  ProcessRequest,
  ProcessResponse,
  ProcessStreamRequest,
  ProcessStreamResponse,
  ProcessVariantsRequest,
  SkewRequest,
} from '../../gen/image/v1/processor_pb.ts';
import { startDeadline } from '../deadline.ts';
import { Failure, failureFromAbort, failureKinds } from '../failures.ts';
import { publicFailure, toConnectError } from '../grpc/rpc-failures.ts';
import { processImages } from '../image-stream.ts';
import type { Logger } from '../telemetry/telemetry.ts';
import type { Caller } from './call.ts';
import { describeImage, describeVariants } from './describe.ts';
import { getPreset, listPresets } from './discover-presets.ts';
import { findSkew } from './find-skew.ts';
import type { ProcessorMetrics } from './metrics.ts';
import { type BatchProcessing, processBatch } from './process-batch.ts';
import { type ImageProcessing, processImage } from './process-image.ts';
import { processVariants } from './process-variants.ts';
import { planOf } from './rules/rules.ts';
import { callMemoryKey } from './serving/call-memory.ts';
import { placeKey } from './serving/call-watch.ts';
import { callKey } from './serving/observe-calls.ts';
import { callerKey, drainingKey, noCacheKey } from './serving/server.ts';

/** A call's deadline, signal and context values. */
type CallTime = Pick<HandlerContext, 'signal' | 'values' | 'timeoutMs'>;

/**
 * image.v1.ProcessorService.
 *
 * @param limits.streamConcurrency - images of one stream in progress at once. At this limit the next message is not
 *   read, which slows the sender down through HTTP/2's windows
 * @param limits.maxTimeoutMs - longest time for one image, even if the caller's deadline is later
 * @param limits.originUserAgent - what origins see
 */
export function createProcessorService(
  processing: ImageProcessing,
  {
    streamConcurrency,
    maxTimeoutMs,
    originUserAgent,
  }: { streamConcurrency: number; maxTimeoutMs: number; originUserAgent: string },
  metrics: ProcessorMetrics,
  log: Logger,
) {
  /** Runs one call within its time, counts it, and logs its failure. */
  async function attend<Response>(
    caller: CallTime,
    work: (caller: Caller) => Promise<Response>,
  ): Promise<Response> {
    const { logFields, onStage } = caller.values.get(callKey);
    using deadline = startDeadline(caller.signal, Math.min(maxTimeoutMs, caller.timeoutMs() ?? maxTimeoutMs));
    const { signal } = deadline;
    try {
      const name = caller.values.get(callerKey);
      const memory = caller.values.get(callMemoryKey);
      const mustRevalidate = caller.values.get(noCacheKey);
      const { remainingMs } = deadline;
      const response = await work({ name, memory, signal, remainingMs, onStage, mustRevalidate });
      metrics.onRequest(deadline.elapsedMs() / 1000, 'OK');
      return response;
    } catch (error) {
      // If the call was aborted, a library's error is a consequence of that and not our bug.
      const failure =
        signal.aborted && !(error instanceof Failure) ? failureFromAbort(signal) : publicFailure(error);
      metrics.onRequest(deadline.elapsedMs() / 1000, failure.reason);
      const { reason, message, cause, metadata } = failure;
      // A caller's mistakes are only of interest to the caller. Failures with a server's status are logged higher.
      const level = reason === 'INTERNAL' ? 'error' : failureKinds[reason].status >= 500 ? 'warn' : 'info';
      log[level](
        { ...logFields, reason, ...metadata, ...(cause === undefined ? {} : { err: cause }) },
        message,
      );
      throw failure;
    }
  }

  // An address of mail or of a page; the slash of "images/1.0" is neither.
  let isContactMissing = !/\S@\S|https?:\/\/\S/i.test(originUserAgent);

  /** Warns once if a corpus job downloads under a name that tells origins nobody to write to. */
  function checkContact({ honourOptOuts }: ProcessRequest): void {
    if (!honourOptOuts || !isContactMissing) return;
    isContactMissing = false;
    log.warn(
      { ORIGIN_USER_AGENT: originUserAgent },
      'a corpus is being collected, and ORIGIN_USER_AGENT names no contact; many origins block such clients',
    );
  }

  async function processOne(request: ProcessRequest, caller: CallTime): Promise<ProcessResponse> {
    checkContact(request);
    const response = await attend(caller, (waiting) => processImage(request, processing, waiting));
    metrics.onResponse(response, Number(response.source?.bytes ?? 0));
    return response;
  }

  return {
    async process(request: ProcessRequest, context: HandlerContext) {
      return await processOne(request, context).catch((error: unknown) => {
        throw toConnectError(error);
      });
    },
    async processVariants(request: ProcessVariantsRequest, context: HandlerContext) {
      const work = (waiting: Caller) => processVariants(request, processing, waiting);
      const responses = await attend(context, work).catch((error: unknown) => {
        throw toConnectError(error);
      });
      for (const [index, response] of responses.variants.entries()) {
        metrics.onResponse(response, index === 0 ? Number(response.source?.bytes ?? 0) : 0);
      }
      return responses;
    },
    async describe(request: ProcessRequest, context: HandlerContext) {
      const work = (waiting: Caller) => describeImage(request, processing, waiting);
      return await attend(context, work).catch((error: unknown) => {
        throw toConnectError(error);
      });
    },
    async describeVariants(request: ProcessVariantsRequest, context: HandlerContext) {
      const work = (waiting: Caller) => describeVariants(request, processing, waiting);
      return await attend(context, work).catch((error: unknown) => {
        throw toConnectError(error);
      });
    },
    async listPresets(request: ListPresetsRequest, context: HandlerContext) {
      const work = async () => listPresets(request, processing.presets);
      return await attend(context, work).catch((error: unknown) => {
        throw toConnectError(error);
      });
    },
    async getPreset(request: GetPresetRequest, context: HandlerContext) {
      const work = async () => getPreset(request, processing.presets);
      return await attend(context, work).catch((error: unknown) => {
        throw toConnectError(error);
      });
    },
    async skew(request: SkewRequest, context: HandlerContext) {
      const work = (waiting: Caller) => findSkew(request, processing, waiting);
      const response = await attend(context, work).catch((error: unknown) => {
        throw toConnectError(error);
      });
      const { case: kind, value } = request.given;
      const givenBytes = kind === 'tensor' ? value.content.length : (value?.length ?? 0);
      metrics.onComparison(response, Number(response.source?.bytes ?? 0) + givenBytes);
      return response;
    },
    async processBatch({ requests }: ProcessBatchRequest, context: HandlerContext) {
      const { signal, values } = context;
      const { limits, presets } = processing;
      const timeoutMs = () => context.timeoutMs();
      const batch: BatchProcessing = {
        processOne: (request, stop) => processOne(request, { signal: stop, values, timeoutMs }),
        planOf: (request) => planOf(request, limits.maxOutputPixels, presets),
        memory: values.get(callMemoryKey),
        concurrency: streamConcurrency,
      };
      return await processBatch(requests, batch, signal).catch((error: unknown) => {
        throw toConnectError(error);
      });
    },
    async *processStream(
      requests: AsyncIterable<ProcessStreamRequest>,
      context: HandlerContext,
    ): AsyncGenerator<ProcessStreamResponse, void> {
      const { values } = context;
      const memory = values.get(callMemoryKey);
      const processHeld = async (request: ProcessRequest) => {
        const bytes = request.source.case === 'content' ? request.source.value.length : 0;
        memory.take(bytes);
        try {
          return await processOne(request, context);
        } finally {
          memory.hold(-bytes);
        }
      };
      const responses = processImages(requests, processHeld, {
        concurrency: streamConcurrency,
        place: values.get(placeKey),
        draining: values.get(drainingKey),
      });
      try {
        for await (const response of responses) {
          yield response;
          const { result } = response;
          if (result.case === 'response') memory.hold(-result.value.content.length);
        }
      } catch (error) {
        throw error instanceof ConnectError ? error : toConnectError(error);
      }
    },
  } satisfies ServiceImpl<typeof ProcessorService>;
}
