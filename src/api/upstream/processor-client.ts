import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  type DescribeResponse,
  type DescribeVariantsResponse,
  type GetPresetRequest,
  type GetPresetResponse,
  type ListPresetsRequest,
  type ListPresetsResponse,
  type ProcessBatchRequest,
  type ProcessBatchResponse,
  ProcessorService,
  type ProcessRequest,
  type ProcessResponse,
  type ProcessVariantsRequest,
  type ProcessVariantsResponse,
  type SkewRequest,
  type SkewResponse,
} from '../../../gen/image/v1/processor_pb.ts';
import type { Deadline } from '../../deadline.ts';
import { Failure, failureFromAbort } from '../../failures.ts';
import { failureFromConnectError, publicFailure } from '../../grpc/rpc-failures.ts';
import { maxResponseHeader } from '../../grpc/transport.ts';
import type { ListeningServer, UnaryMethod } from '../../grpc/unary-call.ts';
import type { CallOrigin } from '../../telemetry/trace-context.ts';
import type { Tracing } from '../../telemetry/tracing.ts';
import { createBalancer, isLostProcessor } from './balancer.ts';
import { createLocalUpstream } from './local-upstream.ts';
import { defaultResolveMs, type Resolve } from './processor-addresses.ts';
import { createRepeats, withoutSha256 } from './repeats.ts';
import { createTraceCall } from './trace-call.ts';

/** Limits of a call's response. */
export interface ResponseRoom {
  /** Bytes of the contents. A response that may get longer is refused by the processor before it is made. */
  readonly maxBytes: number;
  /** Takes memory for the message of the response, as soon as its length is known. @throws Failure OVERLOADED */
  take(messageBytes: number): void;
}

/** The processors, for the rest of image-api. Every method throws only Failures. */
export type ProcessorClient = ReturnType<typeof createProcessorClient>;

/**
 * @param processors - origins with commas between them, each of whose hosts' addresses is a processor; or the one processor
 *   of this process
 * @param maxAnswerBytes - longest image in a response
 * @param resolveMs - between two lookups of the hosts' addresses
 * @param resolve - finds the addresses of a host; by default as the system does
 * @param options.tracing - makes a span of each call
 * @param options.onRetry - is called for each call that is sent once more
 * @param options.maxCallsPerProcessor - images that are sent to each on average; beyond that all are refused
 */
export function createProcessorClient(
  processors: string | ListeningServer,
  maxAnswerBytes: number,
  resolveMs = defaultResolveMs,
  resolve?: Resolve,
  {
    tracing,
    onRetry,
    maxCallsPerProcessor = Number.POSITIVE_INFINITY,
  }: { tracing?: Tracing | undefined; onRetry?: () => void; maxCallsPerProcessor?: number } = {},
) {
  const upstream =
    typeof processors === 'string'
      ? createBalancer(processors, maxAnswerBytes, resolveMs, resolve, onRetry)
      : createLocalUpstream(processors);
  const repeats = createRepeats();
  const traceCall = createTraceCall(
    tracing,
    typeof processors === 'string' ? processors : `http://localhost:${processors.port}`,
  );
  const { method } = ProcessorService;
  /** Calls in flight that send their images. */
  let imagesInWork = 0;
  const unboundedRoom: ResponseRoom = { maxBytes: maxAnswerBytes, take() {} };

  /**
   * Refuses what the processors would only refuse themselves, after megabytes have been read and sent on.
   *
   * @throws Failure OVERLOADED
   */
  function checkRoom(): void {
    const usable = upstream.addresses().filter(({ state }) => state !== 'avoided').length;
    const limit = maxCallsPerProcessor * Math.max(1, usable);
    if (imagesInWork < limit) return;
    throw new Failure(
      'OVERLOADED',
      `${imagesInWork} images are in work, which is the limit. Try again in a moment.`,
      { limit, actual: imagesInWork + 1 },
    );
  }

  /**
   * One request, one response. Images that the processor downloads do not count as in work: the
   * processor bounds downloads by itself, and callers that send images never wait for an origin.
   */
  async function ask<Input extends DescMessage, Output extends DescMessage>(
    method: UnaryMethod<Input, Output>,
    message: MessageShape<Input>,
    deadline: Deadline,
    origin: CallOrigin | undefined,
    { maxBytes, take: takeRoom }: ResponseRoom = unboundedRoom,
  ): Promise<MessageShape<Output>> {
    const images = sendsImages(message) ? 1 : 0;
    if (images > 0) checkRoom();
    imagesInWork += images;
    const send = (ids: Readonly<Record<string, string>>) => {
      const headers = { ...ids, [maxResponseHeader]: String(maxBytes) };
      return upstream.call({ method, message, headers, deadline, takeRoom });
    };
    try {
      return await (origin === undefined ? send({}) : traceCall(method, origin, send));
    } catch (error) {
      throw failureOfCall(error, deadline.signal, sentBytes(message));
    } finally {
      imagesInWork -= images;
    }
  }

  return {
    checkRoom,

    /** Processes one image. */
    process: (
      request: ProcessRequest,
      deadline: Deadline,
      origin?: CallOrigin,
      room?: ResponseRoom,
    ): Promise<ProcessResponse> =>
      repeats.send(withoutSha256(request), (sent) => ask(method.process, sent, deadline, origin, room)),

    /** Processes one image in several variants. */
    processVariants: (
      request: ProcessVariantsRequest,
      deadline: Deadline,
      origin?: CallOrigin,
      room?: ResponseRoom,
    ): Promise<ProcessVariantsResponse> =>
      repeats.send(withoutSha256(request), (sent) =>
        ask(method.processVariants, sent, deadline, origin, room),
      ),

    /** Describes the response to a request. */
    describe: (
      request: ProcessRequest,
      deadline: Deadline,
      origin?: CallOrigin,
      room?: ResponseRoom,
    ): Promise<DescribeResponse> => ask(method.describe, withoutSha256(request), deadline, origin, room),

    /** Describes the responses to several requests for one image. */
    describeVariants: (
      request: ProcessVariantsRequest,
      deadline: Deadline,
      origin?: CallOrigin,
      room?: ResponseRoom,
    ): Promise<DescribeVariantsResponse> =>
      ask(method.describeVariants, withoutSha256(request), deadline, origin, room),

    /** Makes one tensor of several images. */
    processBatch: (
      request: ProcessBatchRequest,
      deadline: Deadline,
      origin?: CallOrigin,
      room?: ResponseRoom,
    ): Promise<ProcessBatchResponse> =>
      ask(
        method.processBatch,
        { ...request, requests: request.requests.map(withoutSha256) },
        deadline,
        origin,
        room,
      ),

    /** Compares a tensor with the expected one. */
    skew: (
      request: SkewRequest,
      deadline: Deadline,
      origin?: CallOrigin,
      room?: ResponseRoom,
    ): Promise<SkewResponse> =>
      ask(
        method.skew,
        { ...request, ...(request.request && { request: withoutSha256(request.request) }) },
        deadline,
        origin,
        room,
      ),

    /** Lists a page of the presets. */
    listPresets: (
      request: ListPresetsRequest,
      deadline: Deadline,
      origin?: CallOrigin,
      room?: ResponseRoom,
    ): Promise<ListPresetsResponse> => ask(method.listPresets, request, deadline, origin, room),

    /** Describes one preset. */
    getPreset: (
      request: GetPresetRequest,
      deadline: Deadline,
      origin?: CallOrigin,
      room?: ResponseRoom,
    ): Promise<GetPresetResponse> => ask(method.getPreset, request, deadline, origin, room),

    /** Returns if a processor serves. */
    async checkHealth(deadline: Deadline): Promise<void> {
      try {
        await upstream.checkHealth(deadline);
      } catch (error) {
        throw failureOfCall(error, deadline.signal);
      }
    },

    addresses: upstream.addresses,
    close: upstream.close,
  };
}

/** The fields of all methods' requests that contain images. */
type SomeRequest = Partial<Pick<ProcessRequest, 'source'>> &
  Partial<Pick<ProcessBatchRequest, 'requests'>> &
  Partial<Pick<SkewRequest, 'given' | 'request'>>;

/** Whether a request has images, and not only URLs of images. */
function sendsImages(message: unknown): boolean {
  const { source, requests, request } = message as SomeRequest;
  if (request !== undefined) return sendsImages(request);
  if (requests === undefined) return source !== undefined && source.case !== 'url';
  return requests.length === 0 || requests.some((one) => one.source.case !== 'url');
}

/** Bytes of the image in a request; undefined where it contains none, or several. */
function sentBytes(message: unknown): number | undefined {
  const { source, request } = message as SomeRequest;
  const image = request?.source ?? source;
  return image?.case === 'content' ? image.value.length : undefined;
}

function failureOfCall(error: unknown, signal: AbortSignal, bytes?: number): Failure {
  if (signal.aborted) return failureFromAbort(signal);
  const cause = ConnectError.from(error);
  const failure = failureFromConnectError(cause);
  // Its cause is in the processor's log. CANCELLED does not come from our caller then, but from a processor that ends.
  if (failure !== undefined && failure.reason !== 'CANCELLED') {
    const { reason, message, metadata, isRetryable } = failure;
    return new Failure(reason, message, metadata, { isRetryable });
  }
  if (isLostProcessor(cause)) {
    return new Failure(
      'PROCESSOR_UNAVAILABLE',
      'The processor cannot be reached, or was lost during the call; try again in a moment.',
      {},
      { cause },
    );
  }
  if (cause.code === Code.DeadlineExceeded) {
    return new Failure(
      'DEADLINE_EXCEEDED',
      'The processor did not respond before the deadline of the request; try again, perhaps with a smaller image.',
      {},
      { cause },
    );
  }
  if (isOverReadLimit(cause) && bytes !== undefined) {
    return new Failure(
      'SOURCE_BYTES_OVER_LIMIT',
      `The image has ${bytes} bytes; the processor takes fewer.`,
      { actual: bytes },
      { cause },
    );
  }
  return publicFailure(cause);
}

/** Whether the processor's gRPC library refused the message for its length, before any code of ours ran. */
function isOverReadLimit(error: ConnectError): boolean {
  return error.code === Code.ResourceExhausted && error.isWireError;
}
