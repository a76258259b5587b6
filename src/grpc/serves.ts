import { create } from '@bufbuild/protobuf';
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus,
} from '../../gen/grpc/health/v1/health_pb.ts';
import type { Deadline } from '../deadline.ts';
import type { SendCall } from './unary-call.ts';

/** Whether a processor reports that it serves. @throws ConnectError */
export async function serves(send: SendCall, deadline: Deadline): Promise<boolean> {
  const message = create(HealthCheckRequestSchema);
  const { status } = await send({ method: Health.method.check, message, deadline });
  return status === HealthCheckResponse_ServingStatus.SERVING;
}
