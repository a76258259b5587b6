import type { parse as parseSync } from 'csv-parse/sync';
import { ClientError } from '../../client-error.ts';
import { textOfName } from '../output/file-names.ts';
import type { Columns, Row } from './rows.ts';

/** The longest row, in bytes. A longer one contains a quotation mark that is never closed. */
const maxRowBytes = 65_536;

/** The bytes that are parsed at a time. */
const sliceBytes = 1_048_576;

/** A parsed row. */
interface TableRecord {
  readonly fields: readonly string[];
  /** Offset of the byte after it, in the slice. */
  readonly end: number;
  /** Its last line in the slice, from 1. */
  readonly lastLine: number;
}

/**
 * The rows of a table with a header, separated by commas, semicolons or tabs. An invalid row does not affect others: where
 * an unclosed quotation mark spans lines, only the first of them is invalid.
 *
 * @throws ClientError COLUMN_MISSING
 */
export async function* readTable(bytes: Buffer, columns: Columns): AsyncGenerator<Row> {
  const { parse } = await import('csv-parse/sync');
  const delimiter = delimiterOf(bytes, columns.column);
  let header: readonly string[] | undefined;
  let linesBefore = 0;
  for (let from = 0; from < bytes.length; ) {
    const slice = bytes.subarray(from, from + sliceBytes);
    const { records, isWhole } = recordsIn(parse, slice, delimiter);
    // The last record of a slice may continue in the next.
    if (slice.length < bytes.length - from && records.at(-1)?.end === slice.length) records.pop();
    let [end, lastLine] = [0, 0];
    let isBad = records.length === 0 && !isWhole;
    for (const record of records) {
      const row = header === undefined ? { text: '' } : rowOf(header, record.fields, columns);
      isBad = row.problem !== undefined && record.lastLine > lastLine + 1;
      if (isBad) break;
      ({ end, lastLine } = record);
      if (header === undefined) header = headerOf(record.fields, columns);
      else yield { line: linesBefore + lastLine, ...row };
    }
    if (isBad) {
      const bad = firstLineOf(slice, end);
      const problem = 'The row cannot be parsed; a quotation mark in it may not be closed.';
      yield { line: linesBefore + lastLine + bad.lines, text: bad.text, problem };
      [end, lastLine] = [bad.end, lastLine + bad.lines];
    }
    if (end === 0) return;
    from += end;
    linesBefore += lastLine;
  }
}

/** The records of a slice before the first that is invalid or incomplete. */
function recordsIn(parse: typeof parseSync, slice: Buffer, delimiter: string) {
  const records: TableRecord[] = [];
  try {
    parse(slice, {
      delimiter,
      encoding: null,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      max_record_size: maxRowBytes,
      on_record: (record, { bytes, lines }) => {
        // Without an encoding the fields are bytes, unlike csv-parse's types.
        const fields = (record as unknown as Buffer[]).map((field) => textOfName(field).trim());
        records.push({ fields, end: bytes, lastLine: lines });
        return null;
      },
    });
    return { records, isWhole: true };
  } catch {
    return { records, isWhole: false };
  }
}

/** The first line at or after an offset that is not empty. */
function firstLineOf(slice: Buffer, from: number): { text: string; end: number; lines: number } {
  let lines = 0;
  for (let start = from; ; ) {
    const at = slice.indexOf(10, start);
    const end = at === -1 ? slice.length : at + 1;
    const text = textOfName(slice.subarray(start, end)).trim();
    lines++;
    if (text !== '' || end === slice.length) return { text, end, lines };
    start = end;
  }
}

/** The separator with which the first line contains the column. */
function delimiterOf(bytes: Buffer, column: string): string {
  const [first = ''] = bytes.toString('utf8', 0, maxRowBytes).split(/\r|\n/, 1);
  const names = (delimiter: string) =>
    first.split(delimiter).map((name) => name.trim().replace(/^"(.*)"$/, '$1'));
  return [',', ';', '\t'].find((delimiter) => names(delimiter).includes(column)) ?? ',';
}

function headerOf(header: readonly string[], { column, nameColumn }: Columns): readonly string[] {
  for (const [flag, name] of [
    ['--column', column],
    ['--name-column', nameColumn],
  ]) {
    if (name === undefined || header.includes(name)) continue;
    throw new ClientError(
      'usage',
      'COLUMN_MISSING',
      `there is no column "${name}", only ${header.join(', ')}; ${flag} names the column.`,
    );
  }
  return header;
}

function rowOf(
  header: readonly string[],
  fields: readonly string[],
  { column, nameColumn }: Columns,
): Omit<Row, 'line'> {
  const text = fields[header.indexOf(column)] ?? '';
  const name = nameColumn === undefined ? undefined : fields[header.indexOf(nameColumn)];
  if (fields.slice(header.length).some((field) => field !== '')) {
    const problem = `The row has ${fields.length} columns, and the header has ${header.length}.`;
    return { text: text === '' ? fields.join() : text, problem };
  }
  return /[\r\n]/.test(text)
    ? { text, problem: 'There is a line break in the URL or path.' }
    : { text, name };
}
