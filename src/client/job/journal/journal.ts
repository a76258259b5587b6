import { createHash } from 'node:crypto';
import { type BigIntStats, createReadStream } from 'node:fs';
import { type FileHandle, lstat, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ClientError } from '../../client-error.ts';
import { codeOf, unreadable, unwritable } from '../../files.ts';
import { mtimeOf } from '../images.ts';
import { pathOf } from '../output/file-names.ts';
import { type Entry, entryIn, journalLine } from './journal-entry.ts';
import { journalName, temporaryPath } from './own-names.ts';

/** The record of an output folder's outputs. */
export interface Journal {
  /** The entry that describes the file at an output's path; undefined if the file has changed since. */
  find(output: string, stats: BigIntStats): Promise<Entry | undefined>;
  /** The latest entry of each output that the journal names. */
  latest(): readonly Entry[];
  /** Prepares for `add`: repairs a line that was cut off and removes lines that are superseded. */
  open(): Promise<void>;
  /**
   * Records an output before the output gets its name, so that the journal lists every file of the job even if the run
   * is killed. Resolves when the line is on the disk.
   */
  add(entry: Entry): Promise<void>;
  close(): Promise<void>;
}

/**
 * Reads the journal of an output folder, if there is one. Lines that are not entries, such as the last one of a killed
 * run, are ignored.
 *
 * @throws ClientError if the file is not a journal, or cannot be read
 */
export async function readJournal(folder: string): Promise<Journal> {
  const name = join(folder, journalName);
  const { entries, lines } = await readEntries(name);
  const find: Journal['find'] = async (output, stats) => {
    const candidates = entries.get(output) ?? [];
    for (const entry of candidates.toReversed()) {
      if (await describes(entry, join(folder, output), stats)) return entry;
    }
    // On a file system without links, a killed run can leave an empty file.
    return stats.size === 0n ? candidates.at(-1) : undefined;
  };
  let file: FileHandle | undefined;
  const appender = createAppender(async (text) => {
    await file?.appendFile(text);
    await file?.datasync();
  });
  return {
    find,
    latest: () => Array.from(entries.values(), (candidates) => candidates.at(-1) as Entry),
    async open() {
      try {
        const kept = await withoutSuperseded(entries, folder, find);
        if (kept.length !== lines || !(await endsWithNewline(name))) await rewrite(folder, kept);
        file = await open(pathOf(name), 'a');
      } catch (error) {
        throw unwritable(name, error);
      }
    },
    async add(entry) {
      try {
        await appender.append(journalLine(entry));
      } catch (error) {
        throw unwritable(name, error);
      }
    },
    async close() {
      await appender.settled();
      await file?.close();
    },
  };
}

/**
 * Appends texts in their order; texts that arrive during a write are written together. After a failure nothing more is
 * written, because a line may have been cut off.
 */
function createAppender(write: (text: string) => Promise<void>) {
  let waiting = '';
  let next: Promise<void> | undefined;
  let last: Promise<void> = Promise.resolve();
  return {
    append(text: string): Promise<void> {
      waiting += text;
      next ??= last.then(() => {
        const all = waiting;
        waiting = '';
        next = undefined;
        return write(all);
      });
      last = next;
      return next;
    },
    /** Resolves when nothing is being written. */
    settled: () => last.catch(() => {}),
  };
}

async function readEntries(path: string): Promise<{ entries: Map<string, Entry[]>; lines: number }> {
  const entries = new Map<string, Entry[]>();
  let lines = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(pathOf(path)) })) {
      lines++;
      const entry = entryIn(line);
      if (entry !== undefined) {
        const candidates = entries.get(entry.output);
        if (candidates === undefined) entries.set(entry.output, [entry]);
        else candidates.push(entry);
        // The first line of a journal is an entry, or one that was cut off.
      } else if (lines === 1 && !line.startsWith('{"source":')) {
        throw new ClientError(
          'usage',
          'OUTPUT_FOREIGN',
          `"${path}" is not a job's journal; choose another output folder.`,
        );
      }
    }
  } catch (error) {
    if (error instanceof ClientError) throw error;
    if (codeOf(error) !== 'ENOENT') throw unreadable(path, error);
  }
  return { entries, lines };
}

/** Whether an entry describes a file: by length and time, or by content where only the time differs. */
async function describes(entry: Entry, path: string, stats: BigIntStats): Promise<boolean> {
  if (Number(stats.size) !== entry.outputBytes) return false;
  if (mtimeOf(stats) === entry.outputMtimeMs) return true;
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(pathOf(path))) hash.update(chunk);
  } catch {
    return false;
  }
  return hash.digest('hex') === entry.outputSha256;
}

/** One entry per output: the one that describes the file, else the latest. */
async function withoutSuperseded(
  entries: ReadonlyMap<string, readonly Entry[]>,
  folder: string,
  find: Journal['find'],
): Promise<Entry[]> {
  const kept: Entry[] = [];
  for (const [output, candidates] of entries) {
    let entry = candidates.at(-1) as Entry;
    if (candidates.length > 1) {
      const stats = await lstat(pathOf(join(folder, output)), { bigint: true }).catch(() => undefined);
      if (stats?.isFile()) entry = (await find(output, stats)) ?? entry;
    }
    kept.push(entry);
  }
  return kept;
}

async function rewrite(folder: string, entries: readonly Entry[]): Promise<void> {
  const temporary = pathOf(temporaryPath(folder));
  await writeFile(temporary, entries.map(journalLine).join(''), { flag: 'wx', flush: true });
  await rename(temporary, pathOf(join(folder, journalName)));
}

async function endsWithNewline(path: string): Promise<boolean> {
  const file = await open(pathOf(path), 'r').catch(() => undefined);
  if (file === undefined) return true;
  try {
    const { size } = await file.stat();
    if (size === 0) return true;
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer.toString() === '\n';
  } finally {
    await file.close();
  }
}
