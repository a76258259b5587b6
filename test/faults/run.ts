import process from 'node:process';
import { balancing } from './balancing.fault.ts';
import { cheap } from './cheap.fault.ts';
import { type Figure, type Scenario, table } from './figures.ts';
import { origins } from './origins.fault.ts';
import { overload } from './overload.fault.ts';
import { putSessionFirst, quietMachine } from './processes.ts';
import { redis } from './redis.fault.ts';
import { store } from './store.fault.ts';
import { workers } from './workers.fault.ts';

/*
 * npm run test:faults -- [NAME…]
 *
 * Real processes, and what befalls them; a table of what was measured beside what is promised. A scenario that doesn't
 * hold is run again, four times at most, before it counts: its figures are times, and the machine has other things to do.
 */

const scenarios: readonly Scenario[] = [balancing, overload, redis, store, workers, origins, cheap];
/** How long to wait for the machine to have nothing else to do, in milliseconds; then it has to do as it is. */
const quietWithinMs = 1000 * Number(process.env.QUIET_WITHIN_S ?? 20);
const mostAttempts = 5;
const names = process.argv.slice(2);
const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name));
if (unknown.length > 0) {
  throw new Error(
    `no scenario ${unknown.join(', ')}; there are ${scenarios.map(({ name }) => name).join(', ')}`,
  );
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);
if (!putSessionFirst()) say('these processes have no more of the machine than others: that takes root');

const rows = [['scenario', 'what', 'measured', 'promised', '']];
const failed: string[] = [];

/** One attempt at a scenario, with the figures that did not hold. */
interface Attempt {
  readonly figures: readonly Figure[];
  readonly broken: readonly Figure[];
  /** Cores that something else used before it. */
  readonly busy: number;
}

async function attempt({ name, run }: Scenario): Promise<Attempt> {
  const busy = await quietMachine(quietWithinMs);
  if (busy > 0.5) say(`${name}: something else uses ${busy.toFixed(1)} cores of this machine`);
  const start = performance.now();
  const figures = await run().catch((error: Error): Figure[] => {
    say(`${name}: ${error.stack}`);
    return [{ what: 'the run', measured: `failed: ${error.message}`, limit: 'to end', holds: false }];
  });
  const broken = figures.filter(({ holds }) => !holds);
  const outcome = broken.length === 0 ? 'holds' : `does not hold: ${missed(broken)}`;
  say(`${name}: ${outcome} (${Math.round((performance.now() - start) / 1000)} s)`);
  return { figures, broken, busy };
}

/** The figures that did not hold, in one line. */
function missed(broken: readonly Figure[]): string {
  return broken.map(({ what, measured, limit }) => `${what}: ${measured}, promised ${limit}`).join('; ');
}

for (const scenario of scenarios) {
  const { name, missing } = scenario;
  if (names.length > 0 && !names.includes(name)) continue;
  if (missing !== undefined) {
    say(`skip  ${name}: ${missing}`);
    continue;
  }
  const attempts = [await attempt(scenario)];
  while (attempts.at(-1)?.broken.length !== 0 && attempts.length < mostAttempts) {
    say(`${name}: once more, in case the machine was busy`);
    attempts.push(await attempt(scenario));
  }
  for (const { what, measured, limit, holds } of attempts.at(-1)?.figures ?? [])
    rows.push([name, what, measured, limit, holds ? '' : '**no**']);
  if (attempts.at(-1)?.broken.length === 0) continue;
  const each = attempts.map(
    ({ broken, busy }, at) => `try ${at + 1} beside ${busy.toFixed(1)} other cores: ${missed(broken)}`,
  );
  failed.push(`${name} (${each.join(' | ')})`);
}
process.stdout.write(table(rows));
if (failed.length > 0) say(`does not hold: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
