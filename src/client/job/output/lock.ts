import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { ClientError } from '../../client-error.ts';
import { codeOf } from '../../files.ts';
import { pathOf } from './file-names.ts';

/** A run renews its lock so often, in milliseconds. */
const renewalMs = 5_000;
/** A lock of another host that was not renewed for so long, in milliseconds, is abandoned. */
const abandonedMs = 30_000;

/** The lock of an output folder, renewed until it is released. */
export interface OutputLock {
  /** Whether an earlier run left it behind: killed, it may have left incomplete files too. */
  readonly wasAbandoned: boolean;
  release(): Promise<void>;
}

/**
 * Takes a lock file.
 *
 * @throws ClientError OUTPUT_BUSY if a run that is alive holds it
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
        `Another run (process ${holder.pid} on ${holder.host}) works in "${dirname(lock)}"; wait for its end.`,
      );
    }
    await rm(path, { force: true });
  }
}

/** The run that holds a lock, if it is alive. */
async function holderOf(lock: string | Buffer): Promise<{ pid: number; host: string } | undefined> {
  const text = await readFile(lock, 'utf8').catch(() => '');
  const age = Date.now() - ((await stat(lock).catch(() => undefined))?.mtimeMs ?? 0);
  let pid = 0;
  let host = 'an unknown host';
  try {
    ({ pid, host } = Object(JSON.parse(text)));
  } catch {
    // Killed before it could write its name, or about to.
  }
  // A process of another host cannot be looked up; the time of its last renewal decides.
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
