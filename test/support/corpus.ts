import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClientError, exitCodes } from '../../src/client/client-error.ts';
import { readCorpusArguments } from '../../src/client/corpus/corpus-arguments.ts';
import { runCorpus } from '../../src/client/corpus/run-corpus.ts';
import { type Origin, startOrigin } from './origin.ts';
import { encoded, gradient } from './pictures.ts';
import { type Run, run } from './run.ts';

const program = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url));

/** Runs `image-client corpus` as a program. */
export function corpusProgram(
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Run> {
  return run(process.execPath, [program, 'corpus', ...parameters], { env: environment });
}

/** The end of a command, as the program would report it. */
export interface CorpusRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `image-client corpus` in this process, which saves the start of a program. */
export async function corpus(
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CorpusRun> {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const console = {
    print: (line: string) => void stdout.push(line),
    say: (line: string) => void stderr.push(line),
    screen: { write: () => {} },
  };
  const end = (code: number) => ({ code, stdout: stdout.join('\n'), stderr: stderr.join('\n') });
  try {
    const given = readCorpusArguments(parameters, environment);
    return end(exitCodes[await runCorpus(given, console, new AbortController().signal)].code);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    console.say(`${error.reason}: ${error.message}`);
    return end(exitCodes[error.end].code);
  }
}

/** An origin whose images depend on nothing but the number in their path; every 17th number has none. */
export async function startNumberedOrigin(): Promise<Origin> {
  const kinds = Array.from({ length: 10 }, (_, kind) => encoded(gradient(20 + kind, 15 + 2 * kind), 'jpeg'));
  const pictures = await Promise.all(kinds);
  return await startOrigin((request, response) => {
    const number = Number(/\d+/.exec(request.url ?? '')?.[0]);
    const picture = number % 17 === 5 ? undefined : pictures[number % pictures.length];
    if (picture === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-length': picture.length }).end(picture);
  });
}

/** Writes a list of numbered URLs with a column to carry along. */
export async function writeList(path: string, origin: Origin, rows: number): Promise<void> {
  const lines = Array.from({ length: rows }, (_, row) => `${origin.url(`/${row}.jpg`)},caption ${row}`);
  await writeFile(path, `url,caption\n${lines.join('\n')}\n`);
}

/** SHA-256 of each file of a folder, by its name. */
export async function hashesIn(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder).catch(() => [])).sort();
  const hashes = names.map(async (name) => {
    const bytes = await readFile(join(folder, name));
    return [name, createHash('sha256').update(bytes).digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(hashes));
}

/** A folder for one test. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'corpus-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
