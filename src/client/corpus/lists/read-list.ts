import type { ObjectStorage } from '../../../object-storage/object-storage.ts';
import { pages } from '../../../options/pages.ts';
import { ClientError } from '../../client-error.ts';
import { isPlainPath, isUrl } from '../../job/lists/lists.ts';
import type { Column } from '../manifest.ts';
import type { ColumnValue, CorpusRow } from '../row.ts';
import { clientErrorOf } from '../store/bucket-store.ts';
import { type ColumnChoice, chooseColumns } from './list-columns.ts';
import type { ListTable } from './list-table.ts';
import { openList } from './open-list.ts';
import { type FirstRow, RepeatedIds } from './repeated-ids.ts';

/** Digits of the ids that are row numbers. */
const idDigits = 9;

/** The longest id in bytes. Names of files in it become paths of tar files and keys in buckets. */
const maxIdBytes = 512;

/** More ids than these that occur several times are not ids. */
const mostRepeated = 1_000_000;

/** A list whose columns have been chosen. */
export interface CorpusList extends AsyncDisposable {
  readonly urlColumn: string;
  /** Undefined where row numbers are the ids. */
  readonly idColumn: string | undefined;
  /** The carried columns. */
  readonly columns: readonly Column[];
  /** Columns that cannot be carried along, each with its type. */
  readonly leftOut: readonly { readonly name: string; readonly type: string }[];
  /**
   * The rows, in their order; a row that cannot be sent has a `problem`.
   *
   * @throws ClientError LIST_EMPTY if there is none; LIST_INVALID if all have a problem; what reading throws
   */
  rows(signal: AbortSignal): AsyncIterable<CorpusRow>;
}

/**
 * Opens the list of a corpus. Its rows are read as they are needed.
 *
 * @param list - a path or an `s3://` URL
 * @param storage - called for `s3://` only
 * @throws ClientError COLUMN_MISSING, COLUMN_CLASH, ID_REPEATED; STORAGE_ and a problem; what `openList` throws
 */
export async function readCorpusList(
  list: string,
  choice: ColumnChoice,
  storage: () => ObjectStorage,
  signal: AbortSignal,
): Promise<CorpusList> {
  const opened = await openList(list, storage, signal).catch((error: unknown) => {
    throw clientErrorOf(error, list);
  });
  const { table } = opened;
  try {
    const { url, id, page, carried } = chooseColumns(table, choice, list);
    const names = [url, id ?? [], page ?? [], carried.map(({ name }) => name)].flat();
    const repeated =
      id === undefined ? undefined : await findRepeated(table, id, opened.mostRows ?? 0, list, signal);
    return {
      urlColumn: url,
      idColumn: id,
      columns: carried,
      leftOut: table.leftOut,
      async *rows(stop) {
        try {
          const checks = {
            id: repeated && idCheck(repeated.secondPass(), choice),
            hasPage: page !== undefined,
          };
          yield* corpusRows(table, names, checks, list, stop);
        } catch (error) {
          throw clientErrorOf(error, list);
        }
      },
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    };
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw clientErrorOf(error, list);
  }
}

/** The first pass over the ids of a list. */
async function findRepeated(
  table: ListTable,
  column: string,
  mostRows: number,
  list: string,
  signal: AbortSignal,
): Promise<RepeatedIds> {
  const ids = new RepeatedIds(mostRows);
  for await (const rows of table.rows([column], signal)) {
    for (const { values, problem } of rows) {
      const id = problem === undefined ? textOf(values[0]) : '';
      if (id !== '') ids.see(id);
    }
    if (ids.candidates > mostRepeated) {
      const message = `More than ${mostRepeated} values of the column "${column}" of "${list}" occur several times; it contains no ids. --id-column names another one.`;
      throw new ClientError('usage', 'ID_REPEATED', message);
    }
  }
  return ids;
}

async function* corpusRows(
  table: ListTable,
  names: readonly string[],
  checks: RowChecks,
  list: string,
  signal: AbortSignal,
): AsyncGenerator<CorpusRow> {
  let row = 0;
  let usable = 0;
  let firstProblem: NonNullable<CorpusRow['problem']> | undefined;
  for await (const rows of table.rows(names, signal)) {
    for (const { values, problem } of rows) {
      const read =
        problem === undefined
          ? rowOf(row, values, checks)
          : {
              row,
              id: numberId(row),
              url: '',
              values: [],
              problem: { reason: 'ROW_INVALID', message: problem },
            };
      firstProblem ??= read.problem;
      if (read.problem === undefined) usable++;
      row++;
      yield read;
    }
  }
  if (row === 0) throw new ClientError('usage', 'LIST_EMPTY', `"${list}" has no rows.`);
  if (usable === 0) {
    const message = `None of the ${row} rows of "${list}" can be sent. ${firstProblem?.message} The column with URLs is "${names[0]}"; --url-column names another one.`;
    throw new ClientError('usage', 'LIST_INVALID', message);
  }
}

/** Checks of a list's rows beside that of their URLs. */
interface RowChecks {
  /** Undefined where row numbers are the ids. */
  readonly id: IdCheck | undefined;
  readonly hasPage: boolean;
}

function rowOf(row: number, all: readonly ColumnValue[], { id: checkId, hasPage }: RowChecks): CorpusRow {
  const [first, ...values] = all;
  const url = textOf(first);
  const given = checkId === undefined ? undefined : textOf(values.shift());
  const { page, problem: badPage } = hasPage ? pageOf(row, values.shift()) : {};
  const problem =
    problemOfUrl(row, url, first) ?? badPage ?? (given === undefined ? undefined : checkId?.(given, row));
  if (problem === undefined) {
    return { row, id: given ?? numberId(row), url, ...(page !== undefined && { page }), values };
  }
  // Another row may have its id.
  return { row, id: numberId(row), url: '', values, problem };
}

function numberId(row: number): string {
  return String(row).padStart(idDigits, '0');
}

/** The text of a URL or an id; empty for none. */
function textOf(value: ColumnValue | undefined): string {
  if (typeof value === 'string') return value.trim();
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : '';
}

/** The page of a row; none for an empty value. */
function pageOf(row: number, value: ColumnValue | undefined): Pick<CorpusRow, 'page' | 'problem'> {
  if (value === undefined || value === null || value === '') return {};
  const page = pages.parse(textOf(value));
  if (typeof page === 'number') return { page };
  const message = `The page of row ${row} is no whole number from 1.`;
  return { problem: { reason: 'PAGE_INVALID', message } };
}

function problemOfUrl(row: number, url: string, value: ColumnValue | undefined): CorpusRow['problem'] {
  if (url === '') return { reason: 'SOURCE_MISSING', message: `Row ${row} has no URL.` };
  if (typeof value !== 'string' || !isUrl(url)) {
    return { reason: 'URL_INVALID', message: `Row ${row} has no http, https or s3 URL.` };
  }
  // A decoder replaces bytes that are not UTF-8.
  const isText = url.isWellFormed() && !url.includes('\ufffd');
  return isText ? undefined : { reason: 'ROW_INVALID', message: `The URL of row ${row} is not UTF-8.` };
}

/** The problem of a row's id. */
type IdCheck = (id: string, row: number) => CorpusRow['problem'];

function idCheck(firstRow: FirstRow, { idsHaveNoDots }: ColumnChoice): IdCheck {
  return (id, row) => {
    if (id === '') return { reason: 'ID_MISSING', message: `Row ${row} has no id.` };
    const forbidden = forbiddenWords(id, idsHaveNoDots);
    if (forbidden !== undefined) {
      return { reason: 'ID_FORBIDDEN', message: `The id of row ${row} ${forbidden}.` };
    }
    const first = firstRow(id, row);
    if (first === undefined) return undefined;
    return { reason: 'ID_REPEATED', message: `Row ${row} has the id of row ${first}.` };
  };
}

function forbiddenWords(id: string, hasNoDots: boolean): string | undefined {
  if (!isPlainPath(id) || !id.isWellFormed() || id.includes('\ufffd')) {
    return 'leaves the corpus or is no path: an id has no "." or ".." as a part, no empty part, no backslash, colon or control character';
  }
  if (hasNoDots && (id.split('/').at(-1) ?? '').includes('.')) {
    return 'has a dot, which ends the key of a sample in webdataset; choose another --id-column or --shard-format';
  }
  const bytes = Buffer.byteLength(id);
  return bytes > maxIdBytes ? `has ${bytes} bytes; at most ${maxIdBytes} are allowed` : undefined;
}
