import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { type ProcessResponse, Store, type StoreOptions } from '../../../gen/image/v1/processor_pb.ts';
import { Failure, failureFromAbort } from '../../failures.ts';
import { extensionOf } from '../../file-extension.ts';
import { type BucketPrefix, type ObjectAddress, objectUrl } from '../../object-storage/object-address.ts';
import type { ObjectStorage } from '../../object-storage/object-storage.ts';
import { StorageFailure } from '../../object-storage/storage-failure.ts';
import { formatName } from '../../options/contract-words.ts';
import { storageFailed } from '../source/object-failures.ts';
import { responseAddress, sourceAddress } from './store-keys.ts';
import { createStoreQueue, type StoreQueue } from './store-queue.ts';
import { describe, metadataOf, needsSibling } from './stored-response.ts';

export interface SinkOptions {
  readonly storage: ObjectStorage;
  /** Where responses are kept. */
  readonly store: BucketPrefix;
  /** Which responses are kept: all, or those whose request asks for it. */
  readonly mode: 'all' | 'asked';
  /** Whether the sources of kept responses are kept too. */
  readonly keepsSources: boolean;
  readonly maxLinkSeconds: number;
  /** Objects and bytes that may wait. */
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  /** One object was written, was there, or was not kept. */
  onOutcome(outcome: StoreOutcome, bytes: number): void;
  onError(error: unknown): void;
}

/** The outcomes of one object. `full`: the queue had no room. `late`: the process ended first. */
export const storeOutcomes = ['written', 'present', 'failed', 'full', 'late'] as const;
export type StoreOutcome = (typeof storeOutcomes)[number];

/** The source of a response. */
export interface StoredSource {
  readonly sha256: string;
  readonly content: Uint8Array;
}

/** Keeps responses in object storage. */
export interface Sink {
  /**
   * Keeps a response as its request asks for, with its own copy of the bytes, and sets `stored_uri` and `stored_link`. It
   * waits for the storage only with STORE_WAIT.
   *
   * @param source - undefined where the source's bytes were not read
   * @throws Failure STORAGE_FAILED, or the one of `failureFromAbort`, with STORE_WAIT only
   */
  keep(
    response: ProcessResponse,
    options: StoreOptions | undefined,
    source: StoredSource | undefined,
    signal: AbortSignal,
  ): Promise<ProcessResponse>;
  /** Whether an object is known to be in the storage. */
  isKnown(key: string): boolean;
  /** Notes that an object is in the storage, because it was read from there. */
  noteStored(key: string): void;
  /** Notes that an object is damaged: the next response of its key replaces it. */
  noteDamaged(key: string): void;
  readonly queue: Pick<StoreQueue, 'waiting' | 'waitingBytes'>;
  /** Waits until the queue is empty, at most `timeoutMs`; the objects left are dropped and counted. */
  drain(timeoutMs: number): Promise<void>;
}

/** Objects that are known to be stored. A lifecycle rule may delete them, so the knowledge is kept for a while only. */
const maxKnown = 20_000;
const knownMs = 10 * 60_000;

interface StoreObject {
  readonly address: ObjectAddress;
  readonly content: Uint8Array;
  readonly contentType: string;
  /** Of a response: `describe`. */
  readonly json?: string;
}

/** Keeps responses. Nothing of it delays or fails a response, unless that waits for it. */
export function createSink(options: SinkOptions): Sink {
  const { storage, store, mode, keepsSources, maxLinkSeconds, onOutcome } = options;
  const known = new LRUCache<string, true>({ max: maxKnown, ttl: knownMs });
  const damaged = new Set<string>();
  const queue = createStoreQueue({ ...options, store: put });

  async function put(object: StoreObject, signal: AbortSignal): Promise<'written' | 'present'> {
    const { address, content, contentType, json } = object;
    // In libuv's threads: it takes a millisecond for a tensor, and requests must not wait for it.
    const sha256 = new Uint8Array(await crypto.subtle.digest('SHA-256', content as Uint8Array<ArrayBuffer>));
    const body = { content, sha256 };
    const more = { contentType, metadata: json === undefined ? undefined : metadataOf(json, sha256) };
    if (!damaged.has(address.key)) return await storage.putIfAbsent(address, body, more, signal);
    await storage.put(address, body, more, signal);
    damaged.delete(address.key);
    return 'written';
  }

  function isMissing({ key }: ObjectAddress, mayBeQueued: boolean): boolean {
    return !known.has(key) && !(mayBeQueued && queue.has(key));
  }

  /** Copies of the objects of a response, in the order in which they have to be written. */
  function copiesOf(response: ProcessResponse, address: ObjectAddress): StoreObject[] {
    const json = describe(response);
    const { contentType } = response;
    const main = { address, content: Uint8Array.from(response.content), contentType, json };
    if (!needsSibling(json)) return [main];
    const at = siblingOf(address);
    if (damaged.has(address.key)) damaged.add(at.key);
    // First, so that each response that is there is whole.
    return [{ address: at, content: Buffer.from(json), contentType: 'application/json' }, main];
  }

  /**
   * Copies of the objects that are not known to be stored.
   *
   * @returns undefined if the queue has no room for them
   */
  function copiesToKeep(
    response: ProcessResponse,
    address: ObjectAddress,
    source: StoredSource | undefined,
    isWaiting: boolean,
  ): StoreObject[] | undefined {
    const kept = keepsSources ? source : undefined;
    const at = kept && sourceAddress(store, kept.sha256);
    const sourceBytes = kept && at && isMissing(at, !isWaiting) ? kept.content : undefined;
    const isNew = isMissing(address, !isWaiting);
    const bytes = (sourceBytes?.byteLength ?? 0) + (isNew ? response.content.byteLength : 0);
    if (!isWaiting && bytes > 0 && !queue.hasRoom(bytes)) {
      onOutcome('full', bytes);
      return undefined;
    }
    const objects = isNew ? copiesOf(response, address) : [];
    if (at === undefined || sourceBytes === undefined) return objects;
    const content = Uint8Array.from(sourceBytes);
    return [{ address: at, content, contentType: contentTypeOfSource(response) }, ...objects];
  }

  async function putNow(objects: readonly StoreObject[], signal: AbortSignal): Promise<void> {
    for (const object of objects) {
      const bytes = object.content.byteLength;
      try {
        onOutcome(await put(object, signal), bytes);
        known.set(object.address.key, true);
      } catch (error) {
        onOutcome('failed', bytes);
        if (signal.aborted) throw failureFromAbort(signal);
        options.onError(error);
        throw error instanceof StorageFailure ? storageFailed(error) : error;
      }
    }
  }

  return {
    async keep(response, wanted, source, signal) {
      const how = wanted?.store ?? Store.UNSPECIFIED;
      const keeps = how === Store.UNSPECIFIED ? mode === 'all' : how !== Store.NO;
      if (!keeps) return response;
      const version = response.provenance?.numericsVersion ?? '';
      const address = responseAddress(store, version, response.key, extensionOf(response.contentType));
      const isWaiting = how === Store.WAIT;
      const objects = copiesToKeep(response, address, source, isWaiting);
      if (objects === undefined) return response;
      if (isWaiting) await putNow(objects, signal);
      else queue.add(objects, (key) => known.set(key, true));
      response.storedUri = objectUrl(address);
      const seconds = Math.min(wanted?.linkSeconds ?? 0, maxLinkSeconds);
      if (seconds > 0) response.storedLink = await linkTo(address, seconds, how);
      return response;
    },
    isKnown: (key) => known.has(key),
    noteStored: (key) => void known.set(key, true),
    noteDamaged(key) {
      known.delete(key);
      damaged.add(key);
    },
    queue,
    async drain(timeoutMs) {
      const stop = new AbortController();
      await Promise.race([
        queue.drain(),
        sleep(timeoutMs, undefined, { signal: stop.signal, ref: false }).catch(() => {}),
      ]);
      stop.abort();
      queue.close();
    },
  };

  /** A link costs no request, but needs credentials. Without them only a response that waits fails. */
  async function linkTo(address: ObjectAddress, seconds: number, how: Store): Promise<string> {
    try {
      return await storage.presignGet(address, seconds);
    } catch (error) {
      options.onError(error);
      if (how === Store.WAIT && error instanceof StorageFailure) throw storageFailed(error);
      return '';
    }
  }
}

/** The JSON of a response that is too long for metadata. */
export function siblingOf(address: ObjectAddress): ObjectAddress {
  return { ...address, key: `${address.key}.json` };
}

/** @throws Failure OPTION_INVALID where a request asks a service without STORE_URL to keep its response */
export function refuseStore(options: StoreOptions | undefined): void {
  if (options === undefined) return;
  const isAsked = options.store === Store.YES || options.store === Store.WAIT;
  if (!isAsked && options.linkSeconds === 0) return;
  const option = isAsked ? 'store' : 'store_link';
  throw new Failure(
    'OPTION_INVALID',
    `${option}: this service keeps no responses. Leave it out, or have STORE_URL set.`,
    { option, allowed: 'unset' },
  );
}

function contentTypeOfSource({ source }: ProcessResponse): string {
  return source === undefined ? 'application/octet-stream' : typeOfFormat(formatName(source.format));
}

function typeOfFormat(format: string): string {
  return format === 'pdf' ? 'application/pdf' : `image/${format}`;
}
