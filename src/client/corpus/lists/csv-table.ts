import { Readable } from 'node:stream';
import { CsvError, type Parser } from 'csv-parse';
import { ClientError } from '../../client-error.ts';
import type { Column } from '../manifest.ts';
import type { ListFile } from './list-file.ts';
import type { ListTable, TableRow } from './list-table.ts';
import { textPieces } from './text-pieces.ts';

/** The longest row in bytes. A longer one contains a quotation mark that is never closed. */
const maxRowBytes = 1024 * 1024;

/** Rows that are given at a time. */
const rowsAtOnce = 1024;

/**
 * A table with a header, separated by commas, semicolons or tabs. All its columns are texts.
 *
 * @throws ClientError LIST_INVALID
 */
export async function openCsv(file: ListFile, signal: AbortSignal): Promise<ListTable> {
  const { parse } = await import('csv-parse');
  const delimiter = await delimiterOf(file, signal);
  const parser = (stop: AbortSignal): Parser =>
    Readable.from(textPieces(file, stop)).compose(
      parse({
        bom: true,
        delimiter,
        info: true,
        max_record_size: maxRowBytes,
        record_delimiter: ['\r\n', '\n', '\r'],
        relax_column_count: true,
        relax_quotes: true,
        skip_empty_lines: true,
        trim: true,
      }),
    ) as unknown as Parser;
  const header = await headerOf(file, parser(signal));
  return {
    columns: header.map((name): Column => ({ name, type: 'string' })),
    leftOut: [],
    async *rows(names, stop) {
      const places = names.map((name) => header.indexOf(name));
      let isHeader = true;
      let rows: TableRow[] = [];
      for await (const { record, info } of recordsOf(file, parser(stop))) {
        if (isHeader) {
          isHeader = false;
          continue;
        }
        rows.push(rowOf(record, places, header.length, info.lines));
        if (rows.length < rowsAtOnce) continue;
        yield rows;
        rows = [];
      }
      yield rows;
    },
  };
}

interface CsvRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

async function* recordsOf(file: ListFile, parser: Parser): AsyncGenerator<CsvRecord> {
  let lines = 0;
  try {
    for await (const each of parser as AsyncIterable<CsvRecord>) {
      lines = each.info.lines;
      yield each;
    }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const message = `"${file.name}" cannot be read after line ${lines}: a quotation mark in line ${lines + 1} may not be closed.`;
    throw new ClientError('usage', 'LIST_INVALID', message, { cause });
  }
}

function rowOf(
  record: readonly string[],
  places: readonly number[],
  columns: number,
  line: number,
): TableRow {
  const values = places.map((place) => record[place] ?? '');
  if (record.slice(columns).every((field) => field === '')) return { values };
  return { values, problem: `Line ${line} has ${record.length} columns, and the header has ${columns}.` };
}

async function headerOf(file: ListFile, parser: Parser): Promise<readonly string[]> {
  for await (const { record } of recordsOf(file, parser)) return record;
  throw new ClientError(
    'usage',
    'LIST_INVALID',
    `"${file.name}" is empty; its first line names the columns.`,
  );
}

/** The separator that the first line contains most often outside quotation marks. */
async function delimiterOf(file: ListFile, signal: AbortSignal): Promise<string> {
  let start = '';
  for await (const piece of textPieces(file, signal)) {
    start += piece;
    if (/[\r\n]/.test(start) || start.length > maxRowBytes) break;
  }
  const [line = ''] = start.replace(/^[\r\n]+/, '').split(/[\r\n]/, 1);
  const count = (delimiter: string) => line.replaceAll(/"[^"]*"/g, '').split(delimiter).length;
  return [',', ';', '\t'].reduce((best, each) => (count(each) > count(best) ? each : best));
}
