import { shortened } from '../shortened.ts';

/** The address of one object: `s3://bucket/key`, or `s3://bucket/key?versionId=VERSION`. */
export interface ObjectAddress {
  readonly bucket: string;
  /** As S3 stores it: nothing in it is percent-encoded. */
  readonly key: string;
  /** One version of the object; undefined for the newest. */
  readonly versionId?: string | undefined;
}

/** A bucket, or the objects in it whose keys begin with `prefix`. */
export interface BucketPrefix {
  readonly bucket: string;
  /** Without a slash at either end; empty for the whole bucket. */
  readonly prefix: string;
}

/** An address that is not one. The message is a sentence for the caller. */
export class ObjectAddressError extends Error {
  override readonly name = 'ObjectAddressError';
}

/** In bytes of UTF-8: S3's own limit. */
const maxKeyBytes = 1024;
const maxVersionIdLength = 1024;

/** As the SDK and all servers accept it; Google's buckets may contain underscores. */
const bucketForm = /^(?!.*\.\.)[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/;

/** Whether a text names an object or a prefix in S3. */
export function isObjectUrl(text: string): boolean {
  return /^s3:/i.test(text);
}

/**
 * Parses the address of an object. The key is what follows the bucket, character by character, as in `aws s3 cp`: `%`,
 * `#` and `?` are parts of it. Only `?versionId=` at the end is not.
 *
 * @throws ObjectAddressError
 */
export function parseObjectUrl(url: string): ObjectAddress {
  const { bucket, rest } = splitUrl(url);
  const [, key = '', versionId] = /^(.*?)(?:\?versionId=([^?&#]*))?$/s.exec(rest) ?? [];
  if (key === '') throw new ObjectAddressError('The URL names no object. Give s3://bucket/key.');
  checkKey(key);
  if (versionId === undefined) return { bucket, key };
  if (!/^[\x21-\x7e]+$/.test(versionId) || versionId.length > maxVersionIdLength) {
    throw new ObjectAddressError('The URL has a versionId that is empty or not one of S3.');
  }
  return { bucket, key, versionId };
}

/**
 * Parses `s3://bucket` or `s3://bucket/prefix`, with a slash at its end or without.
 *
 * @throws ObjectAddressError
 */
export function parsePrefixUrl(url: string): BucketPrefix {
  const { bucket, rest } = splitUrl(url);
  return { bucket, prefix: checkedPrefix(rest) };
}

/**
 * Parses `bucket` or `bucket/prefix`, as lists of allowed buckets have it.
 *
 * @throws ObjectAddressError
 */
export function parseBucketPrefix(text: string): BucketPrefix {
  const [bucket = '', ...rest] = text.split('/');
  checkBucket(bucket);
  return { bucket, prefix: checkedPrefix(rest.join('/')) };
}

/** The URL of an object: what `parseObjectUrl` reads. */
export function objectUrl({ bucket, key, versionId }: ObjectAddress): string {
  return `s3://${bucket}/${key}${versionId === undefined ? '' : `?versionId=${versionId}`}`;
}

/** The address of an object below a prefix. @param path - its key without the prefix */
export function addressBelow({ bucket, prefix }: BucketPrefix, path: string): ObjectAddress {
  return { bucket, key: prefix === '' ? path : `${prefix}/${path}` };
}

/** Whether an object is in a bucket, below its prefix: `photos` contains `photos/cat.jpg`, but not `photos-of-me/cat.jpg`. */
export function isWithin({ bucket, key }: ObjectAddress, within: BucketPrefix): boolean {
  return bucket === within.bucket && (within.prefix === '' || key.startsWith(`${within.prefix}/`));
}

function splitUrl(url: string): { readonly bucket: string; readonly rest: string } {
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/?#]*)\/?(.*)$/is.exec(url) ?? [];
  if (bucket === '') throw new ObjectAddressError('The URL names no bucket. Give s3://bucket/key.');
  checkBucket(bucket);
  return { bucket, rest };
}

function checkBucket(bucket: string): void {
  if (bucketForm.test(bucket)) return;
  throw new ObjectAddressError(
    `"${shortened(bucket)}" is not the name of a bucket: 3 to 63 lower-case letters, digits, dots, hyphens and underscores.`,
  );
}

function checkedPrefix(text: string): string {
  const prefix = text.replace(/\/+$/, '');
  if (prefix !== '') checkKey(prefix);
  return prefix;
}

/**
 * S3 takes `..` in a key as it stands, but servers over a file system and proxies resolve it, some after decoding the
 * key once more, and so leave the prefix that the key was allowed by.
 */
function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > maxKeyBytes) {
    throw new ObjectAddressError(`The key has ${bytes} bytes; at most ${maxKeyBytes} are allowed.`);
  }
  if (!key.isWellFormed() || key.includes('\0')) {
    throw new ObjectAddressError('The key contains a character that S3 does not store.');
  }
  if (key.startsWith('/')) {
    throw new ObjectAddressError(
      'The key begins with a slash. Give s3://bucket/key with one slash between them.',
    );
  }
  const segments = key
    .replaceAll(/%2e/gi, '.')
    .replaceAll(/%2f|%5c|\\/gi, '/')
    .split('/');
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw new ObjectAddressError('The key contains "." or ".." between slashes, which is not allowed.');
  }
}
