import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

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
      help: 'From the head of the request to the last byte of the answer',
      labelNames: ['route', 'method'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    inFlight: new Gauge({
      name: 'http_requests_in_flight',
      help: 'Requests without their whole answer',
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
      help: 'Bytes of answers, heads included',
      labelNames: ['route'],
      registers,
    }),
  };
}
