import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import * as z from 'zod';
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
  HealthCheckResponse_ServingStatusSchema as StatusSchema,
} from '../../gen/grpc/health/v1/health_pb.ts';
import { commonEnvironment, readEnvironment } from '../environment.ts';

/*
 * The container's HEALTHCHECK: asks the processor on this machine for its health and exits with 0 if it serves.
 * Kubernetes sends the same request itself.
 */

const { PORT } = readEnvironment(z.object({ PORT: commonEnvironment(50_051).PORT }), process.env);
const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${PORT}` });

try {
  const { status } = await createClient(Health, transport).check({}, { timeoutMs: 2000 });
  console.log(StatusSchema.value[status]?.name);
  process.exit(status === Status.SERVING ? 0 : 1);
} catch (error) {
  console.log(String(error));
  process.exit(1);
}
