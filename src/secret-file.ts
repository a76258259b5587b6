import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import * as z from 'zod';
import type { Logger } from './telemetry/telemetry.ts';

/**
 * JSON files with secrets in them, mounted into the pod and changed while it runs.
 *
 * A file is read again every second and its text compared, rather than watched: Kubernetes changes a mounted
 * Secret by swapping a symbolic link of its folder, editors by renaming another file over it, and shells by
 * cutting it off and writing it again. inotify reports each of these in its own way, network file systems
 * report none.
 */

/** A file that cannot be used. The message quotes nothing of its contents. */
class SecretFileError extends Error {
  override readonly name = 'SecretFileError';
}

/** The content of a file, as it was when it last could be used. */
export interface SecretFile<Content> {
  current(): Content;
  /** Ends the reading. */
  stop(): void;
}

const intervalMs = 1000;

/** The problem with a file, without quoting its contents; undefined if there is none. */
export function problemOfSecretFile(path: string, schema: z.ZodType): string | undefined {
  try {
    parse(readRegularFile(path), schema);
    return undefined;
  } catch (error) {
    return wordsOf(error);
  }
}

/** The path of a file of secrets that can be used as it is now, in the environment. */
export function secretFilePath(content: z.ZodType, allowed: string) {
  return z.string().superRefine((path, context) => {
    const problem = problemOfSecretFile(path, content);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: `${allowed}; ${problem}` });
  });
}

/**
 * Reads a file now, and again whenever it changes. A change that cannot be used (half written, not JSON, missing) is
 * logged once and leaves the former content in force.
 *
 * @throws Error when the file cannot be used now
 */
export function openSecretFile<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  log: Logger,
  everyMs = intervalMs,
): SecretFile<z.output<Schema>> {
  let seen = readRegularFile(path);
  let content = parse(seen, schema);
  let problem: string | undefined;

  async function readAgain(): Promise<void> {
    try {
      const text = await readRegularFileLater(path);
      if (text === seen && problem === undefined) return;
      content = parse(text, schema);
      if (text !== seen || problem !== undefined) log.info({ path }, 'secrets read again');
      seen = text;
      problem = undefined;
    } catch (error) {
      const words = wordsOf(error);
      if (words !== problem)
        log.error({ path, problem: words }, 'secrets unusable: the former stay in force');
      problem = words;
    }
  }

  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const schedule = (): void => {
    if (isStopped) return;
    timer = setTimeout(() => void readAgain().then(schedule), everyMs).unref();
  };
  schedule();
  return {
    current: () => content,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/** Opens a FIFO without waiting for its writer. */
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK;

function readRegularFile(path: string): string {
  const file = openSync(path, openFlags);
  try {
    checkRegular(fstatSync(file));
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

async function readRegularFileLater(path: string): Promise<string> {
  await using file = await open(path, openFlags);
  checkRegular(await file.stat());
  return await file.readFile('utf8');
}

/** A FIFO may never have anything to read, and a device may never end. */
function checkRegular(stats: Stats): void {
  if (!stats.isFile()) throw new SecretFileError('it is not a regular file');
}

function parse<Schema extends z.ZodType>(text: string, schema: Schema): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own words quote the text.
    throw new SecretFileError('it is not JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const words = issue?.code === 'unrecognized_keys' ? 'has an unknown member' : issue?.message;
  throw new SecretFileError(`${issue?.path.join('.') || 'it'}: ${words}`);
}

function wordsOf(error: unknown): string {
  if (error instanceof SecretFileError) return error.message;
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return `it cannot be read (${error.code})`;
  }
  return 'it cannot be read';
}
