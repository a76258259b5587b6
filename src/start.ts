import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/*
 * `npm start`: both services on this machine, with nothing else needed, and one thing to try.
 */

const port = process.env.PORT || '8080';
const processorPort = process.env.PROCESSOR_PORT || '50051';
const api = `http://localhost:${port}`;

const children = [
  start('processor', { PORT: processorPort }),
  start('api', {
    PORT: port,
    PROCESSOR_URL: process.env.PROCESSOR_URL || `http://localhost:${processorPort}`,
  }),
];

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    for (const child of children) child.kill('SIGTERM');
  });
}
// When one of the two ends, the other is of no use.
const exits = children.map(async (child) => {
  const [code] = (await once(child, 'exit')) as [number | null];
  for (const other of children) other.kill('SIGTERM');
  return code ?? 1;
});

if (await becomesReady()) process.stdout.write(welcome());
process.exitCode = Math.max(...(await Promise.all(exits)));

function start(service: 'api' | 'processor', environment: Readonly<Record<string, string>>): ChildProcess {
  const main = fileURLToPath(import.meta.resolve(`./${service}/main.ts`));
  return spawn(process.execPath, [main], {
    stdio: ['ignore', 'inherit', 'inherit'],
    // The screen below is for a person; warnings and errors still come through.
    env: { LOG_LEVEL: 'warn', ...process.env, ...environment },
  });
}

async function becomesReady(): Promise<boolean> {
  while (children.every((child) => child.exitCode === null)) {
    const answer = await fetch(`${api}/readyz`, { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
    if (answer?.ok) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

function welcome(): string {
  return `
image-api listens on ${api}, image-processor on localhost:${processorPort} (gRPC).

Send an image (1024 × 768, gray, unless you say otherwise):

  curl -sS --fail-with-body -F image=@test/fixtures/gradient.png '${api}/v1/images' -o output.png

Ask the processor what it can do:

  grpcurl -plaintext localhost:${processorPort} list

All options: ${api}/openapi.json    End: Ctrl+C
`;
}
