import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isLoopback } from './api/auth.ts';
import { readApiConfig } from './api/config.ts';
import { readProcessorConfig } from './processor/config.ts';
import { type Started, startEvent, startScreen } from './start-screen.ts';

/*
 * `npm start`: both services on this machine, with nothing else needed, and one thing to try. On a terminal and in a
 * pipe it prints a screen, and of the services only what they warn of; with NODE_ENV=production everything is JSON
 * lines. (The container images start the services themselves, which print JSON lines anyway.)
 */

const port = process.env.PORT || '8080';
const processorPort = process.env.PROCESSOR_PORT || '50051';
const api = `http://localhost:${port}`;
const isForPerson = process.env.NODE_ENV !== 'production';

// Only this machine reaches the port then, so that image-api's word for its callers counts.
const trust = isLoopback(process.env.HOST || '127.0.0.1')
  ? { TRUST_CALLER_METADATA: process.env.TRUST_CALLER_METADATA || 'true' }
  : {};

const children = [start('processor', { PORT: processorPort, ...trust })];
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, endAll);
// npm runs this under a shell that dies of a signal without passing it on.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) endAll();
}, 500).unref();
if (await becomesReady(() => listens(Number(processorPort)))) {
  const processorUrl = process.env.PROCESSOR_URL || `http://localhost:${processorPort}`;
  children.push(start('api', { PORT: port, PROCESSOR_URL: processorUrl }));
  if (await becomesReady(answers)) {
    const started = whatStarted();
    process.stdout.write(isForPerson ? startScreen(started, hasColours()) : startEvent(started));
  }
}
// When one of the two ends, the other is of no use.
const codes = await Promise.all(
  children.map(async (child) => {
    const code = child.exitCode ?? ((await once(child, 'exit')) as [number | null])[0];
    endAll();
    return code ?? 1;
  }),
);
process.exitCode = Math.max(...codes);

/** Once each: at a second signal a service ends without finishing what it has. */
function endAll(): void {
  for (const child of children) if (!child.killed) child.kill('SIGTERM');
}

function start(service: 'api' | 'processor', environment: Readonly<Record<string, string>>): ChildProcess {
  const main = fileURLToPath(import.meta.resolve(`./${service}/main.ts`));
  // Node's collector then sees the images' memory, which halves what it costs.
  return spawn(process.execPath, ['--external-memory-accounted-in-global-limit', main], {
    stdio: ['ignore', 'inherit', 'inherit'],
    // A terminal sends Ctrl+C to all processes in its foreground, and with ours the services would get two signals.
    detached: process.stdin.isTTY === true,
    // The screen is for a person; warnings and errors still come through.
    env: { LOG_LEVEL: isForPerson ? 'warn' : 'info', ...process.env, ...environment },
  });
}

async function becomesReady(isReady: () => Promise<boolean>): Promise<boolean> {
  while (children.every((child) => child.exitCode === null && child.signalCode === null)) {
    if (await isReady()) return true;
    await sleep(50);
  }
  return false;
}

async function listens(on: number): Promise<boolean> {
  const socket = connect(on, 'localhost');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function answers(): Promise<boolean> {
  const answer = await fetch(`${api}/readyz`, { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
  return answer?.ok ?? false;
}

/** The services have checked the same environment by now. */
function whatStarted(): Started {
  return {
    apiUrl: api,
    processorAddress: `localhost:${processorPort}`,
    api: readApiConfig({ ...process.env, PORT: port }),
    processor: readProcessorConfig({ ...process.env, PORT: processorPort }),
  };
}

/** By https://no-color.org, and never in a pipe or a file. */
function hasColours(): boolean {
  return process.stdout.isTTY === true && process.stdout.hasColors() && !process.env.NO_COLOR;
}
