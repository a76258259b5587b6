import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, extname, isAbsolute, relative, resolve, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { addAbortSignal, type Readable } from 'node:stream';
import { failureKinds, grpcCode } from '../../failures.ts';
import { ClientError } from '../client-error.ts';
import type { FoundImage, JobFailure } from './images.ts';

/** Endings of files that are lists and no images. */
export const listEndings = ['.txt', '.csv', '.jsonl', '.ndjson'];

/** How lists are read. */
export interface ListOptions {
  /** Column of a csv, or field of a jsonl, that has URL or path. */
  readonly column: string;
  /** The same for the output's name. */
  readonly nameColumn: string | undefined;
  /** The folder that paths start from and stay in; by default the list's own, and for standard input the working folder. */
  readonly base: string | undefined;
}

interface Row {
  readonly line: number;
  /** The URL or path. */
  readonly text: string;
  readonly name: string | undefined;
}

/** Whether a text is a URL; which schemes are taken the processor says. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/**
 * Reads a list of URLs and paths. What a row asks for may not leave the base folder nor the output folder: a list may come
 * from anywhere.
 *
 * @param path - `-` for standard input, which is read as .txt
 * @throws ClientError for a list that cannot be read or has no such column
 */
export async function readList(
  path: string,
  options: ListOptions,
  signal: AbortSignal,
): Promise<{ images: FoundImage[]; refused: JobFailure[] }> {
  const isStandardInput = path === '-';
  if (isStandardInput && process.stdin.isTTY) {
    throw new ClientError('usage', 'USAGE', 'Standard input is a terminal; pipe a list into it.');
  }
  const base = resolve(options.base ?? (isStandardInput ? '.' : dirname(path)));
  const stream = isStandardInput ? process.stdin : createReadStream(path);
  const images: FoundImage[] = [];
  const refused: JobFailure[] = [];
  try {
    const rows = readers[extname(path).toLowerCase()] ?? readLines;
    for await (const row of rows(addAbortSignal(signal, stream), options)) {
      const made = await imageOfRow(row, base);
      if ('reason' in made) refused.push(withLine(made, path, row));
      else images.push(made);
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof ClientError)
      throw new ClientError(cause.end, cause.reason, `"${path}": ${cause.message}`);
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new ClientError('files', 'INPUT_UNREADABLE', `The list "${path}" cannot be read: ${words}`, {
      cause,
    });
  }
  return { images, refused };
}

const readers: Readonly<Record<string, typeof readLines>> = {
  '.csv': readTable,
  '.jsonl': readObjects,
  '.ndjson': readObjects,
};

async function* readLines(stream: Readable, _options: ListOptions): AsyncGenerator<Row> {
  for await (const [line, text] of linesOf(stream)) {
    if (!text.startsWith('#')) yield { line, text, name: undefined };
  }
}

async function* readTable(stream: Readable, { column, nameColumn }: ListOptions): AsyncGenerator<Row> {
  const { parse } = await import('csv-parse');
  const columns = (header: string[]): string[] => {
    for (const name of [column, nameColumn]) {
      if (name === undefined || header.includes(name)) continue;
      const flag = name === column ? '--column' : '--name-column';
      throw new ClientError(
        'usage',
        'COLUMN_MISSING',
        `there is no column "${name}", only ${header.join(', ')}; ${flag} names it.`,
      );
    }
    return header;
  };
  const table = stream.pipe(parse({ bom: true, columns, skip_empty_lines: true, trim: true, info: true }));
  stream.once('error', (error) => table.destroy(error));
  for await (const { record, info } of table) {
    const fields = record as Record<string, string>;
    const { lines } = info as { lines: number };
    yield { line: lines, text: fields[column] ?? '', name: nameColumn && fields[nameColumn] };
  }
}

async function* readObjects(stream: Readable, { column, nameColumn }: ListOptions): AsyncGenerator<Row> {
  for await (const [line, text] of linesOf(stream)) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new ClientError('usage', 'LIST_INVALID', `line ${line} is not JSON.`);
    }
    // A line may be the URL alone.
    const field = (name: string) => (typeof value === 'string' ? value : Object(value)[name]);
    if (typeof field(column) !== 'string') {
      throw new ClientError(
        'usage',
        'COLUMN_MISSING',
        `line ${line} has no text in "${column}"; --column names the field.`,
      );
    }
    const name = nameColumn === undefined || typeof value === 'string' ? undefined : field(nameColumn);
    yield { line, text: field(column), name: name === undefined || name === null ? undefined : String(name) };
  }
}

async function* linesOf(stream: Readable): AsyncGenerator<[line: number, text: string]> {
  let line = 0;
  for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    line++;
    const trimmed = text.replace(/^\uFEFF/, '').trim();
    if (trimmed !== '') yield [line, trimmed];
  }
}

async function imageOfRow({ text, name }: Row, base: string): Promise<FoundImage | Refusal> {
  if (text === '') return refusal('SOURCE_MISSING', 'The row has neither URL nor path.', {});
  const given = name === undefined || name === '' ? undefined : name;
  if (given !== undefined && !isPlainPath(given)) {
    return refusal('NAME_FORBIDDEN', `The name "${given}" would lead out of the output folder.`, {
      name: given,
    });
  }
  if (isUrl(text)) {
    return { source: { url: text }, name: given ?? nameOfUrl(text), isGivenName: given !== undefined };
  }
  const path = resolve(base, text);
  const inside = relative(base, path);
  if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    const message = `The path leads out of "${base}"; --base names the folder that paths of lists may lie in.`;
    return refusal('PATH_FORBIDDEN', message, { base });
  }
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isFile()) return refusal('INPUT_MISSING', 'There is no such file.', {});
  return {
    source: { path, bytes: stats.size, mtimeMs: stats.mtimeMs },
    name: given ?? inside.split(sep).join('/'),
    isGivenName: given !== undefined,
  };
}

/** Whether a name stays in the folder that it is put in, on every system. */
function isPlainPath(name: string): boolean {
  const isPlain = (segment: string) =>
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no file should have one in its name
    segment !== '' && segment !== '.' && segment !== '..' && !/[\\:\u0000-\u001f\u007f]/.test(segment);
  return name.split('/').every(isPlain);
}

/** Host and path of a URL as a relative path that every file system takes; two URLs may come to the same. */
export function nameOfUrl(text: string): string {
  const url = URL.parse(text);
  const segments = url === null ? [text] : [url.host, ...url.pathname.split('/')];
  const names = segments
    .filter((segment) => segment !== '')
    .map((segment) => segment.replace(/[^\w.%~-]/g, '_'));
  // "." and ".." that a URL's parser has left, and a host alone.
  const safe = names.map((name) => name.replace(/^\.+$/, '_'));
  return safe.length === 1 ? `${safe[0]}/index` : safe.join('/');
}

type Refusal = Omit<JobFailure, 'source'>;

function refusal(reason: string, message: string, metadata: Record<string, string>): Refusal {
  const codes: Readonly<Record<string, number>> = {
    SOURCE_MISSING: failureKinds.SOURCE_MISSING.code,
    INPUT_MISSING: grpcCode.NOT_FOUND,
  };
  return { reason, message, metadata, code: codes[reason] ?? grpcCode.PERMISSION_DENIED };
}

function withLine(failure: Refusal, list: string, { line, text }: Row): JobFailure {
  return { source: text, ...failure, metadata: { ...failure.metadata, list, line: String(line) } };
}
