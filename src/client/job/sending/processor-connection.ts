import { create } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as Status,
} from '../../../../gen/grpc/health/v1/health_pb.ts';
import { ProcessorService } from '../../../../gen/image/v1/processor_pb.ts';
import { createHttp2Connection } from '../../../grpc/http2-connection.ts';
import type { ServiceConnection } from './connection.ts';
import { type OpenStream, runStream } from './stream.ts';

/** The longest response, in bytes. A tensor of the largest MAX_OUTPUT_PIXELS fits. */
const maxResponseBytes = 2_047 * 1024 * 1024;

/** With these times a processor that hangs, or a network that drops packets, is detected within half a minute. */
const connectionTimes = { connectTimeoutMs: 10_000, pingIntervalMs: 6_000 };

/** Connects to image-processor by gRPC. Images travel over one ProcessStream. */
export function connectToProcessor(url: URL): ServiceConnection {
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
  const open: OpenStream = (requests, signal) => processor.processStream(requests, { signal });
  return {
    name: 'image-processor',
    place: `at ${url.host}`,
    process: (request, timeoutMs, signal) => processor.process(request, { timeoutMs, signal }),
    describe: (request, timeoutMs, signal) => processor.describe(request, { timeoutMs, signal }),
    skew: (request, timeoutMs, signal) => processor.skew(request, { timeoutMs, signal }),
    async isServing(timeoutMs, signal) {
      const { status } = await health.check(create(HealthCheckRequestSchema), { timeoutMs, signal });
      return status === Status.SERVING;
    },
    sendImages: (queue, patienceMs, away, stop) => runStream(queue, open, patienceMs, away, stop),
    close: async () => sessions.abort(),
  };
}
