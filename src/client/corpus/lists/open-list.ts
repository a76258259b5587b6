import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { isObjectUrl } from '../../../object-storage/object-address.ts';
import type { ObjectStorage } from '../../../object-storage/object-storage.ts';
import { ClientError } from '../../client-error.ts';
import { openCsv } from './csv-table.ts';
import { openJsonLines, openLines } from './line-tables.ts';
import { type ListFile, openLocalList, openStoredList } from './list-file.ts';
import type { ListTable } from './list-table.ts';
import { openParquet } from './parquet-table.ts';
import { openPrefix } from './prefix-table.ts';

/** Bytes of a row in the shortest lists; a row is rarely shorter than its URL. */
const shortestRowBytes = 24;

/** The reader of a list by its ending. */
const tables: Readonly<
  Record<string, (file: ListFile, signal: AbortSignal) => ListTable | Promise<ListTable>>
> = {
  '.parquet': openParquet,
  '.jsonl': openJsonLines,
  '.ndjson': openJsonLines,
  '.csv': openCsv,
  '.tsv': openCsv,
  '.txt': openLines,
};

/** An open list. */
export interface OpenList extends AsyncDisposable {
  readonly table: ListTable;
  /** An upper bound on its rows where its length is known. */
  readonly mostRows: number | undefined;
}

/**
 * Opens a list: a file on a disk or in object storage by its ending, or an `s3://` prefix, whose objects are the images.
 *
 * @param storage - called for `s3://` only
 * @throws ClientError INPUT_MISSING, INPUT_UNREADABLE, LIST_UNKNOWN, LIST_INVALID; StorageFailure; ObjectAddressError
 */
export async function openList(
  list: string,
  storage: () => ObjectStorage,
  signal: AbortSignal,
): Promise<OpenList> {
  const open = tables[extname(list).toLowerCase()];
  const isStored = isObjectUrl(list);
  if (isStored && open === undefined) {
    return { table: openPrefix(list, storage()), mostRows: undefined, [Symbol.asyncDispose]: async () => {} };
  }
  if (open === undefined) throw await unknown(list);
  const file = isStored ? await openStoredList(list, storage(), signal) : await openLocalList(list);
  try {
    const table = await open(file, signal);
    const mostRows = Math.ceil(file.bytes / shortestRowBytes);
    return { table, mostRows, [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() };
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

async function unknown(list: string): Promise<ClientError> {
  const isThere = await stat(list).then(
    () => true,
    () => false,
  );
  if (!isThere) return new ClientError('usage', 'INPUT_MISSING', `There is no list "${list}".`);
  return new ClientError(
    'usage',
    'LIST_UNKNOWN',
    `"${list}" is not known as a list by its ending; it can be ${Object.keys(tables).join(', ')}, or an s3:// prefix.`,
  );
}
