import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const structure = readFileSync(new URL('docs/structure.md', root), 'utf8');
const table = structure.slice(
  structure.indexOf('## Where is what'),
  structure.indexOf('## Before and after'),
);

/** Paths in the table: of a row's first cell, and folders of it that its words name, as `job/`. */
const named = table
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .flatMap((line) => {
    const [, first = '', words = ''] = line.split('|');
    const paths = [...first.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path);
    const inner = [...words.matchAll(/`([\w-]+\/)`/g)].map(([, path = '']) => `${paths[0]}${path}`);
    return [...paths, ...inner.filter((path) => existsSync(new URL(path, root)))];
  });

function foldersOf(path: string): string[] {
  const folders = readdirSync(new URL(path, root), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  return folders.flatMap(({ name }) => [`${path}${name}/`, ...foldersOf(`${path}${name}/`)]);
}

describe('the table of where is what', () => {
  it('contains every file of src/ itself', () => {
    const files = readdirSync(new URL('src/', root)).filter((name) => name.endsWith('.ts'));
    expect(files.map((name) => `src/${name}`).filter((path) => !named.includes(path))).toEqual([]);
  });

  it('has every folder of src/, but for sources of a compiler', () => {
    const folders = foldersOf('src/').filter((path) => path !== 'src/processor/image/kernels/assembly/');
    expect(folders.filter((path) => !named.includes(path))).toEqual([]);
  });

  it('has every folder of the checkout that holds code or docs', () => {
    for (const path of ['proto/', 'gen/', 'test/', 'bench/', 'examples/', 'manifests/', 'docs/']) {
      expect(named.some((name) => name.startsWith(path))).toBe(true);
    }
  });

  it('names nothing that is not there', () => {
    const paths = named.filter((path) => !path.includes('*'));
    expect(paths.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
  });
});

describe('docs/decisions/', () => {
  const folder = new URL('docs/decisions/', root);
  const records = readdirSync(folder)
    .filter((name) => name !== 'README.md')
    .sort();
  const index = readFileSync(new URL('README.md', folder), 'utf8');

  it.each(records)('lists %s in its index with its title, date and status', (name) => {
    const record = readFileSync(new URL(name, folder), 'utf8');
    const [, title, date, status] =
      /^# (\d+\. .+)\n\nDate: (\d{4}-\d{2}-\d{2})\. Status: (accepted|proposed|superseded by \d+)\.\n/.exec(
        record,
      ) ?? [];
    expect(index).toContain(`| [${title}](${name}) | ${date} | ${status} |`);
  });

  it('numbers its records without gaps', () => {
    const numbers = records.map((name) => Number(name.slice(0, 4)));
    expect(numbers).toEqual(records.map((_, index) => index + 1));
  });
});
