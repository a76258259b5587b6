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

/** Stops before anything is sent if the answer would go to a terminal. */
export function checkOutput(path: string): void {
  if (path === '-' && process.stdout.isTTY) {
    throw new ClientError(
      'usage',
      'USAGE',
      'Standard output is a terminal, which an image would garble; name a file or pipe it on.',
    );
  }
}

/** Writes to a file, or to standard output for `-`. A file is there whole or as it was before. */
export async function writeOutput(path: string, content: Uint8Array, signal: AbortSignal): Promise<void> {
  try {
    await (path === '-' ? writeToStandardOutput(content) : replaceFile(path, content, signal));
  } catch (error) {
    signal.throwIfAborted();
    const name = path === '-' ? 'Standard output' : `"${path}"`;
    throw new ClientError('files', 'OUTPUT_UNWRITABLE', `${name} cannot be written: ${wordsOf(error)}.`, {
      cause: error,
    });
  }
}

function writeToStandardOutput(content: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.once('error', reject);
    process.stdout.write(content, (error) => (error ? reject(error) : resolve()));
  });
}

async function replaceFile(path: string, content: Uint8Array, signal: AbortSignal): Promise<void> {
  // Through a symbolic link, whose target is what is to change.
  const target = await realpath(path).catch(() => path);
  const existing = await stat(target).catch(() => undefined);
  if (existing !== undefined && !existing.isFile()) {
    // A device or a pipe: to put a file in the place of /dev/null would be a bad joke.
    await writeFile(target, content, { signal });
    return;
  }
  // Beside the target, because a rename is atomic within one file system alone.
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

/** The code of an error of the system, such as ENOENT. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** The system's words for what went wrong with a file, without the path, which the message names already. */
export function wordsOf(error: unknown): string {
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') {
    return getSystemErrorMessage(error.errno) ?? error.message;
  }
  return error instanceof Error ? error.message : String(error);
}
