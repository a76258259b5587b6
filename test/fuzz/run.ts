import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { openConfigDoor } from './configs.ts';
import type { Case, Door, Outcome } from './door.ts';
import { openFormDoor } from './forms.ts';
import { openPixelDoor } from './pixels.ts';
import { randomOf } from './random.ts';
import { openServiceDoors } from './services.ts';
import { watchForHangs } from './watchdog.ts';

/*
 * npm run fuzz -- [--cases N] [--seed S] [--case N]
 *
 * Sends malformed bytes to every interface. Nothing may crash a process, hang, or end for
 * another reason than those that name the fault in the bytes. Findings are written to a new folder, and can be
 * made again by its seed and number.
 */

const { values } = parseArgs({
  options: { cases: { type: 'string' }, seed: { type: 'string' }, case: { type: 'string' } },
});
const cases = Number(values.cases ?? 100_000);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
const only = values.case === undefined ? undefined : Number(values.case);
const inFlight = 4;
const mostFindings = 50;

process.stdout.write(`seed ${seed}, ${only === undefined ? `${cases} cases` : `case ${only}`}\n`);
const doors: readonly Door[] = [
  await openPixelDoor(),
  openFormDoor(),
  openConfigDoor(),
  ...(await openServiceDoors()),
];
const byShare = doors.flatMap((door) => Array.from({ length: door.share }, () => door));
const ends = new Map(doors.map(({ name }) => [name, new Map<string, number>()]));
const found: string[] = [];
let folder: string | undefined;

const watchdog = watchForHangs();
const start = performance.now();
let next = only ?? 0;
const end = only === undefined ? cases : only + 1;
await Promise.all(
  Array.from({ length: inFlight }, async () => {
    while (next < end && found.length < mostFindings) await runCase(next++);
  }),
);
const seconds = (performance.now() - start) / 1000;
watchdog.end();
for (const door of doors) await door[Symbol.asyncDispose]();

for (const [name, reasons] of ends) {
  const total = [...reasons.values()].reduce((sum, count) => sum + count, 0);
  const list = [...reasons]
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason.split('\n')[0]} ${count}`);
  process.stdout.write(`${name}: ${total} cases: ${list.join(', ')}\n`);
}
process.stdout.write(
  `${next - (only ?? 0)} cases in ${seconds.toFixed(0)} s with seed ${seed}: ${found.length} findings${folder === undefined ? '' : `, in ${folder}`}\n`,
);
process.exitCode = found.length === 0 ? 0 : 1;

async function runCase(index: number): Promise<void> {
  const random = randomOf(seed, index);
  const door = random.pick(byShare);
  watchdog.begin(index);
  const one = door.make(random);
  const outcome = await one.run();
  const reasons = ends.get(door.name) as Map<string, number>;
  reasons.set(outcome.reason, (reasons.get(outcome.reason) ?? 0) + 1);
  if (outcome.finding !== undefined) await keep(index, door, one, outcome.finding);
}

async function keep(
  index: number,
  door: Door,
  { input }: Case,
  finding: NonNullable<Outcome['finding']>,
): Promise<void> {
  found.push(finding);
  folder ??= await mkdtemp(join(tmpdir(), 'fuzz-'));
  const name = join(folder, `${seed}-${index}-${door.name}`);
  await mkdir(name);
  await writeFile(join(name, 'finding.txt'), `${finding}\nnpm run fuzz -- --seed ${seed} --case ${index}\n`);
  for (const [file, content] of Object.entries(input)) await writeFile(join(name, file), content);
  process.stdout.write(`case ${index}, ${door.name}: ${finding.slice(0, 1500)}\n`);
}
