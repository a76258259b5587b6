import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectAddress } from '../../object-storage/object-address.ts';
import { StorageFailure } from '../../object-storage/storage-failure.ts';
import type { StoreOutcome } from './sink.ts';

interface QueuedObject {
  readonly address: ObjectAddress;
  readonly content: Uint8Array;
}

/** Objects that wait to be written, with their bytes. */
export interface StoreQueue<T extends QueuedObject = QueuedObject> {
  /** Whether an object waits, or is being written. */
  has(key: string): boolean;
  /** Whether an object of some bytes may be added, and one with its description. */
  hasRoom(bytes: number): boolean;
  /**
   * Adds objects, which are written in their order.
   *
   * @param onStored - is called with the key of each object that is in the storage
   */
  add(objects: readonly T[], onStored: (key: string) => void): void;
  /** Resolves when nothing waits. From now on a failing storage is tried again each second. */
  drain(): Promise<void>;
  /** Drops what still waits. */
  close(): void;
  readonly waiting: number;
  readonly waitingBytes: number;
}

interface Job<T> {
  readonly objects: readonly T[];
  readonly bytes: number;
  onStored(key: string): void;
  tries: number;
}

/** Uploads at once; one while the storage fails. */
const maxRunning = 16;
/** Longest time of one upload, in ms. */
const uploadMs = 60_000;
/** Rounds of attempts for one object, with pauses of 1, 2, 4 … 30 s between them: two minutes. */
const maxTries = 8;
const firstPauseMs = 1000;
const longestPauseMs = 30_000;
/** Failures after which one object is given up at once: another try of the same bytes fails too. */
const hopeless: ReadonlySet<string> = new Set(['BYTES_OVER_LIMIT', 'REFUSED']);

/** Writes objects in the background, and again after failures that pass. */
export function createStoreQueue<T extends QueuedObject>(options: {
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  store(object: T, signal: AbortSignal): Promise<'written' | 'present'>;
  onOutcome(outcome: StoreOutcome, bytes: number): void;
  onError(error: unknown): void;
}): StoreQueue<T> {
  const { maxWaiting, maxWaitingBytes, store, onOutcome, onError } = options;
  const jobs: Job<T>[] = [];
  const keys = new Set<string>();
  const closing = new AbortController();
  const draining = new AbortController();
  const empty = new Set<() => void>();
  let isDraining = false;
  let running = 0;
  let count = 0;
  let bytesHeld = 0;
  /** Rounds that failed since the last that did not. */
  let failures = 0;
  let isPaused = false;

  function start(): void {
    while (jobs.length > 0 && !isPaused && running < (failures > 0 ? 1 : maxRunning)) {
      running++;
      void run(jobs.shift() as Job<T>).finally(() => {
        running--;
        start();
      });
    }
    if (count === 0) for (const resolve of empty) resolve();
  }

  async function run(job: Job<T>): Promise<void> {
    job.tries++;
    try {
      for (const object of job.objects) {
        if (!keys.has(object.address.key)) continue;
        const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(uploadMs)]);
        onOutcome(await store(object, signal), object.content.byteLength);
        keys.delete(object.address.key);
        job.onStored(object.address.key);
      }
      failures = 0;
      end(job);
    } catch (error) {
      if (closing.signal.aborted) {
        end(job, 'late');
        return;
      }
      onError(error);
      if (job.tries >= maxTries || (error instanceof StorageFailure && hopeless.has(error.problem))) {
        end(job, 'failed');
        return;
      }
      jobs.unshift(job);
      await pause(error);
    }
  }

  async function pause(error: unknown): Promise<void> {
    const requested = error instanceof StorageFailure ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    const grown = Math.min(firstPauseMs * 2 ** Math.min(failures, 10), longestPauseMs);
    failures++;
    if (isPaused) return;
    isPaused = true;
    await sleep(Math.min(Math.max(grown, requested), longestPauseMs), undefined, {
      signal: AbortSignal.any([draining.signal, closing.signal]),
    }).catch(() => {});
    // While the process ends, there is no time for longer pauses.
    if (isDraining) await sleep(firstPauseMs, undefined, { signal: closing.signal }).catch(() => {});
    isPaused = false;
  }

  /** @param outcome - of the objects that were not written */
  function end(job: Job<T>, outcome?: 'failed' | 'late'): void {
    count -= job.objects.length;
    bytesHeld -= job.bytes;
    for (const { address, content } of job.objects) {
      if (keys.delete(address.key) && outcome !== undefined) onOutcome(outcome, content.byteLength);
    }
  }

  return {
    has: (key) => keys.has(key),

    hasRoom: (bytes) => !isDraining && count < maxWaiting && bytesHeld + bytes <= maxWaitingBytes,

    add(objects, onStored) {
      if (objects.length === 0) return;
      const bytes = objects.reduce((sum, { content }) => sum + content.byteLength, 0);
      for (const { address } of objects) keys.add(address.key);
      count += objects.length;
      bytesHeld += bytes;
      jobs.push({ objects, bytes, onStored, tries: 0 });
      start();
    },

    async drain() {
      isDraining = true;
      draining.abort();
      if (count === 0) return;
      await new Promise<void>((resolve) => empty.add(resolve));
    },

    close() {
      isDraining = true;
      closing.abort();
      for (const job of jobs.splice(0)) end(job, 'late');
    },

    get waiting() {
      return count;
    },
    get waitingBytes() {
      return bytesHeld;
    },
  };
}
