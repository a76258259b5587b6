import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { AsyncBuffer, Compressors, FileMetaData, ParquetParsers, SchemaTree } from 'hyparquet';
import { StorageFailure } from '../../../object-storage/storage-failure.ts';
import { ClientError } from '../../client-error.ts';
import type { Column } from '../manifest.ts';
import type { ColumnValue } from '../row.ts';
import type { ListFile } from './list-file.ts';
import type { ListTable, TableRow } from './list-table.ts';

/** Bytes at a file's end that are read first; the metadata is usually within them. */
const tailBytes = 512 * 1024;

/** Rows that are given at a time. */
const rowsAtOnce = 4096;

/** Compressions besides Snappy, which hyparquet contains. */
const compressors: Compressors = {
  GZIP: (input) => gunzipSync(input),
  BROTLI: (input) => brotliDecompressSync(input),
  ZSTD: (input) => zstdDecompressSync(input),
};

/** Times as text: a JavaScript Date has no microseconds. */
const parsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (value) => timestamp(value, 3),
  timestampFromMicroseconds: (value) => timestamp(value, 6),
  timestampFromNanoseconds: (value) => timestamp(value, 9),
  dateFromDays: (days) => new Date(days * 86_400_000).toISOString().slice(0, 10),
};

/**
 * A Parquet file as a table. One row group is held at a time, and of it only the columns that are needed.
 *
 * @throws ClientError LIST_INVALID
 */
export async function openParquet(file: ListFile, signal: AbortSignal): Promise<ListTable> {
  const { parquetMetadataAsync, parquetScan, parquetSchema } = await import('hyparquet');
  const buffer: AsyncBuffer = {
    byteLength: file.bytes,
    slice: async (start, end = file.bytes) => (await file.slice(start, end, signal)).buffer,
  };
  const reading = <T>(work: Promise<T>) =>
    work.catch((cause: unknown) => throwInvalid(file.name, cause, signal));
  const metadata = await reading(parquetMetadataAsync(buffer, { initialFetchSize: tailBytes }));
  const fields = parquetSchema(metadata).children.map(fieldOf);
  return {
    columns: fields.flatMap(({ name, type }) => (type === undefined ? [] : [{ name, type }])),
    leftOut: fields.flatMap(({ name, type, words }) => (type === undefined ? [{ name, type: words }] : [])),
    async *rows(names, stop) {
      const columns = [...names];
      const options = { file: buffer, metadata, columns, compressors, parsers, useOffsetIndex: false };
      for (const { rowStart, rowEnd } of groupsOf(metadata)) {
        stop.throwIfAborted();
        const range = { rowStart, rowEnd };
        // A scan keeps the columns that it has read, so each group has its own.
        const scan = await reading(parquetScan({ ...options, ...range }));
        const read = (column: string) => reading(scan.readColumn({ column, ...range }));
        const values = await Promise.all(columns.map(read));
        for (let at = 0; at < rowEnd - rowStart; at += rowsAtOnce) {
          const count = Math.min(rowsAtOnce, rowEnd - rowStart - at);
          yield Array.from(
            { length: count },
            (_, index): TableRow => ({ values: values.map((column) => plainValue(column[at + index])) }),
          );
        }
      }
    },
  };
}

function groupsOf({ row_groups: groups }: FileMetaData) {
  let rowStart = 0;
  return groups
    .map(({ num_rows: rows }) => {
      const range = { rowStart, rowEnd: rowStart + Number(rows) };
      rowStart = range.rowEnd;
      return range;
    })
    .filter((range) => range.rowEnd > range.rowStart);
}

/** A top-level field: the type of its column, or its type in words where it cannot be carried along. */
function fieldOf({ element, children }: SchemaTree): {
  readonly name: string;
  readonly type: Column['type'] | undefined;
  readonly words: string;
} {
  const {
    name,
    type,
    converted_type: converted,
    logical_type: logical,
    repetition_type: repetition,
  } = element;
  const as = (column: Column['type'] | undefined) => ({ name, type: column, words: 'binary' });
  if (children.length > 0 || repetition === 'REPEATED') return as('json');
  if (converted === 'DECIMAL' || logical?.type === 'DECIMAL' || logical?.type === 'FLOAT16')
    return as('double');
  const isTime = /^(DATE|TIMESTAMP)/.test(converted ?? '') || /^(DATE|TIMESTAMP)/.test(logical?.type ?? '');
  if (isTime || type === 'INT96' || logical?.type === 'UUID') return as('string');
  if (converted === 'UINT_64') return as('json');
  if (type === 'BOOLEAN') return as('boolean');
  if (type === 'FLOAT' || type === 'DOUBLE') return as('double');
  if (type === 'INT32' || type === 'INT64') return as('int64');
  if (converted === 'JSON' || logical?.type === 'JSON') return as('json');
  const isText =
    converted === 'UTF8' || converted === 'ENUM' || logical?.type === 'STRING' || logical?.type === 'ENUM';
  return as(isText ? 'string' : undefined);
}

/** A value as rows contain it: numbers where they are exact, no value for what JSON lacks. */
function plainValue(value: unknown): ColumnValue {
  switch (typeof value) {
    case 'bigint':
      return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
    case 'number':
      return Number.isFinite(value) ? value : null;
    case 'string':
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return null;
      if (Array.isArray(value) || ArrayBuffer.isView(value)) return [...(value as unknown[])].map(plainValue);
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plainValue(each)]));
    default:
      return null;
  }
}

/** A time as `2026-11-29T07:00:00.000001Z`. @param digits - of the fraction of a second */
function timestamp(value: bigint, digits: number): string {
  const unit = 10n ** BigInt(digits);
  const fraction = ((value % unit) + unit) % unit;
  const date = new Date(Number((value - fraction) / unit) * 1000);
  return `${date.toISOString().slice(0, 19)}.${String(fraction).padStart(digits, '0')}Z`;
}

/** @throws ClientError LIST_INVALID, unless the file could not be read at all */
function throwInvalid(name: string, cause: unknown, signal: AbortSignal): never {
  if (cause instanceof ClientError || cause instanceof StorageFailure || signal.aborted) throw cause;
  const words = cause instanceof Error ? cause.message : String(cause);
  const hint = /compression codec/.test(words) ? '; write it with snappy, zstd, gzip, brotli or none' : '';
  throw new ClientError(
    'usage',
    'LIST_INVALID',
    `"${name}" is not a Parquet file that can be read: ${words}${hint}.`,
    {
      cause,
    },
  );
}
