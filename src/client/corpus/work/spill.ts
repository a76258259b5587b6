import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ClientError } from '../../client-error.ts';
import { codeOf, unwritable } from '../../files.ts';
import type { StoredFile } from '../store/corpus-store.ts';

/** Bytes that are written or read at once. */
const blockBytes = 2 ** 20;

/** A file without a name: the system removes it when this process ends, however it ends. */
export interface Spill extends AsyncDisposable {
  /**
   * Appends bytes, which the caller must not change afterwards.
   *
   * @returns their offset
   * @throws ClientError SPILL_FULL, OUTPUT_UNWRITABLE, of these bytes or of earlier ones
   */
  append(bytes: Uint8Array): Promise<number>;
  /** @throws ClientError */
  read(offset: number, bytes: number): Promise<Uint8Array>;
}

/**
 * Opens a spill in a folder.
 *
 * @throws ClientError OUTPUT_UNWRITABLE, SPILL_FULL
 */
export async function openSpill(folder: string): Promise<Spill> {
  const file = await openNameless(folder);
  let end = 0;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let written: Promise<unknown> = Promise.resolve();

  /** Writes what waits, at once: a write for each response costs more than its bytes. */
  async function flush(): Promise<void> {
    if (waitingBytes > 0) {
      const writing = writeAt(file, folder, Buffer.concat(waiting), end - waitingBytes);
      written = Promise.all([written, writing]);
      waiting = [];
      waitingBytes = 0;
    }
    await written;
  }

  return {
    async append(bytes) {
      const offset = end;
      end += bytes.length;
      waiting.push(bytes);
      waitingBytes += bytes.length;
      if (waitingBytes >= blockBytes) await flush();
      return offset;
    },
    async read(offset, bytes) {
      await flush();
      return await readAt(file, folder, offset, bytes);
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** A file in a spill folder that is complete. */
export interface SpilledFile extends StoredFile, AsyncDisposable {}

/** Writes bytes to a file in a spill folder, and hashes them. @throws as openSpill */
export async function spillFile(folder: string, chunks: AsyncIterable<Uint8Array>): Promise<SpilledFile> {
  const file = await openNameless(folder);
  const digest = createHash('sha256');
  let bytes = 0;
  try {
    for await (const block of inBlocks(chunks)) {
      digest.update(block);
      await writeAt(file, folder, block, bytes);
      bytes += block.length;
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  return {
    bytes,
    sha256: digest.digest(),
    open: (start, end) => Readable.from(chunksOf(file, folder, start, end), { objectMode: false }),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Joins short chunks, such as the headers of a tar, to blocks. */
async function* inBlocks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes < blockBytes) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  yield Buffer.concat(waiting);
}

/** The bytes of a file. Not its own stream: each of them leaves a listener at the file, which stays open. */
async function* chunksOf(
  file: FileHandle,
  folder: string,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; at += blockBytes) {
    yield await readAt(file, folder, at, Math.min(blockBytes, end - at));
  }
}

async function readAt(file: FileHandle, folder: string, offset: number, bytes: number): Promise<Uint8Array> {
  const content = new Uint8Array(bytes);
  for (let at = 0; at < bytes; ) {
    const { bytesRead } = await file.read(content, at, bytes - at, offset + at);
    if (bytesRead === 0) throw spillBroken(folder);
    at += bytesRead;
  }
  return content;
}

async function openNameless(folder: string): Promise<FileHandle> {
  const path = join(folder, `.image-client-${randomUUID()}.spill`);
  try {
    await mkdir(folder, { recursive: true });
    const file = await open(path, 'wx+');
    await rm(path);
    return file;
  } catch (error) {
    throw spillError(folder, error);
  }
}

async function writeAt(file: FileHandle, folder: string, bytes: Uint8Array, offset: number): Promise<void> {
  try {
    for (let at = 0; at < bytes.length; ) {
      at += (await file.write(bytes, at, bytes.length - at, offset + at)).bytesWritten;
    }
  } catch (error) {
    throw spillError(folder, error);
  }
}

function spillError(folder: string, error: unknown): ClientError {
  if (!['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '')) return unwritable(folder, error);
  const message = `The spill folder "${folder}" is full; a shard needs twice its bytes there. --spill names another folder, --rows-per-shard of plan makes smaller shards.`;
  return new ClientError('diskFull', 'SPILL_FULL', message, { cause: error });
}

function spillBroken(folder: string): ClientError {
  return new ClientError('files', 'INPUT_UNREADABLE', `A file in the spill folder "${folder}" is too short.`);
}
