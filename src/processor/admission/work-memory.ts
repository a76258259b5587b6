import { totalmem } from 'node:os';
import process from 'node:process';
import { messageOverheadBytes } from '../../grpc/transport.ts';
import { keptByWorkerBytes } from '../codecs/pdf/memory.ts';
import type { ProcessorConfig } from '../config.ts';

/** Memory of image-processor while it processes no image, in bytes; measured. */
const serverBytes = 150_000_000;
/** Memory of the SDK of object storage, in bytes; measured. */
const sdkBytes = 40_000_000;
/** Limit of a worker's memory between images, in bytes. A worker with more is replaced. */
export const idleWorkerBytes = 250_000_000;

/** The same for a worker for documents, which keeps what it has parsed. */
const idleDocumentWorkerBytes = idleWorkerBytes + keptByWorkerBytes;

/** In bytes. Enough for a photograph, however small the machine. */
const leastWorkBytes = 256_000_000;

type MemoryConfig = Pick<
  ProcessorConfig,
  'WORKERS' | 'CACHE_MAX_BYTES' | 'MAX_DOWNLOADS' | 'MAX_SOURCE_BYTES' | 'MAX_HELD_BYTES' | 'MAX_ANSWER_BYTES'
> &
  Partial<Pick<ProcessorConfig, 'STORE_URL' | 'MAX_STORE_QUEUE_BYTES' | 'SOURCE_BUCKETS'>>;

/**
 * Limit of the memory that images in progress may take together, in bytes: MAX_WORK_BYTES, or the rest of the
 * container's limit (or of half of the machine) after server, workers, cache, calls and downloads.
 *
 * @param memoryBytes - limit for this process and its workers
 */
export function workMemory(
  config: MemoryConfig & Pick<ProcessorConfig, 'MAX_WORK_BYTES'>,
  memoryBytes = availableBytes(),
): number {
  return config.MAX_WORK_BYTES ?? Math.max(leastWorkBytes, memoryBytes - restingMemory(config));
}

/**
 * Limit of the memory that pages in progress may take together, in bytes: half of that for all images, so that pictures
 * need not wait for documents, but enough for some pages.
 *
 * @param workBytes - `workMemory`
 */
export function documentMemory(workBytes: number): number {
  return Math.max(leastWorkBytes, workBytes / 2);
}

/** Limit of the memory that the messages of calls and their responses may take together, in bytes. */
export function heldMemory({
  MAX_HELD_BYTES,
  MAX_ANSWER_BYTES,
  MAX_SOURCE_BYTES,
}: Pick<ProcessorConfig, 'MAX_HELD_BYTES' | 'MAX_ANSWER_BYTES' | 'MAX_SOURCE_BYTES'>): number {
  return MAX_HELD_BYTES ?? 2 * Math.max(8 * (MAX_SOURCE_BYTES + messageOverheadBytes), MAX_ANSWER_BYTES);
}

/** Limit of the memory that everything except images in progress and documents may take together, in bytes. */
export function restingMemory(config: MemoryConfig): number {
  const { WORKERS, CACHE_MAX_BYTES, MAX_DOWNLOADS, MAX_SOURCE_BYTES } = config;
  return (
    serverBytes +
    // One more worker reads headers.
    (WORKERS + 1) * idleWorkerBytes +
    CACHE_MAX_BYTES +
    // Waiting work and work in progress are included.
    heldMemory(config) +
    MAX_DOWNLOADS * MAX_SOURCE_BYTES +
    storageMemory(config)
  );
}

/**
 * Limit of the memory of a processor that draws documents all the time, in bytes: what its container needs. Without
 * documents their workers do not exist, so `workMemory` leaves nothing for them where MAX_WORK_BYTES is unset.
 */
export function containerMemory(
  config: MemoryConfig & Pick<ProcessorConfig, 'MAX_WORK_BYTES' | 'DOCUMENT_WORKERS'>,
): number {
  return restingMemory(config) + config.DOCUMENT_WORKERS * idleDocumentWorkerBytes + workMemory(config);
}

/** The SDK, and the objects that wait to be kept. */
function storageMemory({ STORE_URL, SOURCE_BUCKETS = [], MAX_STORE_QUEUE_BYTES = 0 }: MemoryConfig): number {
  if (STORE_URL === undefined) return SOURCE_BUCKETS.length === 0 ? 0 : sdkBytes;
  return sdkBytes + MAX_STORE_QUEUE_BYTES;
}

/** The limit of the control group, or half of the machine without one. */
function availableBytes(): number {
  const machine = totalmem();
  const limit = process.constrainedMemory();
  return limit > 0 && limit < machine ? limit : machine / 2;
}
