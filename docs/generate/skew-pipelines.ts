import run from '../../test/skew/results.json' with { type: 'json' };
import { type Result, summaryOf } from '../../test/skew/results.ts';
import { table } from './markdown.ts';

/* The tables of docs/skew-pipelines.md, out of test/skew/results.json, which `npm run skew:pipelines -- --results` writes. */

const results: readonly Result[] = run.results;

/** Totals of the last run. */
export function skewTotals(): string {
  const versions = Object.entries(run.versions).map(([name, all]) => `${name} ${all.join(', ')}`);
  return [
    ...summaryOf(results).lines.map((line) => `- ${line}`),
    '',
    `${run.date}; ${versions.join('; ')}.`,
  ].join('\n');
}

/** A row for each pipeline. */
export function skewPipelines(): string {
  const byName = Object.entries(Object.groupBy(results, ({ name }) => name));
  return table(
    ['pipeline, model', 'every value explained', 'right steps', 'seconds'],
    byName.map(([name, all = []]) => [
      name,
      share(all, ({ isExact }) => isExact),
      all.every(({ inLattice }) => inLattice) ? share(all, ({ isRight }) => isRight) : 'not in the lattice',
      all.map(({ seconds }) => seconds.toFixed(2)).join(', '),
    ]),
  );
}

function share(all: readonly Result[], has: (result: Result) => boolean): string {
  const count = all.filter(has).length;
  if (count === all.length) return 'yes';
  return count === 0 ? 'no' : `${count} of ${all.length}`;
}
