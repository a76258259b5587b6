import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** The label `route` of requests that match no route. */
export const noRoute = 'none';

export type HttpMetrics = ReturnType<typeof createHttpMetrics>;

/** image-api's own figures. Routes are patterns and reasons a closed list, so that labels stay few. */
export function createHttpMetrics(registry: Registry) {
  const registers = [registry];
  return {
    requests: new Counter({
      name: 'http_requests_total',
      help: 'Requests that ended, by route, method and status; 499 is a caller that left',
      labelNames: ['route', 'method', 'status'],
      registers,
    }),
    duration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'From the head of the request to the last byte of the response',
      labelNames: ['route', 'method'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    inFlight: new Gauge({
      name: 'http_requests_in_flight',
      help: 'Requests without their whole response',
      registers,
    }),
    failures: new Counter({
      name: 'http_request_failures_total',
      help: 'Requests that failed, by reason',
      labelNames: ['route', 'reason'],
      registers,
    }),
    receivedBytes: new Counter({
      name: 'http_received_bytes_total',
      help: 'Bytes of requests, heads included',
      labelNames: ['route'],
      registers,
    }),
    sentBytes: new Counter({
      name: 'http_sent_bytes_total',
      help: 'Bytes of responses, heads included',
      labelNames: ['route'],
      registers,
    }),
    /** @param heldBytes - is called whenever the metrics are requested */
    watchBodies(heldBytes: () => number): void {
      new Gauge({
        name: 'http_request_body_held_bytes',
        help: 'Memory that holds the bodies of requests without their whole response',
        registers,
        collect() {
          this.set(heldBytes());
        },
      });
    },
  };
}

/** The figures of one processor. */
interface ProcessorFigures {
  readonly address: string;
  readonly inFlight: number;
  readonly state: 'new' | 'serving' | 'avoided';
}

/** Adds the processors that calls may go to, read whenever the metrics are requested. */
export function watchProcessors(registry: Registry, addresses: () => readonly ProcessorFigures[]): void {
  const registers = [registry];
  new Gauge({
    name: 'image_api_processors',
    help: 'Addresses of processors, by state: serving, avoided (lost, or not ready) or new (not heard of yet)',
    labelNames: ['state'],
    registers,
    collect() {
      for (const state of ['serving', 'avoided', 'new']) {
        this.set({ state }, addresses().filter((one) => one.state === state).length);
      }
    },
  });
  new Gauge({
    name: 'image_api_processor_calls_in_flight',
    help: 'Calls under way to each address that there is now',
    labelNames: ['address'],
    registers,
    collect() {
      this.reset();
      for (const { address, inFlight } of addresses()) this.inc({ address }, inFlight);
    },
  });
}

/** @returns a function to call for each call that is sent once more */
export function countRetries(registry: Registry): () => void {
  const retries = new Counter({
    name: 'image_api_processor_retries_total',
    help: 'Times that a call was sent once more, because its processor was lost or took no new calls',
    registers: [registry],
  });
  return () => retries.inc();
}
