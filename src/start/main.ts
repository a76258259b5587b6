import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isLoopback } from '../api/auth/auth.ts';
import { EnvironmentError } from '../environment.ts';
import type { Report } from '../starter.ts';
import { collectorFlag } from './collector-flag.ts';
import { readStartConfig } from './config.ts';
import { choosePort, reachableHost } from './free-port.ts';
import { type Started, startEvent, startScreen } from './screen.ts';

/*
 * `npm start`: both services on this machine, with nothing else needed, and one command to try. On a terminal and in a
 * pipe it prints a screen and the services' warnings; with NODE_ENV=production everything is JSON lines. (The container
 * images start each service directly; a service always logs JSON lines.)
 */

const isForPerson = process.env.NODE_ENV !== 'production';
const children: ChildProcess[] = [];

try {
  await startBoth();
} catch (error) {
  if (!(error instanceof EnvironmentError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 78; // EX_CONFIG of sysexits.h
}

async function startBoth(): Promise<void> {
  const host = process.env.HOST || '127.0.0.1';
  const processorHost = process.env.PROCESSOR_HOST || host;
  const ports = {
    PORT: await choosePort('PORT', 8080, host),
    PROCESSOR_PORT: await choosePort('PROCESSOR_PORT', 50_051, processorHost),
    METRICS_PORT: await choosePort('METRICS_PORT', 9464, processorHost),
  };
  const config = readStartConfig(process.env, ports);
  endWithUs();

  const processor = start('processor', {
    HOST: processorHost,
    PORT: ports.PROCESSOR_PORT,
    METRICS_PORT: ports.METRICS_PORT,
    // Only processes of this machine reach the port, so image-api can be believed about its callers.
    ...(isLoopback(processorHost) && { TRUST_CALLER_METADATA: process.env.TRUST_CALLER_METADATA || 'true' }),
  });
  const startApi = (processorUrl: string) =>
    reportOf(start('api', { PORT: ports.PORT, PROCESSOR_URL: process.env.PROCESSOR_URL || processorUrl }));
  // For a person both load at the same time. In production image-api listens when image-processor does, since supervisors
  // take its port for that of a service that has started.
  const isKnown = isForPerson && processorHost === '127.0.0.1' && ports.PROCESSOR_PORT !== '0';
  const early = isKnown ? startApi(`http://127.0.0.1:${ports.PROCESSOR_PORT}`) : undefined;
  const reported = await reportOf(processor);
  if (reported !== undefined) {
    const { port: processorPort, jpegDecoder } = reported;
    const apiReport = await (early ?? startApi(await urlOf(processorPort, processorHost)));
    const apiPort = apiReport?.port;
    const apiHost = apiPort && (await reachableHost(apiPort, ['127.0.0.1', '::1', host]));
    if (apiPort !== undefined && (await becomesReady(`http://${apiHost}:${apiPort}`))) {
      announce({
        apiUrl: `http://localhost:${apiPort}`,
        processorAddress: `localhost:${processorPort}`,
        // Set if the default port 8080 was taken.
        takenPort: process.env.PORT || apiPort === 8080 ? undefined : 8080,
        sample: pathOfSample(),
        jpegDecoder,
        ...config,
      });
    }
  }
  // If one service ends, the other is useless.
  const codes = await Promise.all(
    children.map(async (child) => {
      const code = await codeOf(child);
      endNext();
      return code;
    }),
  );
  process.exitCode = Math.max(...codes);
}

/** `localhost` may resolve only to IPv4 on a machine that has only IPv6. */
async function urlOf(processorPort: number, processorHost: string): Promise<string> {
  const own = (await reachableHost(processorPort, ['127.0.0.1', '::1', processorHost])) ?? 'localhost';
  return `http://${own}:${processorPort}`;
}

function endWithUs(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, endNext);
  // npm runs this under a shell, which ends at a signal without forwarding it.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) endNext();
  }, 500).unref();
}

/**
 * Signals image-api, and image-processor after image-api has ended, because requests that are still arriving need it. Each
 * is signalled once: at a second signal it would exit without finishing its requests.
 */
function endNext(): void {
  const last = children.findLast(isRunning);
  if (last?.killed === false) last.kill('SIGTERM');
}

/** The program of a service. In a package and in an image the sources are compiled. */
function mainOf(service: 'api' | 'processor'): string {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return fileURLToPath(import.meta.resolve(`../${service}/main${extension}`));
}

/** How a service ended; one that a signal of ours ended before it had a handler has ended well. */
async function codeOf(child: ChildProcess): Promise<number> {
  if (isRunning(child)) await once(child, 'exit');
  return child.exitCode ?? (child.killed ? 0 : 1);
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

function start(service: 'api' | 'processor', environment: Readonly<Record<string, string>>): ChildProcess {
  const child = spawn(process.execPath, [collectorFlag, mainOf(service)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // A process group of its own: terminals and supervisors signal all of ours, and endNext signals the services.
    detached: true,
    env: { LOG_LEVEL: isForPerson ? 'warn' : 'info', ...process.env, ...environment },
  });
  children.push(child);
  return child;
}

/** The report of a service that listens; undefined if it ends before. */
async function reportOf(child: ChildProcess): Promise<Report | undefined> {
  const ended = new AbortController();
  child.once('exit', () => ended.abort());
  try {
    const [report] = (await once(child, 'message', { signal: ended.signal })) as [Report];
    return report;
  } catch {
    return undefined;
  }
}

/** The sample of the checkout or the package, as the user can type it; an image without it runs elsewhere. */
function pathOfSample(): string {
  const path = fileURLToPath(new URL('../../test/fixtures/sample.jpg', import.meta.url));
  if (!existsSync(path)) return 'photo.jpg';
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}

async function becomesReady(apiUrl: string): Promise<boolean> {
  while (children.every(isRunning)) {
    if (await isReady(apiUrl)) return true;
    await sleep(20);
  }
  return false;
}

async function isReady(apiUrl: string): Promise<boolean> {
  const signal = AbortSignal.timeout(5000);
  const response = await fetch(`${apiUrl}/readyz`, { signal }).catch(() => undefined);
  return response?.ok ?? false;
}

function announce(started: Started): void {
  process.stdout.write(isForPerson ? startScreen(started, hasColours()) : startEvent(started));
}

/** Follows https://no-color.org; pipes and files get no colours. */
function hasColours(): boolean {
  return process.stdout.isTTY === true && process.stdout.hasColors() && !process.env.NO_COLOR;
}
