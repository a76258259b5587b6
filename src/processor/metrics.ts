import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { CacheState, type ProcessResponse, type SkewResponse } from '../../gen/image/v1/processor_pb.ts';
import type { FailureReason } from '../failures.ts';
import type { Admission } from './admission/admission.ts';
import type { MemoryTier } from './cache/memory-tier.ts';
import { type Sink, type StoreOutcome, storeOutcomes } from './sink/sink.ts';
import type { DownloadPlaces } from './source/download-places.ts';
import type { WorkerPool } from './workers/pool.ts';
import { rssOf, type WorkerEnd, workerEnds } from './workers/processes.ts';

/**
 * The processor's metrics for Prometheus. Every label has few values: reasons, stages and tiers are closed lists.
 */
export interface ProcessorMetrics {
  /** A call starts (1) or ends (-1). */
  onInFlight(change: 1 | -1): void;
  onRequest(durationSeconds: number, outcome: FailureReason | 'OK'): void;
  onResponse(response: ProcessResponse, sourceBytes: number): void;
  /** @param sourceBytes - of the image and of the other program's file */
  onComparison(response: SkewResponse, sourceBytes: number): void;
  /** One object was kept in object storage, or was not. */
  onStoreOutcome(outcome: StoreOutcome, bytes: number): void;
  onCacheLookup(tier: string, hit: boolean): void;
  onCacheError(tier: string): void;
  onWorkerReplaced(end: WorkerEnd): void;
  /** Queue and workers are read at each scrape. */
  watchAdmission(work: keyof typeof admittedWork, admission: Admission): void;
  watchDownloads(downloads: DownloadPlaces): void;
  watchMemoryTier(tier: MemoryTier): void;
  watchWorkers(workers: WorkerPool): void;
  watchStoreQueue(queue: Sink['queue']): void;
}

/** The kinds of work that are admitted, by their names in metrics. */
const admittedWork = { images: 'Images', pages: 'Pages of documents' } as const;

export function createProcessorMetrics(registry: Registry): ProcessorMetrics {
  const registers = [registry];

  /** A gauge that is read at each scrape. */
  function watch(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }

  /** The same for several values of one label. */
  function watchBy<Label extends string>(
    name: string,
    help: string,
    label: Label,
    read: () => Readonly<Record<string, number>>,
  ): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        for (const [value, figure] of Object.entries(read())) this.labels(value).set(figure);
      },
    });
  }

  const inFlight = new Gauge({
    name: 'image_processor_requests_in_flight',
    help: 'Calls without their whole response; a stream is one',
    registers,
  });
  const requests = new Counter({
    name: 'image_processor_requests_total',
    help: 'Images, by outcome: OK or the reason of the failure',
    labelNames: ['outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'image_processor_request_duration_seconds',
    help: 'From request to response, cache hits included',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const stages = new Histogram({
    name: 'image_processor_stage_duration_seconds',
    help: 'Duration of each stage of an image that was processed; queue is the wait for a worker',
    labelNames: ['stage'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const responses = new Counter({
    name: 'image_processor_answers_total',
    help: 'Responses, by origin: computed, shared with an equal request in progress, memory, redis or store',
    labelNames: ['from'],
    registers,
  });
  const lookups = new Counter({
    name: 'image_processor_cache_lookups_total',
    help: 'Lookups, by tier and result (hit or miss)',
    labelNames: ['tier', 'result'],
    registers,
  });
  const cacheErrors = new Counter({
    name: 'image_processor_cache_errors_total',
    help: 'Cache failures, by tier; none of them fails a request',
    labelNames: ['tier'],
    registers,
  });
  const bytes = new Counter({
    name: 'image_processor_bytes_total',
    help: 'Bytes of sources (in) and responses (out)',
    labelNames: ['direction'],
    registers,
  });
  const replaced = new Counter({
    name: 'image_processor_workers_replaced_total',
    help: 'Worker processes that were replaced, by why: crashed, memory, timeout, abandoned or start_failed',
    labelNames: ['reason'],
    registers,
  });
  const storeObjects = new Counter({
    name: 'image_processor_store_objects_total',
    help: 'Objects for object storage, by outcome: written, present (it was there), failed, full (no room in the queue) or late (the process ended)',
    labelNames: ['outcome'],
    registers,
  });
  const storeBytes = new Counter({
    name: 'image_processor_store_bytes_total',
    help: 'Bytes of the objects in image_processor_store_objects_total',
    labelNames: ['outcome'],
    registers,
  });
  for (const outcome of storeOutcomes) storeObjects.inc({ outcome }, 0);
  for (const reason of workerEnds) replaced.inc({ reason }, 0);

  function observe(times: ProcessResponse['stages'], bytesIn: number, bytesOut: number): void {
    for (const { name, durationMs } of times) stages.observe({ stage: name }, durationMs / 1000);
    bytes.inc({ direction: 'in' }, bytesIn);
    bytes.inc({ direction: 'out' }, bytesOut);
  }

  return {
    onInFlight: (change) => inFlight.inc(change),
    onRequest(durationSeconds, outcome) {
      requests.inc({ outcome });
      duration.observe(durationSeconds);
    },
    onResponse(response, sourceBytes) {
      responses.inc({ from: origins[response.cache] ?? 'computed' });
      observe(response.stages, sourceBytes, response.content.length);
    },
    onComparison: (response, sourceBytes) => observe(response.stages, sourceBytes, response.map.length),
    onCacheLookup: (tier, hit) => lookups.inc({ tier, result: hit ? 'hit' : 'miss' }),
    onStoreOutcome(outcome, amount) {
      storeObjects.inc({ outcome });
      storeBytes.inc({ outcome }, amount);
    },
    onCacheError: (tier) => cacheErrors.inc({ tier }),
    onWorkerReplaced: (reason) => replaced.inc({ reason }),
    watchAdmission(work, admission) {
      const items = admittedWork[work];
      watch(`image_processor_${work}_running`, `${items} in the workers`, () => admission.running);
      watch(`image_processor_${work}_waiting`, `${items} in the queue`, () => admission.waiting);
      watch(
        `image_processor_${work}_running_bytes`,
        `${items} in the workers: memory that they are expected to take`,
        () => admission.runningBytes,
      );
      watch(
        `image_processor_${work}_waiting_bytes`,
        `${items} in the queue: memory that they take`,
        () => admission.waitingBytes,
      );
    },
    watchDownloads(downloads) {
      watch('image_processor_downloads_running', 'URLs that are being downloaded', () => downloads.running);
      watch('image_processor_downloads_waiting', 'URLs that wait for their turn', () => downloads.waiting);
    },
    watchMemoryTier({ name, bytes: heldBytes }) {
      watchBy(
        'image_processor_cache_held_bytes',
        "Bytes that a tier of this processor's own holds, bookkeeping included",
        'tier',
        () => ({ [name]: heldBytes() }),
      );
    },
    watchStoreQueue(queue) {
      watch(
        'image_processor_store_waiting',
        'Objects that wait to be kept in object storage',
        () => queue.waiting,
      );
      watch('image_processor_store_waiting_bytes', 'Bytes of those objects', () => queue.waitingBytes);
    },
    watchWorkers(workers) {
      watchBy('image_processor_workers', 'Worker processes that are ready, by role', 'role', () => {
        const { pixels, headers, documents } = workers.pids();
        return { pixels: pixels.length, headers: headers.length, documents: documents.length };
      });
      watchBy('image_processor_workers_busy', 'Worker processes in a job, by role', 'role', workers.busy);
      watchBy(
        'image_processor_worker_resident_memory_bytes',
        'Memory of all worker processes of a role together; 0 where the system does not report it',
        'role',
        () => {
          const { pixels, headers, documents } = workers.pids();
          return {
            pixels: residentBytes(pixels),
            headers: residentBytes(headers),
            documents: residentBytes(documents),
          };
        },
      );
    },
  };
}

function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + rssOf(pid), 0);
}

const origins: Readonly<Partial<Record<number, string>>> = {
  [CacheState.MISS]: 'computed',
  [CacheState.SHARED]: 'shared',
  [CacheState.HIT_MEMORY]: 'memory',
  [CacheState.HIT_REDIS]: 'redis',
  [CacheState.HIT_STORE]: 'store',
};
