import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';

/*
 * The structure of src/ at given commits, as the Markdown of docs/structure.md:
 *
 *   node bench/structure.ts 883cb95 HEAD
 *
 * dependency-cruiser finds the imports, those only for their types included; Biome measures the functions.
 * dependency-cruiser needs a TypeScript with a JavaScript interface, which version 7 lacks, so npx installs both.
 */

const cruiser = ['--yes', '--package=dependency-cruiser@18.7.2', '--package=typescript@5.9.3', 'depcruise'];
const cruiserConfig = (typesCount: boolean) =>
  `module.exports = { options: { doNotFollow: { path: 'node_modules' }, exclude: { path: '^gen|assembly' }, tsPreCompilationDeps: ${typesCount}, enhancedResolveOptions: { extensions: ['.ts'] } } };`;
const maxFileLines = 250;
const maxFunctionLines = 40;
const biomeConfig = {
  root: true,
  linter: {
    rules: {
      preset: 'none',
      complexity: {
        noExcessiveLinesPerFunction: { level: 'error', options: { maxLines: maxFunctionLines } },
      },
    },
  },
};

interface Module {
  readonly source: string;
  readonly dependencies: readonly { readonly resolved: string; readonly circular: boolean }[];
}

/** The imports between files of src/; with `typesCount`, imports of types as well. */
function modulesIn(folder: string, typesCount: boolean): Module[] {
  writeFileSync(join(folder, 'cruiser.cjs'), cruiserConfig(typesCount));
  const { stdout, stderr } = spawnSync(
    'npx',
    [...cruiser, '--config', 'cruiser.cjs', '--output-type', 'json', 'src'],
    { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  if (stdout === '') throw new Error(`dependency-cruiser: ${stderr}`);
  const { modules } = JSON.parse(stdout) as { modules: Module[] };
  return modules.filter(({ source }) => source.startsWith('src/') && source.endsWith('.ts'));
}

/** Pairs of different folders of which a file of the first imports a file of the second. */
function arrowsBetween(modules: readonly Module[]): Set<string> {
  return new Set(
    modules.flatMap(({ source, dependencies }) =>
      dependencies
        .filter(({ resolved }) => resolved.startsWith('src/') && dirname(resolved) !== dirname(source))
        .map(({ resolved }) => `${dirname(source)} ${dirname(resolved)}`),
    ),
  );
}

/** Whether one of two folders contains the other. */
function isWithin([a = '', b = '']: readonly string[]): boolean {
  return a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

function inCycles(modules: readonly Module[]): number {
  return modules.filter(({ dependencies }) => dependencies.some(({ circular }) => circular)).length;
}

function longFunctions(folder: string): number {
  writeFileSync(join(folder, 'biome.json'), JSON.stringify(biomeConfig));
  const { stdout } = spawnSync(
    join(process.cwd(), 'node_modules/.bin/biome'),
    ['lint', '--reporter=json', '--max-diagnostics=1000', 'src'],
    { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: readonly { readonly category: string }[] };
  return diagnostics.filter(({ category }) => category.includes('noExcessiveLinesPerFunction')).length;
}

/** The figures of one commit, in the order of the table's rows. */
function measure(commit: string): (number | string)[] {
  const folder = mkdtempSync(join(tmpdir(), 'structure-'));
  try {
    const archive = execFileSync('git', ['archive', commit, 'src', 'package.json'], { maxBuffer: 2 ** 28 });
    execFileSync('tar', ['-x', '-C', folder], { input: archive });
    symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
    const modules = modulesIn(folder, true);
    const folders = new Set(modules.map(({ source }) => dirname(source)));
    const arrows = arrowsBetween(modules);
    const mutual = [...arrows].filter((arrow) => arrows.has(arrow.split(' ').reverse().join(' ')));
    const lines = modules
      .map(({ source }) => readFileSync(join(folder, source), 'utf8').split('\n').length - 1)
      .sort((a, b) => a - b);
    const perFolder = Map.groupBy(modules, ({ source }) => dirname(source));
    const [largest = ['', []]] = [...perFolder].sort(([, a], [, b]) => b.length - a.length);
    const nested = mutual.filter((arrow) => isWithin(arrow.split(' ')));
    return [
      modules.length,
      folders.size,
      `${largest[1].length} (${largest[0]})`,
      modules.flatMap(({ dependencies }) => dependencies.filter(({ resolved }) => /^src\//.test(resolved)))
        .length,
      arrows.size,
      `${mutual.length / 2}, ${nested.length / 2} of them a folder and its subfolder`,
      inCycles(modulesIn(folder, false)),
      inCycles(modules),
      lines.at(Math.floor(lines.length / 2)) ?? 0,
      lines.filter((count) => count > maxFileLines).length,
      longFunctions(folder),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const rows = [
  'files',
  'folders',
  'files in the largest folder',
  'imports between files',
  'arrows between folders',
  'pairs of folders that import each other',
  'files in an import cycle at run time',
  'files in an import cycle, imports of types included',
  'median lines of a file',
  `files over ${maxFileLines} lines`,
  `functions over ${maxFunctionLines} lines`,
];
const commits = process.argv.slice(2);
const columns = commits.map(measure);
console.log(`| src/ | ${commits.join(' | ')} |`);
console.log(`|---|${commits.map(() => '---:|').join('')}`);
for (const [at, name] of rows.entries()) {
  console.log(`| ${name} | ${columns.map((column) => column[at]).join(' | ')} |`);
}
