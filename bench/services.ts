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
  const path = (file: string) => new URL(file, import.meta.url);
  const loaded = [path('./attached.ts').href, ...imports].flatMap((url) => ['--import', url]);
  const child = spawn(process.execPath, [...nodeFlags, ...loaded, path(`../src/${name}/main.ts`).pathname], {
    // "listens" is logged at info.
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'info',
      ...(name === 'processor' && { METRICS_PORT: '0' }),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  endWithUs(child);
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`image-${name} ended with ${code}`)));
    createInterface(child.stdout as Readable).on('line', (line) => {
      if (line.includes(`image-${name} listens`)) resolve((JSON.parse(line) as { port: number }).port);
      else if (/"level":"?(error|fatal|50|60)/.test(line)) process.stderr.write(`${line}\n`);
    });
  });
  return {
    pid: child.pid as number,
    port,
    loopDelay: () => asked<LoopDelay>(child, 'delay'),
    stop: () => ended(child),
  };
}

/** Workers of every part that has a choice: one a core, as the services take by themselves. */
export const workers = 2;

/** Both services, as they are without any setting but the number of workers. */
export async function startServices(processorEnvironment: Readonly<Record<string, string>> = {}) {
  const processor = await startMain('processor', { WORKERS: String(workers), ...processorEnvironment });
  const api = await startMain('api', { PROCESSOR_URL: `http://127.0.0.1:${processor.port}` });
  return {
    pids: [api.pid, processor.pid],
    url: `http://127.0.0.1:${api.port}/v1/images`,
    async stop() {
      await api.stop();
      await processor.stop();
    },
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
