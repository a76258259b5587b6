import type { Readable } from 'node:stream';

/** A file to store: its bytes can be read several times. */
export interface StoredFile {
  readonly bytes: number;
  /** 32 bytes. */
  readonly sha256: Buffer;
  /** A new stream of the bytes from `start` up to `end`, which is not included. */
  open(start: number, end: number): Readable;
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
  /**
   * Makes sure that a file which was written by `writeNew` cannot be written by another worker once more.
   *
   * @throws ClientError STORAGE_REPLACES
   */
  ensureWrittenOnce(name: string, file: StoredFile, contentType: string, signal: AbortSignal): Promise<void>;
  /** Writes a file, or replaces it. */
  replace(name: string, file: StoredFile, contentType: string, signal: AbortSignal): Promise<void>;
  /** Names and lengths of the files in a folder, in the order of their names; none if it does not exist. */
  list(folder: string, signal: AbortSignal): AsyncIterable<{ readonly name: string; readonly bytes: number }>;
  close(): void;
}
