import { totalmem } from 'node:os';
import process from 'node:process';
import { messageOverheadBytes } from '../../grpc/transport.ts';
import type { ProcessorConfig } from '../config.ts';
import { workerFileRoom } from '../workers/file.ts';

/** Memory of image-processor without an image in work, in bytes; measured. */
const serverBytes = 150_000_000;
/** Longest memory of a worker process between images, in bytes. A worker with more is replaced. */
export const idleWorkerBytes = 250_000_000;

/** In bytes. Enough for a photograph, however small the machine. */
const leastWorkBytes = 256_000_000;

type MemoryConfig = Pick<
  ProcessorConfig,
  'WORKERS' | 'CACHE_MAX_BYTES' | 'MAX_DOWNLOADS' | 'MAX_SOURCE_BYTES' | 'MAX_HELD_BYTES' | 'MAX_ANSWER_BYTES'
>;

/**
 * Bytes of memory that images in work may take together: MAX_WORK_BYTES, or what the container's limit (or half
 * of the machine) leaves beside server, workers, cache, calls and downloads.
 *
 * @param memoryBytes - that this process and its workers may have
 */
export function workMemory(
  config: MemoryConfig & Pick<ProcessorConfig, 'MAX_WORK_BYTES'>,
  memoryBytes = availableBytes(),
): number {
  return config.MAX_WORK_BYTES ?? Math.max(leastWorkBytes, memoryBytes - restingMemory(config));
}

/** Bytes of memory that the messages of calls and their responses may take together. */
export function heldMemory({
  MAX_HELD_BYTES,
  MAX_ANSWER_BYTES,
  MAX_SOURCE_BYTES,
}: Pick<ProcessorConfig, 'MAX_HELD_BYTES' | 'MAX_ANSWER_BYTES' | 'MAX_SOURCE_BYTES'>): number {
  return MAX_HELD_BYTES ?? 2 * Math.max(8 * (MAX_SOURCE_BYTES + messageOverheadBytes), MAX_ANSWER_BYTES);
}

/** Bytes of memory that everything but images in work may take together. */
export function restingMemory(config: MemoryConfig): number {
  const { WORKERS, CACHE_MAX_BYTES, MAX_DOWNLOADS, MAX_SOURCE_BYTES } = config;
  return (
    serverBytes +
    // One more reads headers.
    (WORKERS + 1) * (idleWorkerBytes + workerFileRoom) +
    CACHE_MAX_BYTES +
    // Waiting work and work in progress are included.
    heldMemory(config) +
    MAX_DOWNLOADS * MAX_SOURCE_BYTES
  );
}

/** The limit of the control group, or half of the machine where there is none. */
function availableBytes(): number {
  const machine = totalmem();
  const limit = process.constrainedMemory();
  return limit > 0 && limit < machine ? limit : machine / 2;
}
