import { setTimeout as sleep } from 'node:timers/promises';
import {
  addressBelow,
  ObjectAddressError,
  objectUrl,
  parsePrefixUrl,
} from '../../../object-storage/object-address.ts';
import type { ObjectStorage } from '../../../object-storage/object-storage.ts';
import { StorageFailure } from '../../../object-storage/storage-failure.ts';
import { ClientError } from '../../client-error.ts';
import { usage } from '../../flags.ts';
import { clientStorage } from './client-storage.ts';
import type { CorpusStore, StoredFile } from './corpus-store.ts';

/** The longest wait between two attempts, in milliseconds. */
const maxWaitMs = 10_000;

/** The metadata that has a file's SHA-256 in hex: servers give back their own checksum in different ways. */
const sha256Name = 'sha256';

/** Opens a prefix of a bucket as a store. @throws ClientError of bad usage */
export function openBucket(
  url: string,
  environment: Readonly<Record<string, string | undefined>>,
  patienceMs: number,
): CorpusStore {
  const root = prefixOf(url);
  const { bucket, prefix } = root;
  const storage = clientStorage(environment);
  const addressOf = (name: string) => addressBelow(root, name);
  const urlOf = (name: string) => objectUrl(addressOf(name));
  const patiently = <Result>(name: string, signal: AbortSignal, call: () => Promise<Result>) =>
    tryFor(patienceMs, urlOf(name), signal, call);

  return {
    url: objectUrl({ bucket, key: prefix }),
    urlOf,

    info: (name, signal) =>
      patiently(name, signal, async () => {
        const info = await storage.head(addressOf(name), signal);
        return info && { bytes: info.bytes, sha256: info.metadata[sha256Name] };
      }),

    open: (name, signal) =>
      patiently(name, signal, async () => {
        try {
          const found = await storage.get(addressOf(name), {}, signal);
          const openFrom = (start: number, end: number) =>
            patiently(name, signal, () => storage.get(addressOf(name), { range: [start, end] }, signal));
          return found && bodyOf(found, openFrom, bucket, urlOf(name));
        } catch (error) {
          if (error instanceof StorageFailure && error.problem === 'OBJECT_MISSING') return undefined;
          throw error;
        }
      }),

    writeNew: (name, file, contentType, signal) =>
      patiently(name, signal, () =>
        storage.putIfAbsent(addressOf(name), file, optionsOf(file, contentType), signal),
      ),

    async ensureWrittenOnce(name, file, contentType, signal) {
      const refuses = await patiently(name, signal, () =>
        storage.refusesToReplace(addressOf(name), file, optionsOf(file, contentType), signal),
      );
      if (refuses) return;
      throw new ClientError(
        'files',
        'STORAGE_REPLACES',
        `"${urlOf(name)}": the storage ignores If-None-Match and replaced this object, so workers would replace each other's shards. Set --out to a bucket of a server that heeds it, or to a folder.`,
      );
    },

    replace: (name, file, contentType, signal) =>
      patiently(name, signal, () => storage.put(addressOf(name), file, optionsOf(file, contentType), signal)),

    async *list(folder, signal) {
      const start = prefix === '' ? 0 : prefix.length + 1;
      try {
        for await (const page of storage.list({ bucket, prefix: addressOf(folder).key }, signal)) {
          for (const { key, bytes } of page) yield { name: key.slice(start), bytes };
        }
      } catch (error) {
        throw clientErrorOf(error, urlOf(folder));
      }
    },

    close: () => storage.close(),
  };
}

function prefixOf(url: string) {
  try {
    return parsePrefixUrl(url);
  } catch (error) {
    throw usage(`--out is "${url}": ${error instanceof Error ? error.message : String(error)}`);
  }
}

const optionsOf = ({ sha256 }: StoredFile, contentType: string) => ({
  contentType,
  metadata: { [sha256Name]: sha256.toString('hex') },
});

type OpenedObject = NonNullable<Awaited<ReturnType<ObjectStorage['get']>>>;

/**
 * The bytes of an object. Where its body breaks off, the rest is requested, unless the object was replaced meanwhile.
 *
 * @param openFrom - opens the object at a byte, up to another one, which is included
 */
async function* bodyOf(
  { info, body }: OpenedObject,
  openFrom: (start: number, end: number) => Promise<OpenedObject | undefined>,
  bucket: string,
  url: string,
): AsyncGenerator<Uint8Array> {
  let received = 0;
  for (let rest: AsyncIterable<Uint8Array> = body; ; ) {
    const before = received;
    try {
      for await (const chunk of rest) {
        received += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      const isOver = !(error instanceof StorageFailure && error.isRetryable) || received === before;
      if (isOver) throw clientErrorOf(error, url);
    }
    const opened = await openFrom(received, info.bytes - 1);
    if (opened === undefined || opened.info.etag !== info.etag)
      throw clientErrorOf(new StorageFailure('CONFLICT', bucket), url);
    rest = opened.body;
  }
}

/** Calls until it succeeds, for as long as its failures pass by themselves. */
async function tryFor<Result>(
  patienceMs: number,
  url: string,
  signal: AbortSignal,
  call: () => Promise<Result>,
): Promise<Result> {
  const untilMs = performance.now() + patienceMs;
  for (let waitMs = 500; ; waitMs = Math.min(maxWaitMs, 2 * waitMs)) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      const isOver = !(error instanceof StorageFailure && error.isRetryable) || performance.now() > untilMs;
      if (isOver) throw clientErrorOf(error, url);
      const requestedMs = 1000 * (error.retryAfterSeconds ?? 0);
      await sleep(Math.max(requestedMs, waitMs * (1 - Math.random() / 2)), undefined, { signal });
    }
  }
}

/** A failure of storage as an error that ends the client; other errors unchanged. @param url - that was given */
export function clientErrorOf(error: unknown, url: string): unknown {
  if (error instanceof ObjectAddressError) return usage(`"${url}": ${error.message}`);
  if (!(error instanceof StorageFailure)) return error;
  const end = error.isRetryable ? 'unavailable' : 'files';
  return new ClientError(end, `STORAGE_${error.problem}`, `"${url}": ${error.message}`, { cause: error });
}
