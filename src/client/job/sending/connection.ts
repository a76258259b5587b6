import { create } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as Status,
} from '../../../../gen/grpc/health/v1/health_pb.ts';
import {
  ProcessorService,
  type ProcessRequest,
  type ProcessResponse,
  type ProcessStreamRequest,
  type ProcessStreamResponse,
} from '../../../../gen/image/v1/processor_pb.ts';
import { createHttp2Connection } from '../../../grpc/http2-connection.ts';

/** The longest answer that is taken: a tensor of the most pixels that a processor may allow fits in. */
const maxAnswerBytes = 2_047 * 1024 * 1024;

/** A processor that hangs, or a network that drops packets, is found within half a minute. */
const connectionTimes = { connectTimeoutMs: 10_000, pingIntervalMs: 6_000 };

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
  const sessions = createHttp2Connection(url.origin, connectionTimes);
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
      const { status } = await health.check(create(HealthCheckRequestSchema), { timeoutMs, signal });
      return status === Status.SERVING;
    },
    close: () => sessions.abort(),
  };
}
