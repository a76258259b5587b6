import { ClientError } from '../../client-error.ts';
import { textOfName } from '../output/file-names.ts';
import { readTable } from './table.ts';

/** The columns of a list that are read. */
export interface Columns {
  /** The column of a csv, or field of a jsonl, that contains the URL or path. */
  readonly column: string;
  /** The same for the output's name. */
  readonly nameColumn: string | undefined;
}

/** A row of a list. */
export interface Row {
  /** From 1. */
  readonly line: number;
  /** The URL or path, or the text in its place. Bytes that are not UTF-8 are encoded as in file-names.ts. */
  readonly text: string;
  readonly name?: string | undefined;
  /** Why the row is invalid. */
  readonly problem?: string;
}

/**
 * Reads the rows of a list. An invalid row has a `problem`.
 *
 * @throws ClientError if no row can be read: a column is missing everywhere
 */
export type RowReader = (bytes: Buffer, columns: Columns) => AsyncIterable<Row> | Iterable<Row>;

/** The reader of a list by its ending. */
export const readers: Readonly<Record<string, RowReader>> = {
  '.txt': readLines,
  '.csv': readTable,
  '.tsv': readTable,
  '.jsonl': readObjects,
  '.ndjson': readObjects,
};

/** A list in UTF-8 without a byte order mark. PowerShell and Excel write UTF-16. */
export function utf8Of(bytes: Buffer): Buffer {
  const start = bytes.toString('latin1', 0, 4);
  // Detected by the mark, or by zeros in the first two characters.
  if (/^(?:\xff\xfe|[^\0]\0[^\0]\0)/.test(start))
    return Buffer.from(new TextDecoder('utf-16le').decode(bytes));
  if (/^(?:\xfe\xff|\0[^\0]\0[^\0])/.test(start))
    return Buffer.from(new TextDecoder('utf-16be').decode(bytes));
  return start.startsWith('\xef\xbb\xbf') ? bytes.subarray(3) : bytes;
}

/** One URL or path per line; lines that begin with `#` are comments. */
export function* readLines(bytes: Buffer): Generator<Row> {
  for (const [line, text] of linesOf(bytes)) {
    if (!text.startsWith('#')) yield { line, text };
  }
}

/** Trimmed lines with their numbers. Empty lines are counted but left out. */
export function* linesOf(bytes: Buffer): Generator<[line: number, text: string]> {
  let line = 0;
  for (let from = 0; from < bytes.length; ) {
    const at = bytes.indexOf(10, from);
    const to = at === -1 ? bytes.length : at;
    // A carriage return without a line feed also ends a line.
    const texts = textOfName(bytes.subarray(from, to)).replace(/\r$/, '').split('\r');
    for (const text of texts.map((each) => each.trim())) {
      line++;
      if (text !== '') yield [line, text];
    }
    from = to + 1;
  }
}

/** A reviver that returns numbers as text: an id may have more digits than a JavaScript number. */
const withDigits = ((_key: string, value: unknown, { source }: { source?: string } = {}) =>
  typeof value === 'number' ? (source ?? String(value)) : value) as (key: string, value: unknown) => unknown;

/** One JSON object per line, or only the URL as a JSON string. */
function* readObjects(bytes: Buffer, { column, nameColumn }: Columns): Generator<Row> {
  let firstProblem: ClientError | undefined;
  let hasColumn = false;
  for (const [line, text] of linesOf(bytes)) {
    let value: unknown;
    try {
      value = JSON.parse(text, withDigits);
    } catch {
      firstProblem ??= new ClientError('usage', 'LIST_INVALID', `line ${line} is not JSON.`);
      yield { line, text, problem: 'The line is not JSON.' };
      continue;
    }
    const fields: Readonly<Record<string, unknown>> =
      typeof value === 'string' ? { [column]: value } : Object(value);
    const [given, name] = [fields[column], nameColumn === undefined ? undefined : fields[nameColumn]];
    if (!Object.hasOwn(fields, column)) {
      const words = `line ${line} has no "${column}", only ${Object.keys(fields).join(', ')}; --column names the field.`;
      firstProblem ??= new ClientError('usage', 'COLUMN_MISSING', words);
    } else {
      hasColumn = true;
    }
    if (given !== undefined && given !== null && typeof given !== 'string') {
      yield { line, text, problem: `"${column}" is not a text.` };
    } else if (name !== undefined && name !== null && typeof name !== 'string') {
      yield { line, text: given ?? '', problem: `"${nameColumn}" is neither a text nor a number.` };
    } else {
      yield { line, text: given ?? '', name: name ?? undefined };
    }
  }
  // If no row has the column, the name of the column is wrong and not the rows.
  if (!hasColumn && firstProblem !== undefined) throw firstProblem;
}
