import { randomUUID } from 'node:crypto';
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { getSystemErrorMessage } from 'node:util';
import { ClientError } from './client-error.ts';

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
    if (codeOf(error) === 'ENOENT') {
      throw new ClientError('usage', 'INPUT_MISSING', `There is no file "${path}".`, { cause: error });
    }
    const name = isStandardInput ? 'Standard input' : `"${path}"`;
    throw new ClientError('files', 'INPUT_UNREADABLE', `${name} cannot be read: ${wordsOf(error)}.`, {
      cause: error,
    });
  }
}

/**
 * Refuses an output that is a terminal or the input file, before anything is sent.
 *
 * @param input - a path, `-` for standard input; undefined for a URL
 * @param output - a path, or `-` for standard output
 */
export async function checkOutput(input: string | undefined, output: string): Promise<void> {
  if (output === '-') {
    if (!process.stdout.isTTY) return;
    throw new ClientError(
      'usage',
      'USAGE',
      'Standard output is a terminal, which an image would garble; name a file or use a pipe.',
    );
  }
  if (input === undefined || input === '-') return;
  const [from, to] = await Promise.all(
    [input, output].map((path) => stat(path, { bigint: true }).catch(() => undefined)),
  );
  // By device and inode: links and, where the file system ignores it, letter case lead to the same file.
  if (from?.isFile() && to !== undefined && from.dev === to.dev && from.ino === to.ino) {
    throw new ClientError(
      'usage',
      'OUTPUT_IS_SOURCE',
      `"${output}" is the input file itself, which is never replaced; name another output.`,
    );
  }
}

/** Writes to a file, or to standard output for `-`. The file gets the whole content or stays as it was. */
export async function writeOutput(path: string, content: Uint8Array, signal: AbortSignal): Promise<void> {
  try {
    await (path === '-' ? writeToStandardOutput(content) : replaceFile(path, content, signal));
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

async function replaceFile(path: string, content: Uint8Array, signal: AbortSignal): Promise<void> {
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
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
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

/** The error of a file or folder that cannot be read: INPUT_UNREADABLE. */
export function unreadable(path: string, cause: unknown): ClientError {
  const message = `"${path}" cannot be read: ${wordsOf(cause)}.`;
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
