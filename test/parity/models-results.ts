import { readFileSync, writeFileSync } from 'node:fs';
import { type ComparedSubject, readState } from './models-state.ts';

/*
 * models-results.json: the figures of all runs, on all machines. A machine without earlier results replaces only those
 * of what it has compared itself.
 */

const resultsFile = new URL('models-results.json', import.meta.url);

/** The sum of runs. */
export interface Total {
  /** The family and its library's version. */
  readonly version: string;
  /** Types of image processors, or models, of which both made tensors. */
  readonly names: number;
  readonly configs: number;
  readonly images: number;
  readonly batches: number;
  readonly values: number;
  /** Images and batches of which anything differs. */
  readonly differ: number;
  /** YYYY-MM-DD of the last run. */
  readonly date: string;
}

/** Totals by "family library" and, of transformers, by "type library". */
export interface Results {
  readonly families: Readonly<Record<string, Total>>;
  readonly types: Readonly<Record<string, Total>>;
}

/** The committed results with those of this machine. */
export function readResults(): Results {
  return merged(JSON.parse(readFileSync(resultsFile, 'utf8')), latest(readState()));
}

export function writeResults(results: Results): void {
  writeFileSync(resultsFile, `${JSON.stringify(results, null, 2)}\n`);
}

/**
 * The last result of each subject under each seed. Results before one that differs do not count: the code has changed
 * since then.
 */
function latest(state: readonly ComparedSubject[]): readonly ComparedSubject[] {
  return [...Map.groupBy(state, ({ family, name, library }) => `${family} ${name} ${library}`).values()]
    .flatMap((results) => {
      const lastDiffering = results.findLastIndex(({ problems }) => problems.length > 0);
      const valid = results.slice(lastDiffering === results.length - 1 ? lastDiffering : lastDiffering + 1);
      return [...new Map(valid.map((each) => [each.seed, each])).values()];
    })
    .filter(({ images, problems }) => images > 0 || problems.length > 0);
}

function merged({ families, types }: Results, results: readonly ComparedSubject[]): Results {
  const { transformers = [], others = [] } = Object.groupBy(results, ({ family }) =>
    family === 'transformers' ? 'transformers' : 'others',
  );
  const mergedTypes = withNewer(
    types,
    totals(transformers, ({ name, library }) => `${name} ${library}`),
  );
  const otherFamilies = totals(others, ({ family, library }) => `${family} ${library}`);
  return {
    families: sorted({ ...withNewer(families, otherFamilies), ...familiesOf(mergedTypes) }),
    types: sorted(mergedTypes),
  };
}

/** A run of fewer configs replaces a total only if it differs. */
function withNewer(
  known: Readonly<Record<string, Total>>,
  newer: Readonly<Record<string, Total>>,
): Readonly<Record<string, Total>> {
  const replacing = Object.entries(newer).filter(
    ([key, { configs, differ }]) => differ > 0 || configs >= (known[key]?.configs ?? 0),
  );
  return { ...known, ...Object.fromEntries(replacing) };
}

function sorted<T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The sums of the types of transformers, by "transformers library". */
function familiesOf(types: Results['types']): Results['families'] {
  const byLibrary = Object.groupBy(Object.entries(types), ([key]) => `transformers ${key.split(' ')[1]}`);
  return Object.fromEntries(
    Object.entries(byLibrary).map(([key, of = []]) => [key, sumOf(of.map(([, total]) => total))]),
  );
}

function sumOf(totals: readonly Total[]): Total {
  const sum = (count: (each: Total) => number) => totals.reduce((total, each) => total + count(each), 0);
  const last = totals.reduce((a, b) => (a.date > b.date ? a : b));
  return {
    version: last.version,
    names: sum(({ names }) => names),
    configs: sum(({ configs }) => configs),
    images: sum(({ images }) => images),
    batches: sum(({ batches }) => batches),
    values: sum(({ values }) => values),
    differ: sum(({ differ }) => differ),
    date: last.date,
  };
}

function totals(
  results: readonly ComparedSubject[],
  keyOf: (each: ComparedSubject) => string,
): Readonly<Record<string, Total>> {
  return Object.fromEntries([...Map.groupBy(results, keyOf)].map(([key, of]) => [key, totalOf(of)]));
}

function totalOf(results: readonly ComparedSubject[]): Total {
  const totals = results.map(({ problems, ...each }) => ({ ...each, names: 1, differ: problems.length }));
  return { ...sumOf(totals), names: new Set(results.map(({ name }) => name)).size };
}
