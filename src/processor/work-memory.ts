import { totalmem } from 'node:os';
import process from 'node:process';
import type { ProcessorConfig } from './config.ts';
import { workerFileRoom } from './image/worker-file.ts';

/** What the parts of image-processor hold without an image in work, in bytes; measured. */
export const serverBytes = 150_000_000;
/** What one worker process holds between images at most: more, and it is replaced. */
export const idleWorkerBytes = 250_000_000;

/** However small the machine, a photograph has to get through. Bytes. */
const leastWorkBytes = 256_000_000;

/**
 * Bytes of memory that images in work may take together: MAX_WORK_BYTES, or what the container's limit (or half
 * of the machine) leaves beside server, workers, cache, queue and downloads.
 *
 * @param memoryBytes - that this process and its workers may have
 */
export function workMemory(
  config: Pick<
    ProcessorConfig,
    | 'MAX_WORK_BYTES'
    | 'WORKERS'
    | 'CACHE_MAX_BYTES'
    | 'MAX_QUEUE_BYTES'
    | 'MAX_DOWNLOADS'
    | 'MAX_SOURCE_BYTES'
  >,
  memoryBytes = availableBytes(),
): number {
  return config.MAX_WORK_BYTES ?? Math.max(leastWorkBytes, memoryBytes - restingMemory(config));
}

/** Bytes of memory that everything but images in work may take together. */
export function restingMemory({
  WORKERS,
  CACHE_MAX_BYTES,
  MAX_QUEUE_BYTES,
  MAX_DOWNLOADS,
  MAX_SOURCE_BYTES,
}: Pick<
  ProcessorConfig,
  'WORKERS' | 'CACHE_MAX_BYTES' | 'MAX_QUEUE_BYTES' | 'MAX_DOWNLOADS' | 'MAX_SOURCE_BYTES'
>): number {
  return (
    serverBytes +
    // One more reads headers.
    (WORKERS + 1) * (idleWorkerBytes + workerFileRoom) +
    CACHE_MAX_BYTES +
    MAX_QUEUE_BYTES +
    // The server holds what is in work as well, for as long as it is.
    (WORKERS + MAX_DOWNLOADS) * MAX_SOURCE_BYTES
  );
}

/** The limit of the control group, or half of the machine where there is none. */
function availableBytes(): number {
  const machine = totalmem();
  const limit = process.constrainedMemory();
  return limit > 0 && limit < machine ? limit : machine / 2;
}
