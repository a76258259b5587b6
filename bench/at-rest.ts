import { readFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable } from './measure.ts';
import { npmStart } from './npm-start.ts';
import { treeOf } from './process-tree.ts';
import { ended, startPart } from './services.ts';

/*
 * The memory of everything that `npm start` leaves running, and of sharp in a Hono handler, before and after a few requests
 * and when there have been none for a while. It is the proportional set size: a page that several processes share counts
 * in parts.
 */

/** Longer than services and workers wait before they give memory back. */
const restMs = 16_000;
const requests = 8;

const sample = readFileSync(new URL('../test/fixtures/sample.jpg', import.meta.url));
const moments = ['started', `after ${requests} requests`, 'at rest'] as const;
const names = ['services', 'workers', 'other workers'] as const;

const service = await npmStart();
const ours = await measure(service.pid, () => send(`${service.url}/v1/images`));
await service.stop();
const { child, hello } = await startPart<{ port: number }>('./rivals/hono-sharp.ts', []);
const hono = await measure(child.pid as number, () => send(`http://127.0.0.1:${hello.port}/grayJpeg`));
await ended(child);

const all = (memory: Memory) => names.reduce((sum, name) => sum + (memory.get(name) ?? 0), 0);
printTable([
  ['moment', ...names.map((name) => `${name} MB`), 'all MB', 'npm itself MB', 'sharp in Hono MB'],
  ...moments.map((moment, index) => {
    const memory = ours[index] as Memory;
    const cells = [...names.map((name) => memory.get(name) ?? 0), all(memory), memory.get('npm') ?? 0];
    const rival = [...(hono[index] as Memory).values()].reduce((sum, one) => sum + one, 0);
    return [moment, ...[...cells, rival].map((megabytes) => megabytes.toFixed(0))];
  }),
]);
process.stdout.write(
  '\nProportional set sizes; 2 workers. npm stays resident, as the parent of what it runs; a container has no npm.\n',
);

/** Megabytes by the name of the process. */
type Memory = ReadonlyMap<string, number>;

async function measure(pid: number, sendOne: () => Promise<void>): Promise<readonly Memory[]> {
  const started = memoryOf(pid);
  for (let count = 0; count < requests; count++) await sendOne();
  const loaded = memoryOf(pid);
  await sleep(restMs);
  return [started, loaded, memoryOf(pid)];
}

async function send(url: string): Promise<void> {
  const body = new FormData();
  body.set('image', new Blob([sample]), 'sample.jpg');
  // Each request has a result of its own, which no cache has.
  body.set('width', String(200 + Math.floor(Math.random() * 800)));
  const response = await fetch(url, { method: 'POST', body });
  if (!response.ok) throw new Error(await response.text());
  await response.arrayBuffer();
}

function memoryOf(pid: number): Memory {
  const memory = new Map<string, number>();
  for (const process of treeOf([pid])) {
    const command = readFileSync(`/proc/${process.pid}/cmdline`, 'latin1');
    const rollup = readFileSync(`/proc/${process.pid}/smaps_rollup`, 'latin1');
    const megabytes = (Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]) * 1024) / 1e6;
    const name = nameOf(command);
    memory.set(name, (memory.get(name) ?? 0) + megabytes);
  }
  return memory;
}

function nameOf(command: string): string {
  if (command.includes('\0pixels\0')) return 'workers';
  if (command.includes('/worker.js\0')) return 'other workers';
  return command.includes('start/start.js') && !command.startsWith('sh\0') ? 'services' : 'npm';
}
