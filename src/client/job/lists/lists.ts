import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, extname, isAbsolute, relative, resolve, sep } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { parseObjectUrl } from '../../../object-storage/object-address.ts';
import { ClientError } from '../../client-error.ts';
import { unreadable } from '../../files.ts';
import { type FoundImage, type JobFailure, type SourceFile, sourceFile } from '../images.ts';
import { ownFailure } from '../journal/own-failures.ts';
import { pathOf } from '../output/file-names.ts';
import { nameOfType } from '../sources/standing.ts';
import { type Columns, type Row, readers, readLines, utf8Of } from './rows.ts';

/** Endings of files that are lists and not images. */
export const listEndings = Object.keys(readers);

/** How lists are read. */
export interface ListOptions extends Columns {
  /** The folder that paths start from and stay in. Default: the list's folder; the working folder for standard input. */
  readonly base: string | undefined;
}

/** Whether a text is a URL. The processor decides which schemes it supports. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/**
 * Reads a list of URLs and paths. Lists are not trusted: a row cannot leave the base folder or the output folder.
 *
 * @param path - `-` for standard input, which is read as .txt
 * @throws ClientError for a list that cannot be read, or in which no row has the column
 */
export async function readList(
  path: string,
  options: ListOptions,
  signal: AbortSignal,
): Promise<{ images: FoundImage[]; refused: JobFailure[] }> {
  const base = baseOf(path, options.base);
  const bytes = await bytesOfList(path, signal);
  const images: FoundImage[] = [];
  const refused: JobFailure[] = [];
  try {
    const rows = readers[extname(path).toLowerCase()] ?? readLines;
    for await (const row of rows(bytes, options)) {
      const result = await imageOfRow(row, base);
      if ('reason' in result) refused.push(withRow(result, path, row));
      else images.push({ ...result, row: { list: path, line: row.line } });
    }
  } catch (cause) {
    if (!(cause instanceof ClientError)) throw unreadable(path === '-' ? undefined : path, cause);
    throw new ClientError(cause.end, cause.reason, `"${path}": ${cause.message}`);
  }
  return { images, refused };
}

/**
 * The folder that the paths of a list start from and stay in.
 *
 * @param list - `-` for standard input
 * @param given - by the caller
 */
export function baseOf(list: string, given: string | undefined): string {
  return resolve(given ?? (list === '-' ? '.' : dirname(list)));
}

/**
 * A list in UTF-8 without a byte order mark.
 *
 * @param path - `-` for standard input
 * @throws ClientError if it cannot be read
 */
export async function bytesOfList(path: string, signal: AbortSignal): Promise<Buffer> {
  const isStandardInput = path === '-';
  if (isStandardInput && process.stdin.isTTY) {
    throw new ClientError('usage', 'USAGE', 'Standard input is a terminal; pipe a list into it.');
  }
  const stream = isStandardInput ? process.stdin : createReadStream(pathOf(path));
  try {
    return utf8Of(await buffer(addAbortSignal(signal, stream)));
  } catch (cause) {
    signal.throwIfAborted();
    throw unreadable(isStandardInput ? undefined : path, cause);
  }
}

async function imageOfRow({ text, name, problem }: Row, base: string): Promise<FoundImage | RowFailure> {
  if (problem !== undefined) return ownFailure('ROW_INVALID', problem);
  if (text === '') return ownFailure('SOURCE_MISSING', 'The row has neither URL nor path.');
  const given = name === undefined || name === '' ? undefined : name;
  if (given !== undefined && !isPlainPath(given)) {
    const message = `The name "${given}" would leave the output folder.`;
    return ownFailure('NAME_FORBIDDEN', message, { name: given });
  }
  const isGivenName = given !== undefined;
  if (isUrl(text)) {
    if (!text.isWellFormed()) return ownFailure('ROW_INVALID', 'The URL is not UTF-8.');
    return { source: { url: text }, name: given ?? nameOfUrl(text), isGivenName };
  }
  const source = await fileOfList(text, base);
  if ('reason' in source) return source;
  return { source, name: given ?? relative(base, source.path).split(sep).join('/'), isGivenName };
}

/**
 * A file that a list names.
 *
 * @param text - its path, from `base`
 * @param base - absolute
 * @returns a failure for a path that leaves `base`, or where no file is
 */
export async function fileOfList(text: string, base: string): Promise<SourceFile | RowFailure> {
  const path = resolve(base, text);
  const inside = relative(base, path);
  if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    const message = `The path leaves "${base}"; --base sets the folder that the paths of lists must be in.`;
    return ownFailure('PATH_FORBIDDEN', message, { base });
  }
  const stats = await stat(pathOf(path), { bigint: true }).catch(() => undefined);
  if (stats === undefined) return ownFailure('INPUT_MISSING', 'There is no such file.');
  if (!stats.isFile()) return ownFailure('INPUT_UNREADABLE', `This is ${nameOfType(stats)}, not a file.`);
  return sourceFile(path, stats);
}

/** Whether a relative path stays in its folder, on every operating system. */
export function isPlainPath(name: string): boolean {
  const isPlain = (segment: string) =>
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no file should have one in its name
    segment !== '' && segment !== '.' && segment !== '..' && !/[\\:\u0000-\u001f\u007f]/.test(segment);
  return name.split('/').every(isPlain);
}

/**
 * Host and path of a URL, the path percent-encoded. Of an object they are its bucket and its whole key, which may contain `?`
 * and `#`.
 */
export function hostAndPath(text: string): { readonly host: string; readonly path: string } | undefined {
  try {
    const { bucket, key } = parseObjectUrl(text);
    return { host: bucket, path: key.split('/').map(encodeURIComponent).join('/') };
  } catch {
    const url = URL.parse(text);
    return url === null ? undefined : { host: url.host, path: url.pathname };
  }
}

/** Host and path of a URL as a relative path that is valid on every file system. Two URLs may give the same. */
export function nameOfUrl(text: string): string {
  const url = hostAndPath(text);
  const segments = url === undefined ? [text] : [url.host, ...url.path.split('/')];
  const names = segments
    .filter((segment) => segment !== '')
    .map((segment) => segment.replace(/[^\w.%~-]/g, '_'));
  // URL parsing leaves some "." and ".."; a URL may also have a host only.
  const safe = names.map((name) => name.replace(/^\.+$/, '_'));
  return safe.length === 1 ? `${safe[0]}/index` : safe.join('/');
}

/** The failure of a row, without its source. */
export type RowFailure = Omit<JobFailure, 'source'>;

function withRow(failure: RowFailure, list: string, { line, text }: Row): JobFailure {
  return { source: text, ...failure, metadata: { ...failure.metadata, list, line: String(line) } };
}
