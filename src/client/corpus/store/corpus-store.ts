import type { Readable } from 'node:stream';
import { isObjectUrl } from '../../../object-storage/object-address.ts';
import { usage } from '../../flags.ts';
import { openBucket } from './bucket-store.ts';
import { openFolder } from './folder-store.ts';

/** A file to store: its bytes can be read several times. */
export interface StoredFile {
  readonly bytes: number;
  /** 32 bytes. */
  readonly sha256: Buffer;
  /** A new stream of the bytes. */
  open(): Readable;
}

/** The properties of a stored file that need no reading. */
export interface FileInfo {
  readonly bytes: number;
  /** SHA-256 in hex, where the store knows it. */
  readonly sha256: string | undefined;
}

/**
 * Where a corpus is: a folder, or a prefix in a bucket. Names are relative paths with `/`. A file appears whole or not at
 * all, and of several writers of a name one writes.
 *
 * Every method throws a ClientError whose exit tells whether trying again can help.
 */
export interface CorpusStore {
  /** The path or the URL. */
  readonly url: string;
  /** The file's path or URL, for messages. */
  urlOf(name: string): string;
  /** @returns undefined if there is no such file */
  info(name: string, signal: AbortSignal): Promise<FileInfo | undefined>;
  /** The bytes of a file as they are read. @returns undefined if there is no such file */
  open(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Writes a file unless it exists. */
  writeNew(
    name: string,
    file: StoredFile,
    contentType: string,
    signal: AbortSignal,
  ): Promise<'written' | 'present'>;
  /** Writes a file, or replaces it. */
  replace(name: string, file: StoredFile, contentType: string, signal: AbortSignal): Promise<void>;
  /** Names and lengths of the files in a folder, in the order of their names; none if it does not exist. */
  list(folder: string, signal: AbortSignal): AsyncIterable<{ readonly name: string; readonly bytes: number }>;
  close(): void;
}

/**
 * Opens a store.
 *
 * @param url - a path, a `file://` URL or an `s3://` URL
 * @param patienceMs - how long a storage that is away or full is tried again, in milliseconds
 * @throws ClientError of bad usage
 */
export function openStore(
  url: string,
  environment: Readonly<Record<string, string | undefined>>,
  patienceMs: number,
): CorpusStore {
  if (isObjectUrl(url)) return openBucket(url, environment, patienceMs);
  if (/^file:/i.test(url) || !/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return openFolder(url);
  throw usage(`--out is "${url}"; allowed: a path, a file:// URL, or s3://bucket/prefix.`);
}
