import { appendFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobFailure } from './images.ts';

/** The name in the output folder. */
export const failuresName = 'failures.jsonl';

/** The failures of an output folder, a JSON object a line. */
export interface FailuresFile {
  add(failure: JobFailure): Promise<void>;
  /**
   * Writes the file whole: the failures of this run, and of earlier ones for the sources that it did not come to. With none
   * the file goes.
   */
  finish(isAhead: (source: string) => boolean): Promise<void>;
}

/**
 * Begins the failures of a run: what earlier runs wrote stays for the sources that this run has before it, until it
 * comes to them.
 *
 * @param isAhead - whether this run will come to a source
 */
export async function beginFailures(
  folder: string,
  isAhead: (source: string) => boolean,
): Promise<FailuresFile> {
  const path = join(folder, failuresName);
  const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n');
  const earlier = lines.filter((line) => isAhead(sourceOf(line) ?? ''));
  await replace(path, earlier);
  const failures: JobFailure[] = [];
  let writing: Promise<unknown> = Promise.resolve();
  return {
    add(failure) {
      failures.push(failure);
      const written = writing.then(() => appendFile(path, `${JSON.stringify(failure)}\n`));
      writing = written.catch(() => {});
      return written;
    },
    async finish(isStillAhead) {
      await writing;
      const left = earlier.filter((line) => isStillAhead(sourceOf(line) ?? ''));
      await replace(path, [...left, ...failures.map((failure) => JSON.stringify(failure))]);
    },
  };
}

function sourceOf(line: string): string | undefined {
  try {
    const { source } = Object(JSON.parse(line)) as Partial<JobFailure>;
    return typeof source === 'string' ? source : undefined;
  } catch {
    return undefined;
  }
}

async function replace(path: string, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) {
    await rm(path, { force: true });
    return;
  }
  const temporary = `${path}.new`;
  await writeFile(temporary, lines.map((line) => `${line}\n`).join(''));
  await rename(temporary, path);
}
