import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { codeOf, placeNew, unreadable, unwritable } from '../../files.ts';
import { usage } from '../../flags.ts';
import { isAlive } from '../../job/output/lock.ts';
import { makeFolder } from '../../job/output/make-folder.ts';
import type { CorpusStore, StoredFile } from './corpus-store.ts';

/** The folder of files that are being written. */
const incomplete = 'incomplete';

/** Opens a folder as a store; it is created when something is written. @throws ClientError of bad usage */
export function openFolder(url: string): CorpusStore {
  const folder = pathOfUrl(url);
  const pathOf = (name: string) => join(folder, name);
  return {
    url: folder,
    urlOf: pathOf,

    async info(name) {
      try {
        return { bytes: (await stat(pathOf(name))).size, sha256: undefined };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw unreadable(pathOf(name), error);
      }
    },

    async open(name, signal) {
      try {
        const file = await open(pathOf(name));
        return readOf(file.createReadStream({ signal }), pathOf(name), signal);
      } catch (error) {
        signal.throwIfAborted();
        if (isMissing(error)) return undefined;
        throw unreadable(pathOf(name), error);
      }
    },

    writeNew: (name, file, _contentType, signal) =>
      write(folder, name, file, signal, async (temporary, target) =>
        (await placeNew(temporary, target)) ? 'written' : 'present',
      ),

    // A link never replaces a file.
    async ensureWrittenOnce() {},

    async replace(name, file, _contentType, signal) {
      await write(folder, name, file, signal, rename);
    },

    async *list(name) {
      const names = await readdir(pathOf(name)).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw unreadable(pathOf(name), error);
      });
      for (const each of names.sort()) {
        const path = join(name, each);
        const stats = await stat(pathOf(path)).catch(() => undefined);
        if (stats?.isFile()) yield { name: path, bytes: stats.size };
      }
    },

    close() {},
  };
}

function pathOfUrl(url: string): string {
  if (!/^file:/i.test(url)) return resolve(url);
  try {
    return fileURLToPath(url);
  } catch {
    const example = pathToFileURL('/data/corpus').href;
    throw usage(`--out is "${url}"; a file URL has a path on this machine, such as ${example}.`);
  }
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '');
}

async function* readOf(
  stream: AsyncIterable<Uint8Array>,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    signal.throwIfAborted();
    throw unreadable(path, error);
  }
}

/** Writes a file beside the others and then gives it its name. */
async function write<Result>(
  folder: string,
  name: string,
  file: StoredFile,
  signal: AbortSignal,
  place: (temporary: string, target: string) => Promise<Result>,
): Promise<Result> {
  const target = join(folder, name);
  const temporary = join(folder, incomplete, temporaryName());
  try {
    await makeFolder(dirname(temporary));
    await makeFolder(dirname(target));
    await removeAbandoned(dirname(temporary));
    await pipeline(file.open(0, file.bytes), createWriteStream(temporary, { flags: 'wx', flush: true }), {
      signal,
    });
    return await place(temporary, target);
  } catch (error) {
    signal.throwIfAborted();
    throw unwritable(target, error);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A name that tells whose file it is. */
function temporaryName(): string {
  return `${hostname()}~${process.pid}~${randomUUID()}`;
}

/** Removes what killed processes of this machine left behind. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [host, pid] = name.split('~');
    const isAbandoned = host === hostname() && Number(pid) !== process.pid && !isAlive(Number(pid));
    if (isAbandoned) await rm(join(folder, name), { force: true });
  }
}
