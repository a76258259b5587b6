import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EnvironmentError } from '../../environment.ts';
import { defaultFormats } from '../codecs/codecs.ts';
import type { SourceFormat } from '../codecs/source-format.ts';
import { createWorkerFile, type WorkerFile } from './file.ts';
import { createMessageReader, packMessage } from './message.ts';
import type { Libraries, WorkerReply, WorkerRoles } from './worker-process.ts';

/** The server's end of one worker process. */
export interface WorkerChild<Job, Answer> {
  readonly pid: number | undefined;
  /**
   * Resolves when the process has loaded what its jobs need, with the libraries' versions.
   *
   * @throws EnvironmentError; WorkerEnded if the process ends before
   */
  readonly ready: Promise<Libraries>;
  /** How it ended: a signal's name, or `exit code 1`. */
  readonly ended: Promise<string>;
  /**
   * One job at a time.
   *
   * @throws WorkerEnded, or what structured clone throws at a job that it can't take
   */
  ask(job: Job): Promise<WorkerReply<Answer>>;
  kill(): void;
}

/** A worker process is gone, and the job that it had with it. */
export class WorkerEnded extends Error {
  override readonly name = 'WorkerEnded';
}

/**
 * What a worker's environment has besides what it inherits, in one place: how many threads a job may use, and
 * how malloc keeps and returns memory.
 */
const environment: Readonly<Record<string, string>> = {
  // sharp runs one operation at a time in a worker; the other is for whatever meets it.
  UV_THREADPOOL_SIZE: '2',
  MALLOC_ARENA_MAX: '2',
};

/**
 * Pixels stay in memory, which their price counts and the worker's limit bounds. libvips would put more than 100 MB of
 * them into TMPDIR, which may be small or full.
 */
const defaults: Readonly<Record<string, string>> = { VIPS_DISC_THRESHOLD: '1000g' };

/** What it inherits: decoders meet hostile bytes, and need no passwords. */
const inherited = /^(LD_|MALLOC_|VIPS_|LC_)|^(PATH|LANG|TZ|TMPDIR|NODE_OPTIONS|NODE_ENV|TURBOJPEG_LIBRARY)$/;

/**
 * Flags of Node: the collector may be called. It isn't made to count the images' bytes in its budget, as the
 * server's is: a worker that does so takes half a millisecond more for each job.
 */
const flags = ['--expose-gc'];

// The ending is .js in the images, where the sources are compiled.
const entry = fileURLToPath(
  new URL(`./worker-process${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

/** A decoder that complains of every row mustn't fill the log: lines of one process, and characters of one line. */
const maxLines = 100;
const maxLineLength = 500;

export interface ChildOptions {
  /** The formats that are read. */
  readonly formats?: readonly SourceFormat[];
  /** Makes the file that the process shares with the server, its own and empty. */
  readonly createFile?: () => WorkerFile | undefined;
}

/**
 * Starts a worker process.
 *
 * @param onLine - gets what it says on stderr, and why it is killed if it answers nonsense
 */
export function startChild<Name extends keyof WorkerRoles>(
  role: Name,
  onLine: (line: string) => void,
  { formats = defaultFormats, createFile = createWorkerFile }: ChildOptions = {},
): WorkerChild<WorkerRoles[Name]['job'], WorkerRoles[Name]['answer']> {
  type Reply = WorkerReply<WorkerRoles[Name]['answer']>;
  const file = createFile();
  const child = spawnWorker(role, formats, file);
  let answered = Promise.withResolvers<Reply>();
  const ready = answered.promise.then(({ start }) => {
    if (start === undefined) throw new WorkerEnded('The worker process did not say what it has loaded.');
    if ('environmentError' in start) throw new EnvironmentError(start.environmentError);
    return start.libraries;
  });
  const ended = endOf(child).then((how) => {
    file?.close();
    answered.reject(new WorkerEnded(`The worker process ended: ${how}.`));
    return how;
  });
  // Whoever waits hears of it; nobody may wait.
  ready.catch(() => {});
  forwardLines(child, onLine);
  const channel = child.stdio[3] as Socket;
  // Its end is told by the process's end.
  channel.on('error', () => {});
  const reader = createMessageReader(file);
  let filled = 0;
  function receive(chunk: Buffer): void {
    for (let read = 0; read < chunk.length; ) {
      const { target } = reader;
      const copied = chunk.copy(target, filled, read);
      read += copied;
      filled += copied;
      if (filled < target.length) return;
      filled = 0;
      const message = reader.filled();
      if (message !== undefined) answered.resolve(message.value as Reply);
    }
  }
  channel.on('data', (chunk: Buffer) => {
    try {
      receive(chunk);
    } catch (error) {
      // A decoder's bug may have given the process to somebody else.
      channel.destroy();
      child.kill('SIGKILL');
      onLine(`It is killed for an answer that is none: ${String(error).slice(0, maxLineLength)}`);
    }
  });
  return {
    pid: child.pid,
    ready,
    ended,
    async ask(job) {
      const parts = packMessage(job, file);
      const isGone = child.exitCode !== null || child.signalCode !== null;
      if (isGone) throw new WorkerEnded('The worker process had ended.');
      answered = Promise.withResolvers();
      // Together in one system call as far as the socket takes them, and none of them copied.
      channel.cork();
      for (const part of parts) channel.write(part);
      channel.uncork();
      return await answered.promise;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

function spawnWorker(
  role: keyof WorkerRoles,
  formats: readonly SourceFormat[],
  file: WorkerFile | undefined,
): ChildProcess {
  const shared = file === undefined ? { argument: [], stdio: [] } : { argument: ['file'], stdio: [file.fd] };
  try {
    return spawn(process.execPath, [...flags, entry, role, formats.join(','), ...shared.argument], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', ...shared.stdio],
      env: {
        ...defaults,
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => inherited.test(name))),
        ...environment,
      },
    });
  } catch (error) {
    file?.close();
    throw error;
  }
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

function forwardLines(child: ChildProcess, onLine: (line: string) => void): void {
  if (child.stderr === null) return;
  let lines = 0;
  createInterface(child.stderr).on('line', (line) => {
    lines++;
    if (lines <= maxLines) onLine(line.slice(0, maxLineLength));
  });
}
