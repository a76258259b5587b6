import { type ChildProcess, spawn } from 'node:child_process';

/** The output of a program, and its exit. */
export interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Runs a program to its end.
 *
 * @param options.input - what it reads on standard input; nothing by default
 * @param options.started - gets the process, to send it signals
 */
export function run(
  program: string,
  parameters: readonly string[],
  options: {
    input?: string | Uint8Array;
    env?: Record<string, string | undefined>;
    cwd?: string;
    started?: (child: ChildProcess) => void;
  } = {},
): Promise<Run> {
  const { input, env, cwd, started } = options;
  const child = spawn(program, parameters, {
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  started?.(child);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program that ends without reading its input closes the pipe under us.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve({
        code,
        signal,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
  });
}
