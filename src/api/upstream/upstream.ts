import type { Deadline } from '../../deadline.ts';
import type { SendCall } from '../../grpc/unary-call.ts';

/**
 * `new`: not checked yet; used where none serves. `serving`: gets calls. `avoided`: was lost or reported that it does not
 * serve; gets calls only where nothing else is left, until a health check says that it serves.
 */
export type ProcessorState = 'new' | 'serving' | 'avoided';

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
