import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/*
 * `npm start`: both services on this machine, with nothing else needed, and one thing to try.
 */

const port = process.env.PORT || '8080';
const processorPort = process.env.PROCESSOR_PORT || '50051';
const api = `http://localhost:${port}`;

const children = [start('processor', { PORT: processorPort })];
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, endAll);
// npm runs this under a shell that dies of a signal without passing it on.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) endAll();
}, 500).unref();
if (await becomesReady(() => listens(Number(processorPort)))) {
  const processorUrl = process.env.PROCESSOR_URL || `http://localhost:${processorPort}`;
  children.push(start('api', { PORT: port, PROCESSOR_URL: processorUrl }));
  if (await becomesReady(answers)) process.stdout.write(welcome());
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

function endAll(): void {
  for (const child of children) child.kill('SIGTERM');
}

function start(service: 'api' | 'processor', environment: Readonly<Record<string, string>>): ChildProcess {
  const main = fileURLToPath(import.meta.resolve(`./${service}/main.ts`));
  // Node's collector then sees the images' memory, which halves what it costs.
  return spawn(process.execPath, ['--external-memory-accounted-in-global-limit', main], {
    stdio: ['ignore', 'inherit', 'inherit'],
    // The screen below is for a person; warnings and errors still come through.
    env: { LOG_LEVEL: 'warn', ...process.env, ...environment },
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

function welcome(): string {
  return `
image-api listens on ${api}, image-processor on localhost:${processorPort} (gRPC).

Look at what it does to an image, in a browser:

  ${api}/

Send an image (1024 × 768, gray, unless you say otherwise):

  curl -sS --fail-with-body -F image=@test/fixtures/sample.jpg '${api}/v1/images' -o output.jpg

Ask the processor what it can do:

  grpcurl -plaintext localhost:${processorPort} list

All options: ${api}/docs    End: Ctrl+C
`;
}
