import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { ClientError } from '../../client-error.ts';
import { codeOf } from '../../files.ts';
import { pathOf } from './file-names.ts';

/** The interval at which a run renews its lock, in milliseconds. */
const renewalMs = 5_000;
/** The age at which a lock of another host counts as abandoned, in milliseconds. */
const abandonedMs = 30_000;

/** The lock of an output folder, renewed until it is released. */
export interface OutputLock {
  /** Whether a killed run left it behind; it may have left incomplete files as well. */
  readonly wasAbandoned: boolean;
  release(): Promise<void>;
}

/**
 * Takes a lock file.
 *
 * @throws ClientError OUTPUT_BUSY if a running job holds it
 */
export async function takeLock(lock: string): Promise<OutputLock> {
  const path = pathOf(lock);
  for (let wasAbandoned = false; ; wasAbandoned = true) {
    try {
      const file = await open(path, 'wx');
      await file.writeFile(JSON.stringify({ pid: process.pid, host: hostname() }));
      await file.close();
      const renewal = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), renewalMs);
      renewal.unref();
      const release = async () => {
        clearInterval(renewal);
        await rm(path, { force: true });
      };
      return { wasAbandoned, release };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const holder = await holderOf(path);
    if (holder !== undefined) {
      throw new ClientError(
        'files',
        'OUTPUT_BUSY',
        `Another run (process ${holder.pid} on ${holder.host}) uses "${dirname(lock)}"; wait until it ends.`,
      );
    }
    await rm(path, { force: true });
  }
}

/** The run that holds a lock, if it still runs. */
async function holderOf(lock: string | Buffer): Promise<{ pid: number; host: string } | undefined> {
  const text = await readFile(lock, 'utf8').catch(() => '');
  const age = Date.now() - ((await stat(lock).catch(() => undefined))?.mtimeMs ?? 0);
  let pid = 0;
  let host = 'an unknown host';
  try {
    ({ pid, host } = Object(JSON.parse(text)));
  } catch {
    // The run was killed before it wrote its name, or is about to write it.
  }
  // Processes of another host cannot be looked up, so the time of the last renewal decides.
  const isRunning = host === hostname() ? pid !== process.pid && isAlive(pid) : age < abandonedMs;
  return isRunning ? { pid, host } : undefined;
}

/** Whether a process of this machine runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
