import { open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ClientError } from '../../client-error.ts';
import { codeOf, placeNew, unwritable, wordsOf } from '../../files.ts';
import { mtimeOf } from '../images.ts';
import { isTemporary, lockName, temporaryPath } from '../journal/own-names.ts';
import { pathOf, textOfName } from './file-names.ts';
import { takeLock } from './lock.ts';
import { makeFolder } from './make-folder.ts';

/** Errors that the name of one output causes, not the disk. */
const ofOneName = ['ENAMETOOLONG', 'EISDIR', 'ENOTDIR', 'EEXIST', 'EINVAL', 'EILSEQ', 'ENOTEMPTY'];

/** The folder that a job writes into, for this run only. */
export interface OutputFolder extends AsyncDisposable {
  /**
   * Writes an output: the whole content, or nothing.
   *
   * @param output - path in the folder, with `/`
   * @param note - records the output, with the time at which it was written, before the output gets its name
   * @param mayReplace - called immediately before an existing file is replaced
   * @throws ClientError OUTPUT_EXISTS for a file that must not be replaced, or OUTPUT_UNWRITABLE for a name that no file
   *   can have, both with the exit `refused`; OUTPUT_UNWRITABLE with `files`; DISK_FULL
   */
  write(
    output: string,
    content: Uint8Array,
    note: (mtimeMs: number) => Promise<void>,
    mayReplace: () => Promise<boolean>,
  ): Promise<void>;
}

/**
 * Locks a folder for a run, and creates it if necessary. Incomplete files of a killed run are removed. A folder that was
 * created and stays empty is removed at the end.
 *
 * @throws ClientError if another run uses it, or it cannot be written to
 */
export async function takeOutputFolder(folder: string): Promise<OutputFolder> {
  try {
    const isNew = await makeFolder(folder);
    const lock = await takeLock(join(folder, lockName));
    if (lock.wasAbandoned) await removeTemporaries(folder);
    return {
      write: (output, content, note, mayReplace) => write(join(folder, output), content, note, mayReplace),
      async [Symbol.asyncDispose]() {
        await lock.release();
        if (isNew) await rmdir(pathOf(folder)).catch(() => {});
      },
    };
  } catch (error) {
    throw unwritable(folder, error);
  }
}

async function write(
  target: string,
  content: Uint8Array,
  note: (mtimeMs: number) => Promise<void>,
  mayReplace: () => Promise<boolean>,
): Promise<void> {
  const temporary = temporaryPath(dirname(target));
  try {
    await makeFolder(dirname(target));
    await note(await writeWhole(temporary, content));
    if (!(await placeNew(pathOf(temporary), pathOf(target)))) {
      if (!(await mayReplace())) throw exists(target);
      await rename(pathOf(temporary), pathOf(target));
    }
  } catch (error) {
    if (error instanceof ClientError) throw error;
    if (!ofOneName.includes(codeOf(error) ?? '')) throw unwritable(target, error);
    const message = `"${target}" cannot be written: ${wordsOf(error)}.`;
    throw new ClientError('refused', 'OUTPUT_UNWRITABLE', message, { cause: error });
  } finally {
    await rm(pathOf(temporary), { force: true }).catch(() => {});
  }
}

/** Writes a new file to the disk. @returns its modification time, in milliseconds since 1970 */
async function writeWhole(path: string, content: Uint8Array): Promise<number> {
  await using file = await open(pathOf(path), 'wx');
  await file.writeFile(content);
  await file.sync();
  return mtimeOf(await file.stat({ bigint: true }));
}

function exists(target: string): ClientError {
  return new ClientError(
    'refused',
    'OUTPUT_EXISTS',
    `"${target}" was created after the job began; --overwrite replaces such files.`,
  );
}

async function removeTemporaries(folder: string): Promise<void> {
  for (const entry of await readdir(pathOf(folder), { withFileTypes: true, encoding: 'buffer' })) {
    const name = textOfName(entry.name);
    const path = join(folder, name);
    if (entry.isDirectory()) await removeTemporaries(path);
    else if (isTemporary(name)) await rm(pathOf(path), { force: true });
  }
}
