import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ProcessResponse } from '../../gen/image/v1/processor_pb.ts';
import type { FailureReason } from '../failures.ts';
import type { Admission } from './admission.ts';

/** The processor's figures for Prometheus, named as the field names them. */
export interface ProcessorMetrics {
  onRequest(durationSeconds: number, outcome: FailureReason | 'OK'): void;
  onResponse(response: ProcessResponse, sourceBytes: number): void;
  onCacheLookup(tier: string, hit: boolean): void;
  onCacheError(tier: string): void;
  /** Queue and workers are read when they are asked for. */
  watchAdmission(admission: Admission): void;
}

export function createProcessorMetrics(registry: Registry): ProcessorMetrics {
  const registers = [registry];
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
    help: 'Duration of each stage of an image that was processed',
    labelNames: ['stage'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
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
    help: 'Bytes of sources (in) and answers (out)',
    labelNames: ['direction'],
    registers,
  });
  return {
    onRequest(durationSeconds, outcome) {
      requests.inc({ outcome });
      duration.observe(durationSeconds);
    },
    onResponse(response, sourceBytes) {
      for (const { name, durationMs } of response.stages) stages.observe({ stage: name }, durationMs / 1000);
      bytes.inc({ direction: 'in' }, sourceBytes);
      bytes.inc({ direction: 'out' }, response.content.length);
    },
    onCacheLookup: (tier, hit) => lookups.inc({ tier, result: hit ? 'hit' : 'miss' }),
    onCacheError: (tier) => cacheErrors.inc({ tier }),
    watchAdmission(admission) {
      new Gauge({
        name: 'image_processor_images_running',
        help: 'Images in the workers',
        registers,
        collect() {
          this.set(admission.running);
        },
      });
      new Gauge({
        name: 'image_processor_images_waiting',
        help: 'Images in the queue',
        registers,
        collect() {
          this.set(admission.waiting);
        },
      });
    },
  };
}
