import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { file_google_rpc_error_details } from '../../gen/google/rpc/error_details_pb.ts';
import { file_grpc_health_v1_health, Health } from '../../gen/grpc/health/v1/health_pb.ts';
import { file_image_v1_processor, ProcessorService } from '../../gen/image/v1/processor_pb.ts';
import type { ListeningServer, LocalServer } from '../grpc/unary-call.ts';
import { listen } from '../listen.ts';
import { type ObjectStorage, openObjectStorage } from '../object-storage/object-storage.ts';
import { openSecretFile } from '../secret-file.ts';
import { createMetricsRegistry, type Logger } from '../telemetry/telemetry.ts';
import { startTracing, tracingSettings } from '../telemetry/tracing.ts';
import { createAdmission } from './admission/admission.ts';
import { createSharedMemory } from './admission/shared-memory.ts';
import { documentMemory, heldMemory, idleWorkerBytes, workMemory } from './admission/work-memory.ts';
import type { CacheTier } from './cache/cache-tier.ts';
import { createMemoryTier } from './cache/memory-tier.ts';
import { createCacheErrorLog } from './cache/report-errors.ts';
import { createResultCache } from './cache/result-cache.ts';
import { callerWaits, type ProcessorConfig } from './config.ts';
import { createProcessorMetrics, type ProcessorMetrics } from './metrics.ts';
import { createPresets } from './presets/presets.ts';
import { createProcessorService } from './service.ts';
import { createServingMemory } from './serving/call-memory.ts';
import { createHealth } from './serving/health.ts';
import { observeCalls } from './serving/observe-calls.ts';
import { createReflection } from './serving/reflection.ts';
import { createGrpcServer } from './serving/server.ts';
import { createSink, type Sink } from './sink/sink.ts';
import { createStoreTier } from './sink/store-tier.ts';
import { createDownloadPlaces } from './source/download-places.ts';
import { createObjectSources } from './source/object-source.ts';
import { createSourceReader } from './source/read-source.ts';
import { createRequestHeaders, originHeadersFile } from './source/request-headers.ts';
import type { Stage } from './stopwatch.ts';
import { startWorkerPool } from './workers/pool.ts';

/** A processor for this process, which others reach once it listens. */
export interface LocalProcessor extends LocalServer {
  /** Versions of the libraries that decode and encode, by name. */
  readonly libraries: Readonly<Record<string, string>>;
  /**
   * Reports not ready at once, refuses new calls after SHUTDOWN_DELAY_MS, and resolves when the last call has ended.
   */
  drain(): Promise<void>;
  listen(): Promise<{ readonly port: number; readonly metricsPort: number }>;
}

/** A running processor. */
export interface Processor extends ListeningServer, Omit<LocalProcessor, 'listen'> {
  readonly metricsPort: number;
}

/** Assembles image-processor and starts it. */
export async function startProcessor(config: ProcessorConfig, log: Logger): Promise<Processor> {
  const { listen, ...processor } = await createProcessor(config, log);
  return { ...processor, ...(await listen()) };
}

/** Assembles image-processor with its workers, without a port. */
export async function createProcessor(config: ProcessorConfig, log: Logger): Promise<LocalProcessor> {
  const presets = createPresets({ directory: config.PRESETS_DIR });
  const registry = createMetricsRegistry();
  const metrics = createProcessorMetrics(registry);
  const tracing = await startTracing(tracingSettings(config, 'image-processor'), log);
  const logCacheError = createCacheErrorLog(log);
  const storage = openObjectStorage({
    endpoint: config.S3_ENDPOINT,
    forcePathStyle: config.S3_FORCE_PATH_STYLE,
  });
  const kept = keepResponses(config, storage, metrics, (error) => onCacheError('store', error));
  const memoryTier = createMemoryTier({ maxBytes: config.CACHE_MAX_BYTES });
  const cache = createResultCache<readonly Stage[]>({
    tiers: [
      memoryTier,
      ...(config.REDIS_URL === undefined ? [] : [await openRedisTier(config.REDIS_URL, onRedisError)]),
      ...(kept?.tier === undefined ? [] : [kept.tier]),
    ],
    onLookup: metrics.onCacheLookup,
    onError: onCacheError,
  });
  const originHeaders =
    config.ORIGIN_HEADERS_FILE === undefined
      ? undefined
      : openSecretFile(config.ORIGIN_HEADERS_FILE, originHeadersFile, log);
  const downloads = createDownloadPlaces(config.MAX_DOWNLOADS, config.MAX_QUEUE);
  const sources = createSourceReader({
    places: downloads,
    maxBytes: config.MAX_SOURCE_BYTES,
    timeoutMs: config.DOWNLOAD_TIMEOUT_MS,
    objects: createObjectSources(storage, config.SOURCE_BUCKETS, {
      maxBytes: config.MAX_SOURCE_BYTES,
      timeoutMs: config.DOWNLOAD_TIMEOUT_MS,
    }),
    allowedHosts: new Set(config.URL_ALLOWED_HOSTS),
    maxRedirects: config.ORIGIN_MAX_REDIRECTS,
    requestHeaders: createRequestHeaders(config.ORIGIN_USER_AGENT, originHeaders?.current),
    records: {
      get: async (key) => (await cache.get(key))?.value,
      set: cache.set,
    },
  });
  const workBytes = workMemory(config);
  const workers = await startWorkerPool(config.WORKERS, {
    jobTimeoutMs: config.MAX_TIMEOUT_MS,
    maxRssBytes: idleWorkerBytes + workBytes,
    maxIdleRssBytes: idleWorkerBytes,
    documentWorkers: config.DOCUMENT_WORKERS,
    maxHeadersWaiting: config.WORKERS + config.MAX_QUEUE,
    sourceFormats: config.SOURCE_FORMATS,
    onLine: (line) => log.warn({ line }, 'a worker process says'),
    onReplaced(why, end) {
      metrics.onWorkerReplaced(end);
      log.warn({ why }, 'a worker process was replaced');
    },
  });
  const memoryOfWork = createSharedMemory(workBytes);
  const admission = createAdmission('images are being processed', config.WORKERS, config.MAX_QUEUE, {
    memory: memoryOfWork,
    maxWaitingBytes: config.MAX_QUEUE_BYTES,
  });
  const documents = createAdmission('pages are being drawn', config.DOCUMENT_WORKERS, config.MAX_QUEUE, {
    memory: memoryOfWork,
    maxMemoryBytes: documentMemory(workBytes),
    maxWaitingBytes: config.MAX_QUEUE_BYTES,
  });
  metrics.watchAdmission('images', admission);
  metrics.watchAdmission('pages', documents);
  metrics.watchDownloads(downloads);
  metrics.watchMemoryTier(memoryTier);
  metrics.watchWorkers(workers);
  metrics.watchStoreQueue(kept?.sink.queue ?? { waiting: 0, waitingBytes: 0 });

  function onRedisError(error: unknown): void {
    onCacheError('redis', error);
  }
  function onCacheError(tier: string, error: unknown): void {
    metrics.onCacheError(tier);
    logCacheError(tier, error);
  }

  const limits = {
    maxSourceBytes: config.MAX_SOURCE_BYTES,
    maxSourcePixels: config.MAX_SOURCE_PIXELS,
    maxOutputPixels: config.MAX_OUTPUT_PIXELS,
  };
  const service = createProcessorService(
    { sources, cache, admission, documents, workers, presets, sink: kept?.sink, limits },
    {
      streamConcurrency: config.WORKERS * 2,
      maxTimeoutMs: config.MAX_TIMEOUT_MS,
      originUserAgent: config.ORIGIN_USER_AGENT,
    },
    metrics,
    log,
  );
  const memory = createServingMemory(heldMemory(config), config.MAX_ANSWER_BYTES, config.MAX_TIMEOUT_MS);
  const health = createHealth([ProcessorService.typeName]);
  const reflect = createReflection(
    file_image_v1_processor,
    file_grpc_health_v1_health,
    file_google_rpc_error_details,
  );
  const server = createGrpcServer(
    (router) => {
      router.service(ProcessorService, service);
      router.service(Health, health.service);
      reflect(router);
    },
    {
      maxSourceBytes: config.MAX_SOURCE_BYTES,
      waiting: callerWaits(config),
      trustCallerMetadata: config.TRUST_CALLER_METADATA,
      memory,
      maxConnectionAgeMs: config.MAX_CONNECTION_AGE_MS,
      interceptors: [observeCalls(metrics.onInFlight, log, tracing)],
    },
  );
  // The first request for an object then does not wait for the SDK. The failure of a missing region is that request's.
  if (config.SOURCE_BUCKETS.length > 0 || config.STORE_URL !== undefined) storage.warm().catch(() => {});
  let metricsServer: Awaited<ReturnType<typeof startMetricsServer>> | undefined;

  return {
    call: server.call,
    libraries: workers.libraries,
    async listen() {
      const port = await server.listen(config.PORT, config.HOST);
      metricsServer = await startMetricsServer(registry, config.HOST, config.METRICS_PORT);
      return { port, metricsPort: metricsServer.port };
    },
    async drain() {
      const drainLimit = performance.now() + config.SHUTDOWN_DELAY_MS + config.SHUTDOWN_TIMEOUT_MS;
      health.setServing(false);
      await sleep(config.SHUTDOWN_DELAY_MS);
      health.close();
      await server.drain();
      await kept?.sink.drain(drainLimit - performance.now() - timeForTheRestMs);
      originHeaders?.stop();
      await Promise.all([
        sources.close(),
        storage.close(),
        cache.close(),
        workers.close(),
        metricsServer?.close(),
        tracing?.close(),
      ]);
    },
  };
}

/** Part of SHUTDOWN_TIMEOUT_MS that remains when waiting responses of the sink are given up. */
const timeForTheRestMs = 1000;

/** The sink of STORE_URL, and the tier of the cache that reads back what it keeps. */
function keepResponses(
  config: ProcessorConfig,
  storage: ObjectStorage,
  metrics: ProcessorMetrics,
  onError: (error: unknown) => void,
): { readonly sink: Sink; readonly tier: CacheTier | undefined } | undefined {
  const { STORE_URL: store } = config;
  if (store === undefined) return undefined;
  const sink = createSink({
    storage,
    store,
    mode: config.STORE_MODE,
    keepsSources: config.STORE_SOURCES,
    maxLinkSeconds: config.STORE_LINK_MAX_SECONDS,
    maxWaiting: config.MAX_STORE_QUEUE,
    maxWaitingBytes: config.MAX_STORE_QUEUE_BYTES,
    onOutcome: metrics.onStoreOutcome,
    onError,
  });
  const tier = config.STORE_READ ? createStoreTier({ storage, store, sink, onError }) : undefined;
  return { sink, tier };
}

/** The client for Redis is a quarter of what this process would load, so it is loaded only if there is a Redis. */
async function openRedisTier(url: string, onError: (error: Error) => void): Promise<CacheTier> {
  const { createRedisTier } = await import('./cache/redis-tier.ts');
  return createRedisTier({ url, onError });
}

/** Scrapers send few and small requests. */
const metricsServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
};
const maxMetricsConnections = 100;

/** `/metrics` on its own port, which callers of the service cannot reach. */
async function startMetricsServer(
  registry: Registry,
  host: string,
  port: number,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer(metricsServerOptions, (request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  server.maxConnections = maxMetricsConnections;
  const boundPort = await listen(server, port, host, 'METRICS_PORT');
  return {
    port: boundPort,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
