import { fork } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { benchArguments, median, printTable } from './measure.ts';
import { npmStart } from './npm-start.ts';
import { cpuMsOfTree } from './process-tree.ts';
import { ended } from './services.ts';

/*
 * `npm start` in a checkout in which nothing has changed, to its first response, beside sharp in a Hono handler, which
 * is one process and starts without npm.
 */

const options = benchArguments();
const rounds = options.quick ? 3 : 7;

const ours: { wallMs: number; cpuMs: number }[] = [];
const hono: { wallMs: number; cpuMs: number }[] = [];
for (let round = 0; round <= rounds; round++) {
  const mine = await startOurs();
  const theirs = await startHono();
  // The first round fills the caches of files, and builds what has changed.
  if (round === 0) continue;
  ours.push(mine);
  hono.push(theirs);
}
printTable([
  ['start', 'to the first response, ms', 'fastest', 'CPU ms of all processes'],
  rowOf('npm start, 2 workers', ours),
  rowOf('sharp in Hono, without npm', hono),
]);
process.stdout.write(`\nMedians of ${rounds} starts in turn.\n`);

async function startOurs() {
  const running = await npmStart();
  const cpuMs = cpuMsOfTree([running.pid]);
  await running.stop();
  return { wallMs: running.responseMs, cpuMs };
}

async function startHono() {
  const startedMs = performance.now();
  const child = fork(new URL('./rivals/hono-sharp.ts', import.meta.url));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  await (await fetch(`http://127.0.0.1:${port}/`)).text();
  const wallMs = performance.now() - startedMs;
  const cpuMs = cpuMsOfTree([child.pid as number]);
  await ended(child);
  return { wallMs, cpuMs };
}

function rowOf(
  name: string,
  starts: readonly { readonly wallMs: number; readonly cpuMs: number }[],
): string[] {
  const wall = starts.map(({ wallMs }) => wallMs);
  return [
    name,
    median(wall).toFixed(0),
    Math.min(...wall).toFixed(0),
    median(starts.map(({ cpuMs }) => cpuMs)).toFixed(0),
  ];
}
