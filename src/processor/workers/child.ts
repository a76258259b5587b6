import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { EnvironmentError } from '../../environment.ts';
import { type OwnBytes, release } from '../../own-bytes.ts';
import { programOf } from '../../programs.ts';
import { defaultFormats } from '../codecs/codecs.ts';
import type { SourceFormat } from '../codecs/source-format.ts';
import { createMessageReader, packMessage } from './message.ts';
import type { Libraries, WorkerReply, WorkerRoles } from './worker-process.ts';

/** The server's handle of one worker process. */
export interface WorkerChild<Job, Result> {
  readonly pid: number | undefined;
  /**
   * Resolves to the libraries' versions when the process has loaded everything that its jobs need.
   *
   * @throws EnvironmentError; WorkerEnded if the process ends first
   */
  readonly ready: Promise<Libraries>;
  /** How the process ended: a signal's name, or `exit code 1`. */
  readonly ended: Promise<string>;
  /**
   * Runs a job. A process takes one job at a time.
   *
   * @throws WorkerEnded; the error of structured clone if it does not support the job
   */
  run(job: Job): Promise<WorkerReply<Result>>;
  kill(): void;
}

/** A worker process has ended, and its job with it. */
export class WorkerEnded extends Error {
  override readonly name = 'WorkerEnded';
}

/**
 * Environment of a worker, in addition to the inherited variables: the number of threads that a job may use, and
 * how malloc keeps and returns memory.
 */
const environment: Readonly<Record<string, string>> = {
  // In a worker sharp runs one operation at a time; the second thread is for any other asynchronous call.
  UV_THREADPOOL_SIZE: '2',
  MALLOC_ARENA_MAX: '2',
};

/**
 * Keeps pixels in memory, where their price counts them and the worker's limit bounds them. libvips would write more
 * than 100 MB of them to TMPDIR, which may be small or full.
 */
const defaults: Readonly<Record<string, string>> = { VIPS_DISC_THRESHOLD: '1000g' };

/** Inherited variables. Decoders process hostile bytes, so a worker gets no passwords. */
const inherited = /^(LD_|MALLOC_|VIPS_|LC_)|^(PATH|LANG|TZ|TMPDIR|NODE_OPTIONS|NODE_ENV|TURBOJPEG_LIBRARY)$/;

/**
 * Flags of Node: workers call the collector. The server's flag that counts the images' bytes in the collector's budget
 * is not set: it costs a worker half a millisecond per job.
 */
const flags = ['--expose-gc'];

/** Limits for a decoder that warns of every row, to keep the log short: lines per process, and characters per line. */
const maxLines = 100;
const maxLineLength = 500;

/**
 * Starts a worker process.
 *
 * @param onLine - receives the lines that the process writes to stderr, and the reason if it is killed for a malformed
 *   reply
 * @param formats - those that are enabled
 */
export function startChild<Name extends keyof WorkerRoles>(
  role: Name,
  onLine: (line: string) => void,
  formats: readonly SourceFormat[] = defaultFormats,
): WorkerChild<WorkerRoles[Name]['job'], WorkerRoles[Name]['result']> {
  type Reply = WorkerReply<WorkerRoles[Name]['result']>;
  const child = spawnWorker(role, formats);
  let replied = Promise.withResolvers<Reply>();
  const ready = replied.promise.then(({ start }) => {
    if (start === undefined) throw new WorkerEnded('The worker process did not say what it has loaded.');
    if ('environmentError' in start) throw new EnvironmentError(start.environmentError);
    return start.libraries;
  });
  const ended = endOf(child).then((how) => {
    replied.reject(new WorkerEnded(`The worker process ended: ${how}.`));
    return how;
  });
  // `ready` may have no reader, and then its rejection must not count as unhandled.
  ready.catch(() => {});
  forwardLines(child, onLine);
  const channel = child.stdio[3] as Socket;
  // The end of the process is reported by `ended`.
  channel.on('error', () => {});
  const reader = createMessageReader();
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
      if (message === undefined) continue;
      // The caller frees the job's memory after the reply, while libuv would still read it.
      if (channel.writableLength > 0) throw new RangeError('a reply before its job was read');
      replied.resolve(message.value as Reply);
    }
  }
  channel.on('data', (chunk: Buffer) => {
    try {
      receive(chunk);
      // Node reads each chunk into memory of its own, and `receive` has copied it.
      release(chunk as Uint8Array as OwnBytes);
    } catch (error) {
      // A decoder's bug may have given an attacker control of the process.
      channel.destroy();
      child.kill('SIGKILL');
      onLine(`killed: malformed reply: ${String(error).slice(0, maxLineLength)}`);
    }
  });
  return {
    pid: child.pid,
    ready,
    ended,
    async run(job) {
      const parts = packMessage(job);
      const isGone = child.exitCode !== null || child.signalCode !== null;
      if (isGone) throw new WorkerEnded('The worker process had ended.');
      replied = Promise.withResolvers();
      // Cork to write all parts in one system call if the socket has room. The parts are not copied.
      channel.cork();
      for (const part of parts) channel.write(part);
      channel.uncork();
      return await replied.promise;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

function spawnWorker(role: keyof WorkerRoles, formats: readonly SourceFormat[]): ChildProcess {
  return spawn(process.execPath, [...flags, programOf('worker'), role, formats.join(',')], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: {
      ...defaults,
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => inherited.test(name))),
      ...environment,
    },
  });
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
