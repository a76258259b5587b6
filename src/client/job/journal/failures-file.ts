import { appendFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ClientError } from '../../client-error.ts';
import { codeOf, unreadable, unwritable } from '../../files.ts';
import { type JobFailure, nameOfPage } from '../images.ts';
import { pathOf } from '../output/file-names.ts';
import { failuresName, temporaryPath } from './own-names.ts';

/** The failures of an output folder, one JSON object per line. */
export interface FailuresFile {
  add(failure: JobFailure): Promise<void>;
  /**
   * Writes the whole file: the failures of this run, and those of earlier runs for sources that this run did not reach.
   * Removes the file if there are none.
   */
  finish(isAhead: (image: string) => boolean): Promise<void>;
}

/**
 * Starts the failures of a run. Lines of earlier runs stay only for sources that this run has yet to reach.
 *
 * @param isAhead - whether this run will reach an image, by `nameOfImage`
 * @throws ClientError if the file is not a job's, or cannot be read or written
 */
export async function beginFailures(
  folder: string,
  isAhead: (image: string) => boolean,
): Promise<FailuresFile> {
  const path = join(folder, failuresName);
  const lines = await linesOf(path);
  const earlier = lines.filter((line) => isAhead(imageOf(line) ?? ''));
  await replace(path, earlier);
  const failures: JobFailure[] = [];
  let writing: Promise<unknown> = Promise.resolve();
  return {
    add(failure) {
      failures.push(failure);
      const written = writing.then(() => appendFile(pathOf(path), `${JSON.stringify(failure)}\n`));
      writing = written.catch(() => {});
      return written.catch((error) => {
        throw unwritable(path, error);
      });
    },
    async finish(isStillAhead) {
      await writing;
      const left = earlier.filter((line) => isStillAhead(imageOf(line) ?? ''));
      await replace(path, [...left, ...failures.map((failure) => JSON.stringify(failure))]);
    },
  };
}

/** The lines of an earlier run; none if there is no file. */
async function linesOf(path: string): Promise<string[]> {
  try {
    const lines = (await readFile(pathOf(path), 'utf8')).split('\n').filter((line) => line !== '');
    // The last line of a run that was killed may be cut off.
    const isOwn = lines.every((line) => imageOf(line) !== undefined || line.startsWith('{"source":'));
    if (isOwn) return lines;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw unreadable(path, error);
  }
  const message = `"${path}" is not a job's list of failures; choose another output folder.`;
  throw new ClientError('usage', 'OUTPUT_FOREIGN', message);
}

function imageOf(line: string): string | undefined {
  try {
    const { source, page, reason } = Object(JSON.parse(line)) as Partial<JobFailure>;
    return typeof source === 'string' && typeof reason === 'string' ? nameOfPage(source, page) : undefined;
  } catch {
    return undefined;
  }
}

async function replace(path: string, lines: readonly string[]): Promise<void> {
  const temporary = temporaryPath(dirname(path));
  try {
    if (lines.length === 0) return await rm(pathOf(path), { force: true });
    await writeFile(pathOf(temporary), lines.map((line) => `${line}\n`).join(''), { flag: 'wx' });
    await rename(pathOf(temporary), pathOf(path));
  } catch (error) {
    await rm(pathOf(temporary), { force: true }).catch(() => {});
    throw unwritable(path, error);
  }
}
