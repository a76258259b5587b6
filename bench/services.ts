import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { LoopDelay } from './attached.ts';

/*
 * The services and other processes that are measured.
 */

/** The flag that `npm start` and the images give Node. */
export const nodeFlags = ['--external-memory-accounted-in-global-limit'] as const;

export interface RunningProcess {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

export interface RunningService extends RunningProcess {
  loopDelay(): Promise<LoopDelay>;
}

/** Starts a service by its main on a free port of the loopback, with the flags that `npm start` gives it. */
export async function startMain(
  name: 'api' | 'processor',
  environment: Readonly<Record<string, string>>,
  imports: readonly string[] = [],
): Promise<RunningService> {
  const loaded = [pathOf('./attached.ts').href, ...imports].flatMap((url) => ['--import', url]);
  const { child, port } = await startProgram(
    `image-${name}`,
    [...nodeFlags, ...loaded, pathOf(`../src/${name}/main.ts`).pathname],
    { ...(name === 'processor' && { METRICS_PORT: '0' }), ...environment },
  );
  return {
    pid: child.pid as number,
    port,
    loopDelay: () => asked<LoopDelay>(child, 'delay'),
    stop: () => ended(child),
  };
}

const pathOf = (file: string) => new URL(file, import.meta.url);

/** Starts a program of the services. @returns the port on which `service` listens */
async function startProgram(
  service: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = spawn(process.execPath, parameters, {
    // "listens" is logged at info.
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  endWithUs(child);
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${service} ended with ${code}`)));
    createInterface(child.stdout as Readable).on('line', (line) => {
      if (line.includes(`${service} listens`)) resolve((JSON.parse(line) as { port: number }).port);
      else if (/"level":"?(error|fatal|50|60)/.test(line)) process.stderr.write(`${line}\n`);
    });
  });
  return { child, port };
}

/** Workers of every part that has a choice: one a core, as the services take by themselves. */
export const workers = 2;

/** Both services in one process, as `npm start` starts them, without any setting but the number of workers. */
export async function startServices(environment: Readonly<Record<string, string>> = {}) {
  const { child, port } = await startProgram('image-api', [pathOf('../src/start/start.js').pathname], {
    NODE_ENV: 'production',
    PROCESSOR_PORT: '0',
    METRICS_PORT: '0',
    WORKERS: String(workers),
    ...environment,
  });
  return {
    pids: [child.pid as number],
    url: `http://127.0.0.1:${port}/v1/images`,
    stop: () => ended(child),
  };
}

export type Services = Awaited<ReturnType<typeof startServices>>;

/** A process of the bench's own, and the first message that it sends. */
export async function startPart<Hello>(
  file: string,
  args: readonly string[],
  execArgv: readonly string[] = [],
): Promise<{ readonly child: ChildProcess; readonly hello: Hello }> {
  const child = fork(new URL(file, import.meta.url), args, {
    execArgv: [...execArgv],
    serialization: 'advanced',
  });
  endWithUs(child);
  const hello = new Promise<Hello>((resolve, reject) => {
    child.once('message', (message) => resolve(message as Hello));
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
  });
  return { child, hello: await hello };
}

/** Sends a message to a child and waits for the next one from it. */
export async function asked<Answer>(child: ChildProcess, question: NonNullable<unknown>): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const onExit = (code: number | null) => reject(new Error(`a part ended with ${code}`));
  child.once('exit', onExit);
  child.once('message', (message) => resolve(message as Answer));
  child.send(question);
  return await promise.finally(() => child.off('exit', onExit));
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

export function endWithUs(child: ChildProcess): void {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
}
