import { Failure } from '../../failures.ts';
import {
  type BucketPrefix,
  isWithin,
  type ObjectAddress,
  ObjectAddressError,
  objectUrl,
  parseObjectUrl,
} from '../../object-storage/object-address.ts';
import type { ObjectStorage } from '../../object-storage/object-storage.ts';
import { StorageFailure } from '../../object-storage/storage-failure.ts';
import type { Download, Validators } from './download.ts';
import { failureFromStorage } from './object-failures.ts';
import { bytesOverLimit, readImage, wireBytesOf } from './response-image.ts';
import { withinTime } from './within-time.ts';

/** Objects in S3 as sources. */
export interface ObjectSources {
  /**
   * Parses an s3:// URL and checks that its object may be a source.
   *
   * @throws Failure URL_INVALID, BUCKET_FORBIDDEN
   */
  addressOf(url: string): ObjectAddress;
  /**
   * Reads an object. Its response is that of an HTTP origin, so that the same records serve both: an ETag and the
   * object's own Cache-Control; one version of an object never changes.
   *
   * @throws Failure ORIGIN_STATUS, ORIGIN_BUSY, ORIGIN_UNREACHABLE, ORIGIN_TIMEOUT, STORAGE_FAILED, SOURCE_EMPTY,
   *   SOURCE_BYTES_OVER_LIMIT, or the failure that `failureFromAbort` derives from the signal
   */
  read(address: ObjectAddress, validators: Validators | undefined, signal: AbortSignal): Promise<Download>;
}

/** @param allowed - the buckets and prefixes whose objects may be sources */
export function createObjectSources(
  storage: ObjectStorage,
  allowed: readonly BucketPrefix[],
  limits: {
    /** Most bytes of an image. */
    readonly maxBytes: number;
    /** Longest time for one object as a whole. */
    readonly timeoutMs: number;
  },
): ObjectSources {
  async function open(address: ObjectAddress, validators: Validators | undefined, signal: AbortSignal) {
    const { maxBytes } = limits;
    const maxWireBytes = wireBytesOf(maxBytes);
    const options = { maxBytes: maxWireBytes, ifNoneMatch: validators?.headers['if-none-match'] };
    const url = objectUrl(address);
    const place = `The bucket ${address.bucket}`;
    const read = await storage.use(address, options, signal, async ({ info, body }) => {
      const headers = {
        'content-length': String(info.bytes),
        ...(info.etag !== undefined && { etag: info.etag }),
        ...(info.contentEncoding !== undefined && { 'content-encoding': info.contentEncoding }),
        ...(info.cacheControl !== undefined && { 'cache-control': info.cacheControl }),
        ...(address.versionId !== undefined && { 'cache-control': 'max-age=86400' }),
      };
      const response = { url, status: 200, headers };
      return {
        responses: [response],
        content: await readImage(body, response, place, { maxBytes, maxWireBytes }),
      };
    });
    return read ?? { responses: [{ url, status: 304, headers: {} }], content: undefined };
  }

  return {
    addressOf(url) {
      const address = parse(url);
      if (allowed.some((within) => isWithin(address, within))) return address;
      throw forbidden(address.bucket, allowed.length === 0);
    },

    read(address, validators, signal) {
      return withinTime(`The bucket ${address.bucket}`, limits.timeoutMs, signal, async (either) => {
        try {
          return await open(address, validators, either);
        } catch (error) {
          if (error instanceof StorageFailure && error.problem === 'BYTES_OVER_LIMIT') {
            throw bytesOverLimit(limits.maxBytes, error.actual ?? limits.maxBytes + 1);
          }
          throw failureFromStorage(error);
        }
      });
    },
  };
}

function parse(url: string): ObjectAddress {
  try {
    return parseObjectUrl(url);
  } catch (error) {
    if (error instanceof ObjectAddressError) throw new Failure('URL_INVALID', error.message);
    throw error;
  }
}

function forbidden(bucket: string, allowsNone: boolean): Failure {
  const allowed = allowsNone ? 'reads no objects of S3' : 'does not read this object';
  return new Failure(
    'BUCKET_FORBIDDEN',
    `The service ${allowed}. Its operator allows buckets, or prefixes in them, by SOURCE_BUCKETS, for example ${bucket}.`,
    { bucket },
  );
}
