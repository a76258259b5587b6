import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as Status,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import {
  ProcessorService,
  type ProcessRequest,
  type ProcessResponse,
  type ProcessStreamRequest,
  type ProcessStreamResponse,
} from '../../../gen/image/v1/processor_pb.ts';
import { http2Settings, maxSessionMemory, widenSession } from '../../transport.ts';

/** The longest answer that is taken: a tensor of the most pixels that a processor may allow fits in. */
const maxAnswerBytes = 2_047 * 1024 * 1024;

/** Pings find a processor that hangs, or a network that drops packets, within half a minute. */
const pings = { pingIntervalMs: 5_000, pingTimeoutMs: 20_000 };

/** A processor over gRPC, for a client: its connection comes and goes as calls need it. */
export interface ProcessorConnection {
  processStream(
    requests: AsyncIterable<ProcessStreamRequest>,
    signal: AbortSignal,
  ): AsyncIterable<ProcessStreamResponse>;
  process(request: ProcessRequest, timeoutMs: number, signal: AbortSignal): Promise<ProcessResponse>;
  /** Whether it answers within the time, and says that it serves. @throws ConnectError */
  isServing(timeoutMs: number, signal: AbortSignal): Promise<boolean>;
  close(): void;
}

export function connectToProcessor(url: URL): ProcessorConnection {
  const sessions = new WideSessions(url.origin, pings, { settings: http2Settings, maxSessionMemory });
  const transport = createGrpcTransport({
    baseUrl: url.origin,
    sessionManager: sessions,
    // Images are compressed already.
    acceptCompression: [],
    readMaxBytes: maxAnswerBytes,
  });
  const processor = createClient(ProcessorService, transport);
  const health = createClient(Health, transport);
  return {
    processStream: (requests, signal) => processor.processStream(requests, { signal }),
    process: (request, timeoutMs, signal) => processor.process(request, { timeoutMs, signal }),
    async isServing(timeoutMs, signal) {
      // A connection that does not come about within the time is given up, or the next call would wait for it too.
      const giveUp = setTimeout(() => {
        if (sessions.state() === 'connecting') {
          sessions.abort(new ConnectError('no connection in time', Code.Unavailable));
        }
      }, timeoutMs);
      try {
        const { status } = await health.check(create(HealthCheckRequestSchema), { timeoutMs, signal });
        return status === Status.SERVING;
      } finally {
        clearTimeout(giveUp);
      }
    },
    close: () => sessions.abort(),
  };
}

/** Connections with wide windows: Node's own make a message of a megabyte slow. */
class WideSessions extends Http2SessionManager {
  readonly #seen = new WeakSet<ClientHttp2Session>();

  override async request(...call: Parameters<Http2SessionManager['request']>): Promise<ClientHttp2Stream> {
    const stream = await super.request(...call);
    const session = stream.session as ClientHttp2Session | undefined;
    if (session !== undefined && !this.#seen.has(session)) {
      this.#seen.add(session);
      widenSession(session);
      // The last error of a session that the manager has left would end this process.
      session.on('error', () => {});
    }
    return stream;
  }
}
