import process from 'node:process';
import { balancing } from './balancing.fault.ts';
import { cheap } from './cheap.fault.ts';
import { type Figure, type Scenario, table } from './figures.ts';
import { origins } from './origins.fault.ts';
import { overload } from './overload.fault.ts';
import { putSessionFirst, quietMachine } from './processes.ts';
import { redis } from './redis.fault.ts';
import { workers } from './workers.fault.ts';

/*
 * npm run test:faults -- [NAME…]
 *
 * Real processes, and what befalls them; a table of what was measured beside what is promised. A scenario that doesn't
 * hold is run again, four times at most, before it counts: its figures are times, and the machine has other things to do.
 */

const scenarios: readonly Scenario[] = [balancing, overload, redis, workers, origins, cheap];
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

for (const scenario of scenarios) {
  const { name, missing } = scenario;
  if (names.length > 0 && !names.includes(name)) continue;
  if (missing !== undefined) {
    say(`skip  ${name}: ${missing}`);
    continue;
  }
  let figures: readonly Figure[] = [];
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const busy = await quietMachine(quietWithinMs);
    if (busy > 0.5) say(`${name}: something else uses ${busy.toFixed(1)} cores of this machine`);
    const start = performance.now();
    figures = await scenario
      .run()
      .catch((error: unknown) => [{ what: 'the run', measured: 'failed', limit: '', holds: false, error }]);
    const broken = figures.filter(({ holds }) => !holds);
    say(
      `${name}: ${broken.length === 0 ? 'holds' : 'does not hold'} (${Math.round((performance.now() - start) / 1000)} s)`,
    );
    for (const figure of broken)
      say(
        `  ${figure.what}: ${figure.measured}, promised ${figure.limit}${'error' in figure ? `\n${(figure.error as Error).stack}` : ''}`,
      );
    if (broken.length === 0) break;
    if (attempt === mostAttempts) failed.push(name);
    else say(`${name}: once more, in case the machine was busy`);
  }
  for (const { what, measured, limit, holds } of figures)
    rows.push([name, what, measured, limit, holds ? '' : '**no**']);
}
process.stdout.write(table(rows));
if (failed.length > 0) say(`does not hold: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
