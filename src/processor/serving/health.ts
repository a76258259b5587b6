import { addAbortListener } from 'node:events';
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import {
  type Health,
  HealthCheckResponse_ServingStatus as Status,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import { placeKey } from './call-watch.ts';

/**
 * grpc.health.v1.Health for a server whose services all live and die together: SERVING from the start,
 * NOT_SERVING while it drains.
 *
 * A Watch goes on until its caller leaves, and a server that closes waits for its calls: `close` tells all
 * watchers NOT_SERVING and ends their calls.
 *
 * @param serviceNames - full names of the services of this server; the empty name, for the server as a
 * whole, is always known
 */
export function createHealth(serviceNames: readonly string[]) {
  const names = new Set(['', ...serviceNames]);
  const watchers = new Set<() => void>();
  let serving = true;
  let closed = false;

  const currentStatus = () => (serving ? Status.SERVING : Status.NOT_SERVING);
  const statusOf = (name: string) => (names.has(name) ? currentStatus() : Status.SERVICE_UNKNOWN);
  const wakeWatchers = () => {
    for (const wake of [...watchers]) wake();
  };

  /** Resolves at the next change, and when the signal aborts. */
  function change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        watchers.delete(wake);
        listening[Symbol.dispose]();
        resolve();
      };
      watchers.add(wake);
      const listening = addAbortListener(signal, wake);
    });
  }

  const service = {
    check({ service }) {
      if (!names.has(service)) {
        // A status travels in HTTP/2 headers, which have a limit.
        throw new ConnectError(`unknown service "${service.slice(0, 100)}"`, Code.NotFound);
      }
      return { status: currentStatus() };
    },

    list() {
      return { statuses: Object.fromEntries([...names].map((name) => [name, { status: currentStatus() }])) };
    },

    async *watch({ service }, { signal, values }) {
      // A caller may watch for as long as it likes, but only so many may.
      values.get(placeKey).stay();
      let sent: Status | undefined;
      while (!signal.aborted) {
        const status = statusOf(service);
        if (status !== sent) {
          sent = status;
          yield { status };
        } else if (closed) {
          return;
        } else {
          await change(signal);
        }
      }
    },
  } satisfies ServiceImpl<typeof Health>;

  return {
    service,

    /** Tells balancers and probes whether to send calls here. */
    setServing(value: boolean): void {
      serving = value;
      wakeWatchers();
    },

    /** NOT_SERVING for good, and the end of every Watch. */
    close(): void {
      serving = false;
      closed = true;
      wakeWatchers();
    },
  };
}
