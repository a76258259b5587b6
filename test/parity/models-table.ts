import { readFileSync, writeFileSync } from 'node:fs';
import { backendsOf } from '../../src/processor/presets/transformers/computed-types.ts';
import library from '../../src/processor/presets/transformers/library-types.json' with { type: 'json' };
import { notComputed } from '../../src/processor/presets/transformers/not-computed.ts';
import { type Results, readResults, type Total, writeResults } from './models-results.ts';

/* The tables of docs/models.md between its two marks. */

const page = new URL('../../docs/models.md', import.meta.url);
export const marks = ['<!-- written by npm run parity -- --presets --table -->', '<!-- end -->'] as const;

/** Adds the results of all runs to those of other machines, and writes the tables of docs/models.md. */
export function writeTables(): void {
  const results = readResults();
  writeResults(results);
  const text = readFileSync(page, 'utf8');
  const [begin, end] = marks;
  if (!text.includes(begin) || !text.includes(end))
    throw new Error('docs/models.md lacks a mark of its tables');
  const before = text.slice(0, text.indexOf(begin) + begin.length);
  const tables = `${familiesTable(results)}\n\n${pairsInWords(results)}\n\n${typesTable(results)}`;
  writeFileSync(page, `${before}\n\n${tables}\n\n${text.slice(text.indexOf(end))}`);
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

/** How many pairs of a computed type and a backend were compared under enough configs. */
function pairsInWords({ types }: Results): string {
  const pairs = Object.keys(library.types)
    .filter((name) => notComputed[name] === undefined)
    .flatMap((name) => backendsOf(name).map((backend) => types[`${name} ${backend}`]));
  const isWhole = (total: Total | undefined) => total !== undefined && total.configs >= 20;
  const whole = pairs.filter(isWhole).length;
  const equal = pairs.filter((total) => isWhole(total) && total?.differ === 0).length;
  return [
    `transformers has ${pairs.length} pairs of a computed type and a backend: ${whole} were compared under at`,
    `least 20 random configs, and ${equal} of these differ nowhere.`,
  ].join('\n');
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
