import { Code, ConnectError } from '@connectrpc/connect';
import { serves } from '../../grpc/serves.ts';
import type { ListeningServer } from '../../grpc/unary-call.ts';
import type { Upstream } from './upstream.ts';

/** The processor of this process. It is called without a connection, so none can be lost and no call is repeated. */
export function createLocalUpstream(server: ListeningServer): Upstream {
  let inFlight = 0;
  return {
    async call(call) {
      inFlight++;
      try {
        return await server.call(call);
      } finally {
        inFlight--;
      }
    },
    async checkHealth(deadline) {
      if (await serves(server.call, deadline)) return;
      throw new ConnectError('the processor does not serve', Code.Unavailable);
    },
    addresses: () => [{ address: `localhost:${server.port}`, inFlight, state: 'serving' }],
    close() {},
  };
}
