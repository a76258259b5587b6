import { LRUCache } from 'lru-cache';
import { ProcessResponseSchema } from '../../../gen/image/v1/processor_pb.ts';
import { messageBytes } from '../../grpc/grpc-message.ts';
import type { BucketPrefix, ObjectAddress } from '../../object-storage/object-address.ts';
import type { ObjectStorage } from '../../object-storage/object-storage.ts';
import { StorageFailure, type StorageProblem } from '../../object-storage/storage-failure.ts';
import type { CacheTier } from '../cache/cache-tier.ts';
import { numericsVersions } from '../image/provenance.ts';
import { type Sink, siblingOf } from './sink.ts';
import { possibleExtensions, responseAddress } from './store-keys.ts';
import { fromStored, isInSibling } from './stored-response.ts';

/** Longest wait for an object, in ms: most responses are computed faster. */
const timeoutMs = 1000;
/** Time without requests after a failure, in ms. */
const pauseMs = 1000;
/** Most bytes of one response: as in Redis. */
const maxBytes = 16 * 2 ** 20;
/** A key that is not stored is not looked up again for this time, in ms: one call looks it up twice. */
const missingMs = 5000;
const maxMissing = 10_000;

/**
 * Stored responses as the last tier of the cache: what the sink has kept is read back. Objects that do not verify count as
 * missing, and are replaced. It never rejects; a storage that fails gets no requests for a second.
 Larger
 * objects than those of Redis are not read: no call has counted their memory yet.
 */
export function createStoreTier(options: {
  readonly storage: ObjectStorage;
  readonly store: BucketPrefix;
  readonly sink: Pick<Sink, 'isKnown' | 'noteStored' | 'noteDamaged'>;
  onError(error: unknown): void;
}): CacheTier {
  const { storage, store, sink, onError } = options;
  const missing = new LRUCache<string, true>({ max: maxMissing, ttl: missingMs });
  let pausedUntilMs = Number.NEGATIVE_INFINITY;

  /** Neither is a failure of the storage. */
  const expected: ReadonlySet<StorageProblem> = new Set(['OBJECT_MISSING', 'BYTES_OVER_LIMIT']);

  async function read(address: ObjectAddress, signal: AbortSignal) {
    try {
      return await storage.read(address, { maxBytes }, signal);
    } catch (error) {
      if (error instanceof StorageFailure && expected.has(error.problem)) return undefined;
      throw error;
    }
  }

  async function find(key: string, address: ObjectAddress, signal: AbortSignal) {
    const object = await read(address, signal);
    if (object === undefined) return undefined;
    const { content, info } = object;
    const sibling = isInSibling(info.metadata) ? await read(siblingOf(address), signal) : undefined;
    const response = fromStored(key, content, info.metadata, sibling?.content);
    if (response !== undefined) {
      sink.noteStored(address.key);
      return messageBytes(ProcessResponseSchema, response);
    }
    sink.noteDamaged(address.key);
    onError(new Error('a stored object is damaged or not ours; it counts as missing and is replaced'));
    return undefined;
  }

  return {
    name: 'store',

    async get(key, plan) {
      if (plan === undefined || performance.now() < pausedUntilMs) return undefined;
      const addresses = possibleExtensions(plan).map((extension) =>
        responseAddress(store, numericsVersions[plan.numerics], key, extension),
      );
      // The sink may have stored it since.
      if (missing.has(key) && !addresses.some((address) => sink.isKnown(address.key))) return undefined;
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const found = await Promise.all(addresses.map((address) => find(key, address, signal)));
        const value = found.find((each) => each !== undefined);
        if (value !== undefined) return { value };
        missing.set(key, true);
      } catch (error) {
        pausedUntilMs = performance.now() + pauseMs;
        onError(error);
      }
      return undefined;
    },

    // The sink writes: it knows which responses are kept.
    async set() {},
    async close() {},
  };
}
