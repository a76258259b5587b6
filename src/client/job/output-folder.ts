import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { ClientError } from '../client-error.ts';
import { codeOf, wordsOf } from '../files.ts';

/** Its presence says that a run works in the folder, or that one was killed there. */
const lockName = '.image-client.lock';
const temporaryName = /^\.image-client-job-[0-9a-f-]{36}\.tmp$/;

/** A run renews its lock so often, in milliseconds; one of another host that is older than the limit is nobody's. */
const renewalMs = 5_000;
const abandonedMs = 30_000;

/** Errors that come of one output's name and not of the disk. */
const ofOneName = ['ENAMETOOLONG', 'EISDIR', 'ENOTDIR', 'EEXIST', 'EINVAL', 'EILSEQ'];

/** The folder that a job writes into, for this run alone. */
export interface OutputFolder extends AsyncDisposable {
  /**
   * Puts an output in its place, whole or not at all.
   *
   * @param output - path in the folder, with `/`
   * @throws ClientError OUTPUT_UNWRITABLE: of the end `refused` if the name alone is at fault, else `files`
   */
  write(output: string, content: Uint8Array): Promise<void>;
}

/**
 * Takes a folder for a run, and makes it if need be. What a killed run has left half done there is removed.
 *
 * @throws ClientError if another run works there or it cannot be written to
 */
export async function takeOutputFolder(folder: string): Promise<OutputFolder> {
  const lock = join(folder, lockName);
  let wasAbandoned: boolean;
  try {
    await mkdir(folder, { recursive: true });
    wasAbandoned = await takeLock(lock);
    if (wasAbandoned) await removeTemporaries(folder);
  } catch (error) {
    if (error instanceof ClientError) throw error;
    throw unwritable(folder, error, 'files');
  }
  const renewal = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => {}), renewalMs);
  renewal.unref();
  const made = new Set<string>();
  return {
    async write(output, content) {
      const target = join(folder, output);
      const temporary = join(dirname(target), `.image-client-job-${randomUUID()}.tmp`);
      try {
        if (!made.has(dirname(target))) await mkdir(dirname(target), { recursive: true });
        made.add(dirname(target));
        await writeFile(temporary, content, { flag: 'wx' });
        await rename(temporary, target);
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => {});
        throw unwritable(target, error, ofOneName.includes(codeOf(error) ?? '') ? 'refused' : 'files');
      }
    },
    async [Symbol.asyncDispose]() {
      clearInterval(renewal);
      await rm(lock, { force: true });
    },
  };
}

function unwritable(path: string, cause: unknown, end: ClientError['end']): ClientError {
  return new ClientError(end, 'OUTPUT_UNWRITABLE', `"${path}" cannot be written: ${wordsOf(cause)}.`, {
    cause,
  });
}

/** Whether it was left over by a run that did not end well. */
async function takeLock(lock: string): Promise<boolean> {
  for (let wasAbandoned = false; ; wasAbandoned = true) {
    try {
      const file = await open(lock, 'wx');
      await file.writeFile(JSON.stringify({ pid: process.pid, host: hostname() }));
      await file.close();
      return wasAbandoned;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const holder = await holderOf(lock);
    if (holder !== undefined) {
      throw new ClientError(
        'files',
        'OUTPUT_BUSY',
        `Another run (process ${holder.pid} on ${holder.host}) works in "${dirname(lock)}"; wait for its end.`,
      );
    }
    await rm(lock, { force: true });
  }
}

/** The run that holds a lock, if it lives. */
async function holderOf(lock: string): Promise<{ pid: number; host: string } | undefined> {
  const text = await readFile(lock, 'utf8').catch(() => '');
  const age = Date.now() - ((await stat(lock).catch(() => undefined))?.mtimeMs ?? 0);
  let pid = 0;
  let host = 'an unknown host';
  try {
    ({ pid, host } = Object(JSON.parse(text)));
  } catch {
    // Killed before it could write its name, or about to.
  }
  // A process can't be asked after on another host; there its last sign of life has to do.
  const lives = host === hostname() ? pid !== process.pid && isAlive(pid) : age < abandonedMs;
  return lives ? { pid, host } : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

async function removeTemporaries(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await removeTemporaries(path);
    else if (temporaryName.test(entry.name)) await rm(path, { force: true });
  }
}
