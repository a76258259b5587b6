import { link, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ClientError } from '../../client-error.ts';
import { codeOf, unwritable, wordsOf } from '../../files.ts';
import { mtimeOf } from '../images.ts';
import { isTemporary, lockName, temporaryPath } from '../journal/own-names.ts';
import { pathOf, textOfName } from './file-names.ts';
import { takeLock } from './lock.ts';

/** Errors that one output's name causes, and not the disk. */
const ofOneName = ['ENAMETOOLONG', 'EISDIR', 'ENOTDIR', 'EEXIST', 'EINVAL', 'EILSEQ', 'ENOTEMPTY'];

/** Errors of file systems that have no hard links. */
const withoutLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES'];

/** The folder that a job writes into, for this run only. */
export interface OutputFolder extends AsyncDisposable {
  /**
   * Puts an output in its place: the whole content, or nothing.
   *
   * @param output - path in the folder, with `/`
   * @param note - notes the output, with the time at which it was written, before it is put in its place
   * @param mayReplace - asked right before a file that is already there is replaced
   * @throws ClientError OUTPUT_EXISTS if a file is there that must not be replaced, or OUTPUT_UNWRITABLE for a name that
   *   no file can have, both with the end `refused`; OUTPUT_UNWRITABLE with `files`, DISK_FULL
   */
  write(
    output: string,
    content: Uint8Array,
    note: (mtimeMs: number) => Promise<void>,
    mayReplace: () => Promise<boolean>,
  ): Promise<void>;
}

/**
 * Takes a folder for a run, and makes it if necessary. Incomplete files of a killed run are removed; a folder that was
 * made and got nothing is removed at the end.
 *
 * @throws ClientError if another run works there or it cannot be written to
 */
export async function takeOutputFolder(folder: string): Promise<OutputFolder> {
  try {
    const made = await mkdir(pathOf(folder), { recursive: true });
    const lock = await takeLock(join(folder, lockName));
    if (lock.wasAbandoned) await removeTemporaries(folder);
    return {
      write: (output, content, note, mayReplace) => write(join(folder, output), content, note, mayReplace),
      async [Symbol.asyncDispose]() {
        await lock.release();
        if (made !== undefined) await rmdir(pathOf(folder)).catch(() => {});
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
    await mkdir(pathOf(dirname(target)), { recursive: true });
    await note(await writeWhole(temporary, content));
    if (!(await placeNew(temporary, target))) {
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

/** Writes a new file to the disk and gives its time, in milliseconds since 1970. */
async function writeWhole(path: string, content: Uint8Array): Promise<number> {
  await using file = await open(pathOf(path), 'wx');
  await file.writeFile(content);
  await file.sync();
  return mtimeOf(await file.stat({ bigint: true }));
}

/**
 * Gives a file a name that nothing has yet.
 *
 * @returns whether it did: false if the name is taken
 */
async function placeNew(temporary: string, target: string): Promise<boolean> {
  try {
    await link(pathOf(temporary), pathOf(target));
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!withoutLinks.includes(codeOf(error) ?? '')) throw error;
  }
  try {
    // Takes the name with an empty file, which the rename then replaces.
    await (await open(pathOf(target), 'wx')).close();
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  await rename(pathOf(temporary), pathOf(target));
  return true;
}

function exists(target: string): ClientError {
  return new ClientError(
    'refused',
    'OUTPUT_EXISTS',
    `"${target}" has appeared since the job began; --overwrite replaces such files.`,
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
