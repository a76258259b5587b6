import type { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { attempt, defaultAttempts } from './attempts.ts';
import type { BucketPrefix, ObjectAddress } from './object-address.ts';
import { limitedBody, readWhole } from './object-body.ts';
import { infoOf, type ObjectInfo } from './object-info.ts';
import { bytesOf, type FileBody, type PutBody, partsOf, signHash } from './put-body.ts';
import { loadSdk, type StorageSettings } from './sdk.ts';
import { StorageFailure, storageFailureFrom } from './storage-failure.ts';
import { defaultPartBytes, uploadParts } from './upload-parts.ts';

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
   * Writes an object that does not exist yet, with its SHA-256, which the server verifies; a long file in parts. Of several
   * writers at once, one writes. After a lost response the second attempt finds the object of the first, which is then `present`.
   */
  putIfAbsent(
    address: ObjectAddress,
    body: PutBody,
    options: PutOptions,
    signal: AbortSignal,
  ): Promise<'written' | 'present'>;
  /**
   * Whether the server refuses to replace an object that was written by `putIfAbsent`, in one request and in parts: some ignore
   * `If-None-Match`, of the one or of both. Those get the object once more, with the bytes that it has.
   */
  refusesToReplace(
    address: ObjectAddress,
    file: FileBody,
    options: PutOptions,
    signal: AbortSignal,
  ): Promise<boolean>;
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

/** Bodies above this, in bytes, are sent only after the question whether the object exists. */
const askFirstBytes = 2 ** 20;
/** The condition of a write that must not replace an object. */
const onlyNew = { IfNoneMatch: '*' };

/** Opens object storage. The SDK is loaded, and credentials are looked up, at the first call. */
export function openObjectStorage(
  settings: StorageSettings & { readonly attempts?: number; readonly partBytes?: number },
): ObjectStorage {
  const sdk = loadSdk(settings);
  const { attempts = defaultAttempts, partBytes = defaultPartBytes } = settings;
  const calls = { sdk, attempts, partBytes };

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
    attempt(calls, address.bucket, signal, async (client) => {
      const opened = await open(address, options, client, signal);
      return opened && (await consume(opened));
    });

  const head: ObjectStorage['head'] = async (address, signal) => {
    const { HeadObjectCommand } = await sdk.commands();
    try {
      return infoOf(
        await attempt(calls, address.bucket, signal, (client) =>
          client.send(new HeadObjectCommand({ ...named(address), ChecksumMode: 'ENABLED' }), {
            abortSignal: signal,
          }),
        ),
      );
    } catch (error) {
      if (error instanceof StorageFailure && error.problem === 'OBJECT_MISSING') return undefined;
      throw error;
    }
  };

  /** Whether an object exists; false where the credentials do not allow the question. */
  async function isThere(address: ObjectAddress, signal: AbortSignal): Promise<boolean> {
    const info = await head(address, signal).catch(() => undefined);
    signal.throwIfAborted();
    return info !== undefined;
  }

  const described = (address: ObjectAddress, { contentType, metadata }: PutOptions) => ({
    ...named(address),
    ContentType: contentType,
    ...(metadata !== undefined && { Metadata: { ...metadata } }),
  });

  type Write<Body> = (
    address: ObjectAddress,
    body: Body,
    options: PutOptions,
    condition: { readonly IfNoneMatch?: string },
    signal: AbortSignal,
  ) => Promise<void>;

  const writeInParts: Write<FileBody> = (address, file, options, condition, signal) =>
    uploadParts(calls, described(address, options), file, condition, signal);

  const writeAtOnce: Write<PutBody> = async (address, body, options, condition, signal) => {
    const { PutObjectCommand } = await sdk.commands();
    const { content, bytes, sha256, open: openStream } = partsOf(body);
    await attempt(calls, address.bucket, signal, async (client) => {
      const stream = openStream?.();
      const command = new PutObjectCommand({
        ...described(address, options),
        ...condition,
        Body: (content ?? stream) as Uint8Array | Readable,
        ContentLength: bytes,
        ChecksumSHA256: Buffer.from(sha256).toString('base64'),
      });
      signHash(command, sha256);
      try {
        await client.send(command, { abortSignal: signal });
      } finally {
        stream?.destroy();
      }
    });
  };

  const write: Write<PutBody> = (address, body, ...rest) =>
    'open' in body && body.bytes > partBytes
      ? writeInParts(address, body, ...rest)
      : writeAtOnce(address, body, ...rest);

  return {
    get: (address, options, signal) =>
      attempt(calls, address.bucket, signal, (client) => open(address, options, client, signal)),

    use,

    read: (address, options, signal) =>
      use(address, options, signal, async ({ info, body }) => ({
        info,
        content: await readWhole(body, info.bytes),
      })),

    head,

    async putIfAbsent(address, body, options, signal) {
      if (bytesOf(body) > askFirstBytes && (await isThere(address, signal))) return 'present';
      try {
        await write(address, body, options, onlyNew, signal);
        return 'written';
      } catch (error) {
        if (!(error instanceof StorageFailure)) throw error;
        if (error.status === 412) return 'present';
        // Servers that refuse a body before they have read it close the connection, and the refusal may be lost.
        if (error.problem === 'DROPPED' && (await isThere(address, signal))) return 'present';
        throw error;
      }
    },

    async refusesToReplace(address, file, options, signal) {
      for (const writeAgain of [writeAtOnce, writeInParts]) {
        try {
          await writeAgain(address, file, options, onlyNew, signal);
          return false;
        } catch (error) {
          if (!(error instanceof StorageFailure && error.status === 412)) throw error;
        }
      }
      return true;
    },

    put: (address, body, options, signal) => write(address, body, options, {}, signal),

    async *list({ bucket, prefix }, signal) {
      const { ListObjectsV2Command } = await sdk.commands();
      let from: string | undefined;
      do {
        const page = await attempt(calls, bucket, signal, (client) =>
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

function named({ bucket, key, versionId }: ObjectAddress) {
  return { Bucket: bucket, Key: key, ...(versionId !== undefined && { VersionId: versionId }) };
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}
