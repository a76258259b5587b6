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

/** The longest response, in bytes. A tensor of the largest MAX_OUTPUT_PIXELS fits. */
const maxResponseBytes = 2_047 * 1024 * 1024;

/** With these times a processor that hangs, or a network that drops packets, is detected within half a minute. */
const connectionTimes = { connectTimeoutMs: 10_000, pingIntervalMs: 6_000 };

/** A processor over gRPC. It connects when a call needs it. */
export interface ProcessorConnection {
  processStream(
    requests: AsyncIterable<ProcessStreamRequest>,
    signal: AbortSignal,
  ): AsyncIterable<ProcessStreamResponse>;
  process(request: ProcessRequest, timeoutMs: number, signal: AbortSignal): Promise<ProcessResponse>;
  /** Whether the processor reports SERVING. @throws ConnectError, also after the time */
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
    readMaxBytes: maxResponseBytes,
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
