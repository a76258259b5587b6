import { type FileHandle, open } from 'node:fs/promises';
import { parseObjectUrl } from '../../../object-storage/object-address.ts';
import type { ObjectStorage } from '../../../object-storage/object-storage.ts';
import { ClientError } from '../../client-error.ts';
import { codeOf, unreadable } from '../../files.ts';

/** The file of a list, on a disk or in object storage. */
export interface ListFile extends AsyncDisposable {
  /** Path or URL. */
  readonly name: string;
  readonly bytes: number;
  /** Bytes from `start` to before `end`. @throws ClientError, StorageFailure */
  slice(start: number, end: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /** All bytes, piece by piece. @throws ClientError, StorageFailure */
  stream(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Bytes of one read of a stream. */
const pieceBytes = 1024 * 1024;

/** @throws ClientError INPUT_MISSING, INPUT_UNREADABLE */
export async function openLocalList(path: string): Promise<ListFile> {
  const file = await open(path).catch((cause: unknown) => {
    if (codeOf(cause) !== 'ENOENT') throw unreadable(path, cause);
    throw new ClientError('usage', 'INPUT_MISSING', `There is no list "${path}".`, { cause });
  });
  const stats = await file.stat();
  if (!stats.isFile()) {
    await file.close();
    const message = `"${path}" is not a file. A list is a file, or an s3:// prefix whose objects are the images.`;
    throw new ClientError('usage', 'INPUT_UNREADABLE', message);
  }
  const slice = (start: number, end: number) => readAt(file, path, start, end);
  return {
    name: path,
    bytes: stats.size,
    slice,
    async *stream(signal) {
      for (let at = 0; at < stats.size; at += pieceBytes) {
        signal.throwIfAborted();
        yield await slice(at, Math.min(at + pieceBytes, stats.size));
      }
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

async function readAt(
  file: FileHandle,
  path: string,
  start: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - start);
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await file
      .read(bytes, at, bytes.length - at, start + at)
      .catch((cause: unknown) => {
        throw unreadable(path, cause);
      });
    if (bytesRead === 0) throw changed(path);
    at += bytesRead;
  }
  return bytes;
}

/** @throws ClientError INPUT_MISSING; StorageFailure; ObjectAddressError */
export async function openStoredList(
  url: string,
  storage: ObjectStorage,
  signal: AbortSignal,
): Promise<ListFile> {
  const address = parseObjectUrl(url);
  const info = await storage.head(address, signal);
  if (info === undefined) {
    throw new ClientError('usage', 'INPUT_MISSING', `There is no list "${url}". A prefix ends with "/".`);
  }
  const get = async (range: readonly [number, number] | undefined, stop: AbortSignal) => {
    const found = await storage.get(address, { range }, stop);
    // The passes over a list, and its slices, have to be of one object.
    if (found === undefined || found.info.etag !== info.etag) throw changed(url);
    return found.body;
  };
  return {
    name: url,
    bytes: info.bytes,
    async slice(start, end, stop) {
      const bytes = new Uint8Array(end - start);
      let at = 0;
      for await (const piece of await get([start, end - 1], stop)) {
        bytes.set(piece, at);
        at += piece.length;
      }
      if (at !== bytes.length) throw changed(url);
      return bytes;
    },
    async *stream(stop) {
      if (info.bytes > 0) yield* await get(undefined, stop);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

function changed(name: string): ClientError {
  const message = `"${name}" changed while it was read; plan again when it no longer changes.`;
  return new ClientError('files', 'INPUT_UNREADABLE', message);
}
