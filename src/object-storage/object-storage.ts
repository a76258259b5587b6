import { hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { untilAborted } from '../until-aborted.ts';
import type { BucketPrefix, ObjectAddress } from './object-address.ts';
import { limitedBody, readWhole } from './object-body.ts';
import { loadSdk, type StorageSettings } from './sdk.ts';
import { StorageFailure, storageFailureFrom } from './storage-failure.ts';

/** The properties of an object, without its bytes. */
export interface ObjectInfo {
  readonly bytes: number;
  /** With its quotes, as `ifNoneMatch` takes it. */
  readonly etag: string | undefined;
  readonly versionId: string | undefined;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly cacheControl: string | undefined;
  /** SHA-256 of the bytes in base64, where the writer gave one. */
  readonly sha256: string | undefined;
  /** By lower-case names. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface GetOptions {
  /** Most bytes of the object, or of its range. Default: no limit. */
  readonly maxBytes?: number | undefined;
  /** First and last byte, both included. */
  readonly range?: readonly [first: number, last: number] | undefined;
  /** An ETag: an object that still has it is not sent. */
  readonly ifNoneMatch?: string | undefined;
}

export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string | undefined;
}

/**
 * The bytes to write: in memory, without their SHA-256 or with it, or from a place that can be read several times, such as
 * a file.
 */
export type PutBody =
  | Uint8Array
  | { readonly content: Uint8Array; readonly sha256: Uint8Array }
  | {
      readonly bytes: number;
      /** 32 bytes. */
      readonly sha256: Uint8Array;
      /** A new stream of the bytes for each attempt. */
      open(): Readable;
    };

export interface PutOptions {
  readonly contentType: string;
  /** ASCII; S3 takes 2 KB of names and values together. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * Objects in S3. Every method throws StorageFailure, or the signal's reason as soon as the signal aborts. Failures that
 * pass by themselves are tried again, `attempts` times in all.
 */
export interface ObjectStorage {
  /**
   * Opens an object for reading. A body that breaks off throws StorageFailure DROPPED and is not read again.
   *
   * @returns undefined if the object still has the ETag `ifNoneMatch`
   */
  get(
    address: ObjectAddress,
    options: GetOptions,
    signal: AbortSignal,
  ): Promise<{ readonly info: ObjectInfo; readonly body: AsyncIterable<Uint8Array> } | undefined>;
  /** The same with a reader; when the body breaks off, the object is opened again for another call of it. */
  use<T>(
    address: ObjectAddress,
    options: GetOptions,
    signal: AbortSignal,
    consume: (object: { readonly info: ObjectInfo; readonly body: AsyncIterable<Uint8Array> }) => Promise<T>,
  ): Promise<T | undefined>;
  /** The same, read into one buffer of its own. */
  read(
    address: ObjectAddress,
    options: GetOptions,
    signal: AbortSignal,
  ): Promise<{ readonly info: ObjectInfo; readonly content: Uint8Array } | undefined>;
  /** @returns undefined if there is no such object */
  head(address: ObjectAddress, signal: AbortSignal): Promise<ObjectInfo | undefined>;
  /**
   * Writes an object that does not exist yet, with its SHA-256, which the server verifies. Of several writers at once,
   * one writes. After a lost response the second attempt finds the object of the first, which is then `present`.
   */
  putIfAbsent(
    address: ObjectAddress,
    body: PutBody,
    options: PutOptions,
    signal: AbortSignal,
  ): Promise<'written' | 'present'>;
  /** Writes an object, or replaces it. */
  put(address: ObjectAddress, body: PutBody, options: PutOptions, signal: AbortSignal): Promise<void>;
  /**
   * The objects below a prefix, by the order of their keys in UTF-8, a page at a time.
   *
   * @param prefix - `photos` lists `photos/…`; `photos-of-me/…` is not among them
   */
  list(within: BucketPrefix, signal: AbortSignal): AsyncIterable<readonly ListedObject[]>;
  /** A URL by which anybody gets the object for some seconds, without credentials. It is made without a request. */
  presignGet(address: ObjectAddress, seconds: number): Promise<string>;
  /** Loads the SDK, which takes a third of a second: for a service that will need it. */
  warm(): Promise<void>;
  close(): void;
}

/** Attempts of one call, the first included. */
const defaultAttempts = 3;
/** First wait between two attempts, in ms; each further one is twice as long, and all are shortened by up to half. */
const firstWaitMs = 100;
/** Longest wait that a storage may ask for within a call; a longer one fails the call, and its caller waits. */
const maxWaitMs = 2000;

/** Opens object storage. The SDK is loaded, and credentials are looked up, at the first call. */
export function openObjectStorage(settings: StorageSettings & { readonly attempts?: number }): ObjectStorage {
  const { attempts = defaultAttempts } = settings;
  const sdk = loadSdk(settings);

  /** Runs `call`, again after failures that pass, and once more with new credentials after those were refused. */
  async function attempt<T>(
    bucket: string,
    signal: AbortSignal,
    call: (client: S3Client) => Promise<T>,
  ): Promise<T> {
    for (let left = attempts - 1; ; left--) {
      signal.throwIfAborted();
      const { client, renew } = await untilAborted(sdk.client(), signal);
      try {
        return await untilAborted(call(client), signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        const failure = storageFailureFrom(error, bucket);
        if (!(failure instanceof StorageFailure)) throw failure;
        await waitForAttempt(failure, left, attempts - 1 - left, renew, signal);
      }
    }
  }

  async function open(address: ObjectAddress, options: GetOptions, client: S3Client, signal: AbortSignal) {
    const { GetObjectCommand } = await sdk.commands();
    const { range, ifNoneMatch, maxBytes = Number.POSITIVE_INFINITY } = options;
    try {
      const response = await client.send(
        new GetObjectCommand({
          ...named(address),
          ...(range !== undefined && { Range: `bytes=${range[0]}-${range[1]}` }),
          ...(ifNoneMatch !== undefined && { IfNoneMatch: ifNoneMatch }),
        }),
        { abortSignal: signal },
      );
      const info = infoOf(response);
      return {
        info,
        body: limitedBody(response.Body as Readable, info.bytes, maxBytes, address.bucket, signal),
      };
    } catch (error) {
      if (statusOf(error) === 304) return undefined;
      throw error;
    }
  }

  const use: ObjectStorage['use'] = (address, options, signal, consume) =>
    attempt(address.bucket, signal, async (client) => {
      const opened = await open(address, options, client, signal);
      return opened && (await consume(opened));
    });

  async function write(
    address: ObjectAddress,
    body: PutBody,
    { contentType, metadata }: PutOptions,
    condition: { readonly IfNoneMatch?: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { PutObjectCommand } = await sdk.commands();
    const { content, bytes, sha256, open: openStream } = partsOf(body);
    const hex = Buffer.from(sha256).toString('hex');
    await attempt(address.bucket, signal, async (client) => {
      const stream = openStream?.();
      const command = new PutObjectCommand({
        ...named(address),
        ...condition,
        Body: (content ?? stream) as Uint8Array | Readable,
        ContentLength: bytes,
        ContentType: contentType,
        ChecksumSHA256: Buffer.from(sha256).toString('base64'),
        ...(metadata !== undefined && { Metadata: { ...metadata } }),
      });
      // The signature covers it, and the SDK does not hash the bytes once more.
      command.middlewareStack.add(
        (next) => (args) => {
          (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = hex;
          return next(args);
        },
        { step: 'build', name: 'contentSha256' },
      );
      try {
        await client.send(command, { abortSignal: signal });
      } finally {
        stream?.destroy();
      }
    });
  }

  return {
    get: (address, options, signal) =>
      attempt(address.bucket, signal, (client) => open(address, options, client, signal)),

    use,

    read: (address, options, signal) =>
      use(address, options, signal, async ({ info, body }) => ({
        info,
        content: await readWhole(body, info.bytes),
      })),

    async head(address, signal) {
      const { HeadObjectCommand } = await sdk.commands();
      try {
        return infoOf(
          await attempt(address.bucket, signal, (client) =>
            client.send(new HeadObjectCommand({ ...named(address), ChecksumMode: 'ENABLED' }), {
              abortSignal: signal,
            }),
          ),
        );
      } catch (error) {
        if (error instanceof StorageFailure && error.problem === 'OBJECT_MISSING') return undefined;
        throw error;
      }
    },

    async putIfAbsent(address, body, options, signal) {
      try {
        await write(address, body, options, { IfNoneMatch: '*' }, signal);
        return 'written';
      } catch (error) {
        if (error instanceof StorageFailure && error.status === 412) return 'present';
        throw error;
      }
    },

    put: (address, body, options, signal) => write(address, body, options, {}, signal),

    async *list({ bucket, prefix }, signal) {
      const { ListObjectsV2Command } = await sdk.commands();
      let from: string | undefined;
      do {
        const page = await attempt(bucket, signal, (client) =>
          client.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix === '' ? '' : `${prefix}/`,
              ...(from !== undefined && { ContinuationToken: from }),
            }),
            { abortSignal: signal },
          ),
        );
        yield (page.Contents ?? []).map(({ Key = '', Size = 0, ETag }) => ({
          key: Key,
          bytes: Size,
          etag: ETag,
        }));
        from = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (from !== undefined);
    },

    async presignGet(address, seconds) {
      const { GetObjectCommand, getSignedUrl } = await sdk.commands();
      const { client } = await sdk.client();
      return await getSignedUrl(client, new GetObjectCommand(named(address)), { expiresIn: seconds }).catch(
        (error: unknown) => {
          throw storageFailureFrom(error, address.bucket);
        },
      );
    },

    async warm() {
      await sdk.client();
    },
    close: () => sdk.close(),
  };
}

/** Waits before the next attempt. @throws the failure if another attempt cannot help */
async function waitForAttempt(
  failure: StorageFailure,
  left: number,
  made: number,
  renewCredentials: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  const isSkewed = failure.problem === 'CLOCK_SKEWED';
  if (left <= 0 || !(failure.isRetryable || isSkewed)) throw failure;
  // The SDK has learnt the server's time from the refusal; with another clock the call can be signed at once.
  if (isSkewed && made === 0) return;
  if (isSkewed) throw failure;
  if (failure.problem === 'CREDENTIALS_INVALID') {
    if (!renewCredentials()) throw failure;
    return;
  }
  const requested = (failure.retryAfterSeconds ?? 0) * 1000;
  if (requested > maxWaitMs) throw failure;
  const wait = firstWaitMs * 2 ** made * (1 - Math.random() / 2);
  await sleep(Math.max(wait, requested), undefined, { signal }).catch(() => {
    throw signal.reason;
  });
}

function partsOf(body: PutBody): {
  readonly content?: Uint8Array;
  readonly bytes: number;
  readonly sha256: Uint8Array;
  readonly open?: () => Readable;
} {
  if (body instanceof Uint8Array) {
    return { content: body, bytes: body.byteLength, sha256: hash('sha256', body, 'buffer') };
  }
  if ('content' in body) return { ...body, bytes: body.content.byteLength };
  return { bytes: body.bytes, sha256: body.sha256, open: () => body.open() };
}

function named({ bucket, key, versionId }: ObjectAddress) {
  return { Bucket: bucket, Key: key, ...(versionId !== undefined && { VersionId: versionId }) };
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

/** The fields that GET and HEAD share. */
function infoOf(response: {
  ContentLength?: number | undefined;
  ETag?: string | undefined;
  VersionId?: string | undefined;
  ContentType?: string | undefined;
  ContentEncoding?: string | undefined;
  CacheControl?: string | undefined;
  ChecksumSHA256?: string | undefined;
  Metadata?: Record<string, string> | undefined;
}): ObjectInfo {
  return {
    bytes: response.ContentLength ?? 0,
    etag: response.ETag,
    versionId: response.VersionId,
    contentType: response.ContentType,
    contentEncoding: response.ContentEncoding,
    cacheControl: response.CacheControl,
    sha256: response.ChecksumSHA256,
    metadata: response.Metadata ?? {},
  };
}
