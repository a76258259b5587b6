import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus,
} from '../../gen/grpc/health/v1/health_pb.ts';
import {
  type ProcessBatchRequest,
  type ProcessBatchResponse,
  ProcessorService,
  type ProcessRequest,
  type ProcessResponse,
  type ProcessStreamRequest,
  type ProcessStreamResponse,
} from '../../gen/image/v1/processor_pb.ts';
import type { Deadline } from '../deadline.ts';
import { Failure, failureFromAbort } from '../failures.ts';
import { failureFromConnectError, publicFailure, toConnectError } from '../rpc-failures.ts';
import { http2Settings, maxSessionMemory, messageOverheadBytes, widenSession } from '../transport.ts';

/** A processor that has not taken the connection by then is gone: in one network it takes a millisecond. */
const connectTimeoutMs = 2_000;
/** Pings find a peer that hangs with its connection open; without them each call waits out its deadline. */
const pingIntervalMs = 1_000;
const pingTimeoutMs = 2_000;

/** The processor, as the rest of the API sees it. Every method throws a Failure and nothing else. */
export type ProcessorClient = ReturnType<typeof createProcessorClient>;

export function createProcessorClient(url: string, maxAnswerBytes: number) {
  const sessions = new ProcessorSessions(
    url,
    { pingIntervalMs, pingTimeoutMs },
    { settings: http2Settings, maxSessionMemory },
  );
  const transport = createGrpcTransport({
    baseUrl: url,
    sessionManager: sessions,
    acceptCompression: [],
    readMaxBytes: maxAnswerBytes + messageOverheadBytes,
  });
  const processor = createClient(ProcessorService, transport);
  const health = createClient(Health, transport);

  return {
    /** Processes one image. */
    async process(request: ProcessRequest, deadline: Deadline): Promise<ProcessResponse> {
      using call = startCall(deadline);
      try {
        return await processor.process(request, call);
      } catch (error) {
        throw failureOfCall(error, deadline.signal, request);
      }
    },

    /** Makes one tensor of several images. */
    async processBatch(request: ProcessBatchRequest, deadline: Deadline): Promise<ProcessBatchResponse> {
      using call = startCall(deadline);
      try {
        return await processor.processBatch(request, call);
      } catch (error) {
        throw failureOfCall(error, deadline.signal);
      }
    },

    /** Processes many images over one call. */
    async *processStream(
      requests: AsyncIterable<ProcessStreamRequest>,
      deadline: Deadline,
    ): AsyncGenerator<ProcessStreamResponse> {
      using call = startCall(deadline);
      try {
        yield* processor.processStream(requests, call);
      } catch (error) {
        throw failureOfCall(error, deadline.signal);
      }
    },

    /** Comes back if the processor answers and says that it serves. */
    async checkHealth(deadline: Deadline): Promise<void> {
      using call = startCall(deadline);
      try {
        const { status } = await health.check(create(HealthCheckRequestSchema), call);
        if (status === HealthCheckResponse_ServingStatus.SERVING) return;
      } catch (error) {
        throw failureOfCall(error, deadline.signal);
      }
      throw new Failure(
        'PROCESSOR_UNAVAILABLE',
        'The processor says that it does not serve; try again later.',
      );
    },

    close(): void {
      sessions.abort();
    },
  };
}

/** Connections to the processor: with wide windows, and given up when they don't come about. */
class ProcessorSessions extends Http2SessionManager {
  readonly #seen = new WeakSet<ClientHttp2Session>();

  override async request(...call: Parameters<Http2SessionManager['request']>): Promise<ClientHttp2Stream> {
    const giveUp = setTimeout(() => {
      if (this.state() === 'connecting') {
        this.abort(new ConnectError('no connection in time', Code.Unavailable));
      }
    }, connectTimeoutMs);
    try {
      const stream = await super.request(...call);
      const session = stream.session as ClientHttp2Session | undefined;
      if (session !== undefined && !this.#seen.has(session)) {
        this.#seen.add(session);
        widenSession(session);
        // The manager takes its own listener off a session that it leaves, while that session's last
        // error, of a ping without an answer say, may still be on its way: it would end this process.
        session.on('error', () => {});
      }
      return stream;
    } finally {
      clearTimeout(giveUp);
    }
  }
}

/** What Connect wants to know of a call's end. It tells an abort from an error by the ConnectError's code. */
function startCall(deadline: Deadline) {
  const controller = new AbortController();
  const onAbort = () => controller.abort(toConnectError(failureFromAbort(deadline.signal)));
  if (deadline.signal.aborted) onAbort();
  else deadline.signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    timeoutMs: deadline.remainingMs(),
    [Symbol.dispose]: () => deadline.signal.removeEventListener('abort', onAbort),
  };
}

function failureOfCall(error: unknown, signal: AbortSignal, request?: ProcessRequest): Failure {
  if (signal.aborted) return failureFromAbort(signal);
  const cause = ConnectError.from(error);
  const told = failureFromConnectError(cause);
  // Its cause is in the processor's log. If it says CANCELLED it was not our caller who did that, but the
  // processor on its way out.
  if (told !== undefined && told.reason !== 'CANCELLED') {
    return new Failure(told.reason, told.message, told.metadata);
  }
  if (isLostConnection(cause)) {
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
      'The processor did not answer before the deadline of the request; try again, with a smaller image perhaps.',
      {},
      { cause },
    );
  }
  if (isOverReadLimit(cause) && request?.source.case === 'content') {
    const bytes = request.source.value.length;
    return new Failure(
      'SOURCE_BYTES_OVER_LIMIT',
      `The image has ${bytes} bytes; the processor takes fewer.`,
      { actual: bytes },
      { cause },
    );
  }
  return publicFailure(cause);
}

/**
 * Whether the call ended with its connection. Nobody cancelled or aborted anything, but connections that
 * die show as that, and streams that the other side resets as Internal with Node's own error inside.
 */
function isLostConnection(error: ConnectError): boolean {
  if ([Code.Unavailable, Code.Aborted, Code.Canceled].includes(error.code)) return true;
  const { cause } = error;
  return cause instanceof Error && 'code' in cause && String(cause.code).startsWith('ERR_HTTP2_');
}

/** Whether the processor's gRPC library refused the message for its length, before any code of ours ran. */
function isOverReadLimit(error: ConnectError): boolean {
  return error.code === Code.ResourceExhausted && error.isWireError;
}
