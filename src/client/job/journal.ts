import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { toBinary } from '@bufbuild/protobuf';
import { type ProcessRequest, ProcessRequestSchema } from '../../../gen/image/v1/processor_pb.ts';
import { type JobImage, nameOfSource } from './images.ts';

/** The journal's name in the output folder. */
export const journalName = 'journal.jsonl';

/** A line of the journal: an output that is there, and what it was made of. */
interface Entry {
  /** The absolute path or the URL. */
  readonly source: string;
  /** Of a file: its length, and when it was last changed, in milliseconds since 1970. */
  readonly sourceBytes?: number;
  readonly mtimeMs?: number;
  /** Digest of the request without its source. */
  readonly options: string;
  readonly output: string;
  readonly outputBytes: number;
}

/** What has been done in an output folder. */
export interface Journal {
  /** Whether the output is there as this job would make it. */
  isDone(image: JobImage): Promise<boolean>;
  /** Makes the journal ready for `add`: a line that was cut off and lines that are superseded go. */
  open(): Promise<void>;
  /** Notes an output that is in its place. */
  add(image: JobImage, outputBytes: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Reads the journal of an output folder, if there is one. Lines that are none, such as the last one of a run that was
 * killed, are left out: their images are made again.
 */
export async function readJournal(folder: string, request: ProcessRequest): Promise<Journal> {
  const path = join(folder, journalName);
  const options = digestOf(request);
  const { entries, lines } = await readEntries(path);
  let file: Awaited<ReturnType<typeof open>> | undefined;
  let writing: Promise<unknown> = Promise.resolve();
  return {
    async isDone(image) {
      const entry = entries.get(image.output);
      if (entry === undefined || !isSame(entry, entryOf(image, options, entry.outputBytes))) return false;
      const stats = await stat(join(folder, image.output)).catch(() => undefined);
      return stats?.isFile() === true && stats.size === entry.outputBytes;
    },
    async open() {
      if (lines !== entries.size || !(await endsWithNewline(path))) {
        const temporary = `${path}.new`;
        await writeFile(temporary, [...entries.values()].map(lineOf).join(''));
        await rename(temporary, path);
      }
      file = await open(path, 'a');
    },
    add(image, outputBytes) {
      const line = lineOf(entryOf(image, options, outputBytes));
      // One after the other: two writes at once may interleave.
      const written = writing.then(() => file?.appendFile(line));
      writing = written.catch(() => {});
      return written.then(() => {});
    },
    async close() {
      await writing;
      await file?.close();
    },
  };
}

async function readEntries(path: string): Promise<{ entries: Map<string, Entry>; lines: number }> {
  const entries = new Map<string, Entry>();
  let lines = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(path) })) {
      lines++;
      const entry = parsed(line);
      if (entry !== undefined) entries.set(entry.output, entry);
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  return { entries, lines };
}

function parsed(line: string): Entry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const { source, options, output, outputBytes } = Object(value) as Partial<Entry>;
    const isEntry = [source, options, output].every((text) => typeof text === 'string');
    return isEntry && typeof outputBytes === 'number' ? (value as Entry) : undefined;
  } catch {
    return undefined;
  }
}

async function endsWithNewline(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(() => undefined);
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

function entryOf({ source, output }: JobImage, options: string, outputBytes: number): Entry {
  const file = 'url' in source ? {} : { sourceBytes: source.bytes, mtimeMs: source.mtimeMs };
  return { source: nameOfSource(source), ...file, options, output, outputBytes };
}

function isSame(a: Entry, b: Entry): boolean {
  return lineOf(a) === lineOf(b);
}

function lineOf({ source, sourceBytes, mtimeMs, options, output, outputBytes }: Entry): string {
  return `${JSON.stringify({ source, sourceBytes, mtimeMs, options, output, outputBytes })}\n`;
}

/** Names the options: requests that differ in anything but their source have different digests. */
export function digestOf(request: ProcessRequest): string {
  const bytes = toBinary(ProcessRequestSchema, { ...request, source: { case: undefined } });
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}
