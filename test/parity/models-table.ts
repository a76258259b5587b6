import { readFileSync, writeFileSync } from 'node:fs';
import library from '../../src/processor/presets/transformers/library-types.json' with { type: 'json' };
import { notComputed } from '../../src/processor/presets/transformers/not-computed.ts';
import { type ComparedSubject, readState } from './models-state.ts';

/*
 * The tables of docs/models.md between its two marks. models-results.json contains their figures, so that a machine
 * without earlier results changes only what it has compared itself.
 */

const page = new URL('../../docs/models.md', import.meta.url);
const resultsFile = new URL('models-results.json', import.meta.url);
export const marks = ['<!-- written by npm run parity -- --presets --table -->', '<!-- end -->'] as const;

/** The sum of runs. */
interface Total {
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
interface Results {
  readonly families: Readonly<Record<string, Total>>;
  readonly types: Readonly<Record<string, Total>>;
}

/** Adds the results of all runs to those of other machines, and writes the tables of docs/models.md. */
export function writeTables(): void {
  const known: Results = JSON.parse(readFileSync(resultsFile, 'utf8'));
  const results = merged(known, latest(readState()));
  writeFileSync(resultsFile, `${JSON.stringify(results, null, 2)}\n`);
  const text = readFileSync(page, 'utf8');
  const [begin, end] = marks;
  if (!text.includes(begin) || !text.includes(end))
    throw new Error('docs/models.md lacks a mark of its tables');
  const before = text.slice(0, text.indexOf(begin) + begin.length);
  const tables = `${familiesTable(results)}\n\n${typesTable(results)}`;
  writeFileSync(page, `${before}\n\n${tables}\n\n${text.slice(text.indexOf(end))}`);
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
  const ofTransformers = results.filter(({ family }) => family === 'transformers');
  return {
    families: sorted({ ...families, ...totals(results, ({ family, library }) => `${family} ${library}`) }),
    types: sorted({ ...types, ...totals(ofTransformers, ({ name, library }) => `${name} ${library}`) }),
  };
}

function sorted<T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function totals(
  results: readonly ComparedSubject[],
  keyOf: (each: ComparedSubject) => string,
): Readonly<Record<string, Total>> {
  return Object.fromEntries([...Map.groupBy(results, keyOf)].map(([key, of]) => [key, totalOf(of)]));
}

function totalOf(results: readonly ComparedSubject[]): Total {
  const sum = (count: (each: ComparedSubject) => number) =>
    results.reduce((total, each) => total + count(each), 0);
  const last = results.reduce((a, b) => (a.date > b.date ? a : b));
  return {
    version: last.version,
    names: new Set(results.map(({ name }) => name)).size,
    configs: sum(({ configs }) => configs),
    images: sum(({ images }) => images),
    batches: sum(({ batches }) => batches),
    values: sum(({ values }) => values),
    differ: sum(({ problems }) => problems.length),
    date: last.date,
  };
}

function familiesTable({ families }: Results): string {
  const rows = Object.entries(families).map(([key, total]) => {
    const { version, names, configs, images, batches, values, differ, date } = total;
    return [version, key.split(' ')[1], names, configs, images, batches, values, differ, date];
  });
  return tableOf(
    [
      ['library', '---'],
      ['numerics', '---'],
      ['types or models', '---:'],
      ['configs', '---:'],
      ['images', '---:'],
      ['batches', '---:'],
      ['values', '---:'],
      ['differ', '---:'],
      ['last run', '---'],
    ],
    rows,
  );
}

function typesTable({ types }: Results): string {
  const rows = Object.entries<readonly string[]>(library.types).map(([name, backends]) => {
    const why = notComputed[name];
    if (why !== undefined) return [`\`${name}\``, '', '', '', '', why];
    const cells = ['torch', 'pillow'].flatMap((backend) =>
      backends.includes(backend) ? cellsOf(types[`${name} ${backend}`]) : ['–', '–'],
    );
    return [`\`${name}\``, ...cells, ''];
  });
  return tableOf(
    [
      ['type', '---'],
      ['torch: images', '---:'],
      ['differ', '---:'],
      ['pillow: images', '---:'],
      ['differ', '---:'],
      ['refused, because', '---'],
    ],
    rows,
  );
}

function cellsOf(total: Total | undefined): (string | number)[] {
  return total === undefined ? ['not compared', ''] : [total.images, total.differ];
}

/** @param columns - heads and alignments */
function tableOf(
  columns: readonly (readonly [head: string, alignment: string])[],
  rows: readonly (readonly unknown[])[],
): string {
  const line = (cells: readonly unknown[]) => `| ${cells.map(shown).join(' | ')} |`;
  return [columns.map(([head]) => head), columns.map(([, alignment]) => alignment), ...rows]
    .map(line)
    .join('\n');
}

function shown(cell: unknown): string {
  return typeof cell === 'number' ? cell.toLocaleString('en') : String(cell);
}
