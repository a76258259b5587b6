import { randomUUID } from 'node:crypto';
import { link, open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { getSystemErrorMessage } from 'node:util';
import { ClientError } from './client-error.ts';

/** Errors of file systems that have no hard links. */
const withoutLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES'];

/** The bytes of a file, or of standard input for `-`. */
export async function readInput(path: string, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const isStandardInput = path === '-';
  if (isStandardInput && process.stdin.isTTY) {
    throw new ClientError('usage', 'USAGE', 'Standard input is a terminal; pipe an image into it.');
  }
  try {
    const bytes = isStandardInput
      ? await buffer(addAbortSignal(signal, process.stdin))
      : await readFile(path, { signal });
    return new Uint8Array(bytes);
  } catch (error) {
    signal.throwIfAborted();
    throw inputError(path, error);
  }
}

function inputError(path: string, cause: unknown): ClientError {
  if (codeOf(cause) === 'ENOENT') {
    const hint = /[*?[\]{}]/.test(path) ? ' Globs are for "image-client job".' : '';
    return new ClientError('usage', 'INPUT_MISSING', `There is no file "${path}".${hint}`, { cause });
  }
  if (codeOf(cause) === 'EISDIR') {
    const message = `"${path}" is a folder; "image-client job" processes the images in it.`;
    return new ClientError('files', 'INPUT_UNREADABLE', message, { cause });
  }
  return unreadable(path === '-' ? undefined : path, cause);
}

/**
 * Refuses an output that cannot be written or must not be replaced, before anything is sent.
 *
 * @param input - a path, `-` for standard input; undefined for a URL
 * @param output - a path, or `-` for standard output
 * @param overwrite - whether an existing file is replaced
 */
export async function checkOutput(
  input: string | undefined,
  output: string,
  overwrite: boolean,
): Promise<void> {
  if (output === '-') {
    if (!process.stdout.isTTY) return;
    throw new ClientError(
      'usage',
      'USAGE',
      'Standard output is a terminal, which an image would garble; name a file or use a pipe.',
    );
  }
  const statsOf = (path: string) => stat(path, { bigint: true }).catch(() => undefined);
  const [from, to, folder] = await Promise.all([
    input === undefined || input === '-' ? undefined : statsOf(input),
    statsOf(output),
    statsOf(dirname(output)),
  ]);
  if (folder === undefined) throw unwritableName(output, `there is no folder "${dirname(output)}"`);
  if (to?.isDirectory()) throw unwritableName(output, 'it is a folder; name a file in it');
  // By device and inode: links and, where the file system ignores it, letter case lead to the same file.
  if (from?.isFile() && to !== undefined && from.dev === to.dev && from.ino === to.ino) {
    throw new ClientError(
      'usage',
      'OUTPUT_IS_SOURCE',
      `"${output}" is the input file itself, which is never replaced; name another output.`,
    );
  }
  if (to?.isFile() && !overwrite) throw outputExists(output);
}

function unwritableName(output: string, why: string): ClientError {
  return new ClientError('files', 'OUTPUT_UNWRITABLE', `"${output}" cannot be written: ${why}.`);
}

function outputExists(output: string): ClientError {
  return new ClientError('files', 'OUTPUT_EXISTS', `"${output}" exists, and --no-overwrite keeps it.`);
}

/** Writes to a file, or to standard output for `-`. The file gets the whole content or stays as it was. */
export async function writeOutput(
  path: string,
  content: Uint8Array,
  overwrite: boolean,
  signal: AbortSignal,
): Promise<void> {
  try {
    await (path === '-' ? writeToStandardOutput(content) : writeFileWhole(path, content, overwrite, signal));
  } catch (error) {
    signal.throwIfAborted();
    throw unwritable(path === '-' ? undefined : path, error);
  }
}

function writeToStandardOutput(content: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.once('error', reject);
    process.stdout.write(content, (error) => (error ? reject(error) : resolve()));
  });
}

async function writeFileWhole(
  path: string,
  content: Uint8Array,
  overwrite: boolean,
  signal: AbortSignal,
): Promise<void> {
  // A symbolic link stays; its target is replaced.
  const target = await realpath(path).catch(() => path);
  const existing = await stat(target).catch(() => undefined);
  if (existing !== undefined && !existing.isFile()) {
    // Devices and pipes are written to: a rename would replace /dev/null by a file.
    await writeFile(target, content, { signal });
    return;
  }
  // Beside the target, because a rename is atomic only within one file system.
  const temporary = join(dirname(target), `.image-client-${randomUUID()}.tmp`);
  const mode = existing === undefined ? 0o666 : existing.mode & 0o777;
  try {
    await writeFile(temporary, content, { flag: 'wx', mode, signal });
    if (overwrite) await rename(temporary, target);
    else if (!(await placeNew(temporary, target))) throw outputExists(path);
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Gives a file a name that does not exist yet.
 *
 * @returns false if the name exists
 */
export async function placeNew(temporary: string | Buffer, target: string | Buffer): Promise<boolean> {
  try {
    await link(temporary, target);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!withoutLinks.includes(codeOf(error) ?? '')) throw error;
  }
  try {
    // Reserves the name with an empty file, which the rename then replaces.
    await (await open(target, 'wx')).close();
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  await rename(temporary, target);
  return true;
}

/** Whether the disk, or the user's quota, is full. */
function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '');
}

/**
 * The error of a file that cannot be written: DISK_FULL or OUTPUT_UNWRITABLE.
 *
 * @param path - undefined for standard output
 */
export function unwritable(path: string | undefined, cause: unknown): ClientError {
  if (cause instanceof ClientError) return cause;
  const name = path === undefined ? 'Standard output' : `"${path}"`;
  const message = `${name} cannot be written: ${wordsOf(cause)}.`;
  return isDiskFull(cause)
    ? new ClientError('diskFull', 'DISK_FULL', message, { cause })
    : new ClientError('files', 'OUTPUT_UNWRITABLE', message, { cause });
}

/**
 * The error of a file or folder that cannot be read: INPUT_UNREADABLE.
 *
 * @param path - undefined for standard input
 */
export function unreadable(path: string | undefined, cause: unknown): ClientError {
  const name = path === undefined ? 'Standard input' : `"${path}"`;
  const message = `${name} cannot be read: ${wordsOf(cause)}.`;
  return new ClientError('files', 'INPUT_UNREADABLE', message, { cause });
}

/** The code of an error of the system, such as ENOENT. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** The system's description of an error, without the path, which the message already contains. */
export function wordsOf(error: unknown): string {
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') {
    return getSystemErrorMessage(error.errno) ?? error.message;
  }
  return error instanceof Error ? error.message : String(error);
}
