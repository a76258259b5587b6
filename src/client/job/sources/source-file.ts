import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pathOf } from '../output/file-names.ts';

/**
 * Opens a file for reading. If a pipe or device has replaced it meanwhile, opening fails instead of blocking.
 *
 * @throws the system's error, or an Error if it is not a file
 */
export async function openFile(path: string): Promise<FileHandle> {
  // Windows has no O_NONBLOCK.
  const file = await open(pathOf(path), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error('it is not a file');
}

/** The content of a file. @throws as openFile */
export async function readSource(path: string, signal: AbortSignal): Promise<Buffer> {
  await using file = await openFile(path);
  return await file.readFile({ signal });
}
