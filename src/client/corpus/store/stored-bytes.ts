import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { CorpusStore, StoredFile } from './corpus-store.ts';

/** Bytes in memory as a file to store. */
function storedBytes(bytes: Uint8Array): StoredFile {
  return {
    bytes: bytes.length,
    sha256: hash('sha256', bytes, 'buffer'),
    open: (start, end) => Readable.from([bytes.subarray(start, end)], { objectMode: false }),
  };
}

/** A text as a file to store. */
export const storedText = (text: string): StoredFile => storedBytes(Buffer.from(text));

/** Reads a whole file of a store. @returns undefined if there is no such file */
export async function readWhole(
  store: CorpusStore,
  name: string,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const bytes = await store.open(name, signal);
  return bytes && (await buffer(bytes));
}
