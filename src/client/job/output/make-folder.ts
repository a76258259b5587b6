import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../../files.ts';
import { pathOf } from './file-names.ts';

/**
 * Creates a folder and those above it. Node's own `recursive` never ends where a file system cannot have the folder and
 * responds as if the folder above it were missing, as /proc does.
 *
 * @returns whether the folder was missing
 */
export async function makeFolder(folder: string): Promise<boolean> {
  try {
    return await makeOne(folder);
  } catch (error) {
    const above = dirname(folder);
    if (codeOf(error) !== 'ENOENT' || above === folder) throw error;
    await makeFolder(above);
    return await makeOne(folder);
  }
}

async function makeOne(folder: string): Promise<boolean> {
  const path = pathOf(folder);
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    const isThere = codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory();
    if (!isThere) throw error;
    return false;
  }
}
