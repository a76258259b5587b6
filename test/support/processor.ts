import { type Client, createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Health } from '../../gen/grpc/health/v1/health_pb.ts';
import { ProcessorService } from '../../gen/image/v1/processor_pb.ts';
import { http2Settings, maxSessionMemory } from '../../src/grpc/transport.ts';
import { createAdmission } from '../../src/processor/admission/admission.ts';
import { createMemoryTier } from '../../src/processor/cache/memory-tier.ts';
import { createResultCache } from '../../src/processor/cache/result-cache.ts';
import { createProcessorMetrics } from '../../src/processor/metrics.ts';
import { createPresets } from '../../src/processor/presets/presets.ts';
import type { ImageProcessing } from '../../src/processor/process-image.ts';
import { createProcessorService } from '../../src/processor/service.ts';
import type { ServingMemory } from '../../src/processor/serving/call-memory.ts';
import { createHealth } from '../../src/processor/serving/health.ts';
import { startGrpcServer } from '../../src/processor/serving/server.ts';
import { createDownloadPlaces } from '../../src/processor/source/download-places.ts';
import { createSourceReader } from '../../src/processor/source/read-source.ts';
import type { Stage } from '../../src/processor/stopwatch.ts';
import type { WorkerPool } from '../../src/processor/workers/pool.ts';

/** One line of the log. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface ProcessorOptions {
  readonly maxRunning?: number;
  readonly maxWaiting?: number;
  readonly maxSourceBytes?: number;
  readonly maxSourcePixels?: number;
  readonly maxOutputPixels?: number;
}

/** The parts of the main path, with a cache in memory, and `127.0.0.1` as an allowed host. */
export function createProcessing(workers: WorkerPool, options: ProcessorOptions = {}): ImageProcessing {
  const cache = createResultCache<readonly Stage[]>({
    tiers: [createMemoryTier({ maxBytes: 64 * 1024 * 1024 })],
  });
  return {
    sources: createSourceReader({
      places: createDownloadPlaces(8, 8),
      maxBytes: options.maxSourceBytes ?? 8 * 1024 * 1024,
      timeoutMs: 10_000,
      allowedHosts: new Set(['127.0.0.1']),
      records: { get: async (key) => (await cache.get(key))?.value, set: cache.set },
    }),
    cache,
    admission: createAdmission(
      'images are being processed',
      options.maxRunning ?? 2,
      options.maxWaiting ?? 64,
    ),
    documents: createAdmission('pages are being drawn', options.maxRunning ?? 2, options.maxWaiting ?? 64),
    workers,
    presets: createPresets({}),
    limits: {
      maxSourceBytes: options.maxSourceBytes ?? 8 * 1024 * 1024,
      maxSourcePixels: options.maxSourcePixels ?? 10_000_000,
      maxOutputPixels: options.maxOutputPixels ?? 10_000_000,
    },
  };
}

/** The service on a free port of the loopback, in this process, and a client for it. */
export interface ProcessorServer extends AsyncDisposable {
  readonly url: string;
  readonly client: Client<typeof ProcessorService>;
  readonly health: Client<typeof Health>;
  readonly log: readonly LogLine[];
  readonly registry: Registry;
  drain(): Promise<void>;
}

export async function startProcessorServer(
  processing: ImageProcessing,
  options: {
    streamConcurrency?: number;
    maxTimeoutMs?: number;
    maxSourceBytes?: number;
    originUserAgent?: string;
    memory?: ServingMemory;
  } = {},
): Promise<ProcessorServer> {
  const log: LogLine[] = [];
  const registry = new Registry();
  const service = createProcessorService(
    processing,
    {
      streamConcurrency: options.streamConcurrency ?? 4,
      maxTimeoutMs: options.maxTimeoutMs ?? 60_000,
      originUserAgent: options.originUserAgent ?? 'image-processor',
    },
    createProcessorMetrics(registry),
    pino({ base: null }, { write: (line: string) => void log.push(JSON.parse(line)) }),
  );
  const health = createHealth([ProcessorService.typeName]);
  const server = await startGrpcServer(
    (router) => {
      router.service(ProcessorService, service);
      router.service(Health, health.service);
    },
    {
      host: '127.0.0.1',
      port: 0,
      maxSourceBytes: options.maxSourceBytes ?? 8 * 1024 * 1024,
      ...(options.memory !== undefined && { memory: options.memory }),
    },
  );
  const url = `http://127.0.0.1:${server.port}`;
  const sessionManager = new Http2SessionManager(url, {}, { settings: http2Settings, maxSessionMemory });
  const transport = createGrpcTransport({ baseUrl: url, sessionManager });
  return {
    url,
    client: createClient(ProcessorService, transport),
    health: createClient(Health, transport),
    log,
    registry,
    drain: server.drain,
    async [Symbol.asyncDispose]() {
      sessionManager.abort();
      await server.drain().catch(() => {});
      await processing.sources.close();
    },
  };
}
