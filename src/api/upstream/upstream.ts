import { create, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import type { Deadline } from '../../deadline.ts';
import type { UnaryCall } from '../../grpc/unary-call.ts';

/**
 * `new`: not checked yet; used where none serves. `serving`: gets calls. `avoided`: was lost or reported that it does not
 * serve; gets calls only where nothing else is left, until a health check says that it serves.
 */
export type ProcessorState = 'new' | 'serving' | 'avoided';

/** @throws ConnectError */
export type SendCall = <Input extends DescMessage, Output extends DescMessage>(
  call: UnaryCall<Input, Output>,
) => Promise<MessageShape<Output>>;

/** Where calls go: the processors of some addresses (balancer.ts), or the one of this process (local-upstream.ts). */
export interface Upstream {
  readonly call: SendCall;
  /** Checks all processors and returns when one serves. @throws ConnectError if none does */
  checkHealth(deadline: Deadline): Promise<void>;
  /** All processors that calls may go to now. */
  addresses(): readonly {
    readonly address: string;
    readonly inFlight: number;
    readonly state: ProcessorState;
  }[];
  /** Ends all connections, and the calls that are on them. */
  close(): void;
}

/** Whether a processor reports that it serves. @throws ConnectError */
export async function serves(send: SendCall, deadline: Deadline): Promise<boolean> {
  const message = create(HealthCheckRequestSchema);
  const { status } = await send({ method: Health.method.check, message, deadline });
  return status === HealthCheckResponse_ServingStatus.SERVING;
}
