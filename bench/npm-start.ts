import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { workers } from './services.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** `npm start` as a user types it, on free ports, and the time in milliseconds to its first response and to its screen. */
export async function npmStart() {
  const startedMs = performance.now();
  const child = spawn('npm', ['start'], {
    cwd: root,
    env: {
      ...process.env,
      PORT: '0',
      PROCESSOR_PORT: '0',
      METRICS_PORT: '0',
      WORKERS: String(workers),
      PROCESSOR_URL: '',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    // Its processes end together, also those that npm does not know.
    detached: true,
  });
  const kill = () => process.kill(-(child.pid as number), 'SIGKILL');
  process.once('exit', kill);
  let url = '';
  for await (const line of createInterface(child.stdout as Readable)) {
    url ||= /HTTP +(\S+)\/v1\/images/.exec(line)?.[1] ?? '';
    if (line === 'End: Ctrl+C') break;
  }
  const screenMs = performance.now() - startedMs;
  while (!(await isReady(url))) await sleep(5);
  return {
    pid: child.pid as number,
    url,
    screenMs,
    responseMs: performance.now() - startedMs,
    async stop() {
      process.off('exit', kill);
      const exited = once(child, 'exit');
      process.kill(-(child.pid as number), 'SIGTERM');
      await exited;
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/readyz`).catch(() => undefined);
  return response?.ok ?? false;
}
