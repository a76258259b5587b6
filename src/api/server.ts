import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ListeningServer } from '../grpc/unary-call.ts';
import { listen } from '../listen.ts';
import { createMetricsRegistry, type Logger } from '../telemetry/telemetry.ts';
import { startTracing } from '../telemetry/tracing.ts';
import { createApp } from './app.ts';
import { createGate } from './auth/auth.ts';
import type { ApiConfig } from './config.ts';
import { connectionOptions, endUnusedConnections, limitConnections } from './connections.ts';
import { isReady } from './health.ts';
import { createHttpServer } from './http-server.ts';
import { countRetries, createHttpMetrics, noRoute, watchProcessors } from './metrics.ts';
import { createProcessorClient } from './upstream/processor-client.ts';

/** image-api, listening. */
export interface RunningApi {
  /** The port on which it listens. */
  readonly port: number;
  /** Whether requests sent now would be processed, as /readyz reports. */
  isReady(): Promise<boolean>;
  /** Reports "not ready", waits for the balancers to notice, and ends when the last request has its response. */
  drain(): Promise<void>;
}

/**
 * Starts image-api.
 *
 * @param processors - its processors, as for `createProcessorClient`
 */
export async function startApi(
  config: ApiConfig,
  processors: string | ListeningServer,
  log: Logger,
): Promise<RunningApi> {
  let draining = false;
  const closing = new AbortController();
  const gate = createGate(config, log);
  const metrics = createMetricsRegistry();
  const tracing = await startTracing(config.tracing, log);
  const processor = createProcessorClient(
    processors,
    config.responseLimit.bytes,
    config.processorResolveMs,
    undefined,
    { tracing, onRetry: countRetries(metrics), maxCallsPerProcessor: config.maxCallsPerProcessor },
  );
  const httpMetrics = createHttpMetrics(metrics);
  watchProcessors(metrics, processor.addresses);
  const app = createApp({
    config,
    processor,
    gate,
    log,
    tracing,
    metrics,
    httpMetrics,
    isDraining: () => draining,
    closing: closing.signal,
  });
  const server = createHttpServer(app.fetch, log, connectionOptions, (reason) =>
    httpMetrics.failures.inc({ route: noRoute, reason }),
  );
  limitConnections(server, config);
  endUnusedConnections(server, closing.signal);
  const port = await listen(server, config.port, config.host);

  return {
    port,
    isReady: () => isReady(processor),
    async drain() {
      draining = true;
      await sleep(config.shutdownDelayMs);
      closing.abort();
      const closed = once(server, 'close');
      server.close();
      await closed;
      processor.close();
      gate.close();
      await tracing?.close();
    },
  };
}
