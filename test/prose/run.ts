import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import process from 'node:process';
import { findProgram } from '../support/tools.ts';
import { proseStrings } from './strings.ts';

/*
 * `npm run prose [-- PATH…]`: checks the English of docs, comments, test titles, messages and help texts with vale,
 * by the rules in .vale/House. Exits with 1 on a finding.
 */

const vale = findProgram('vale');
if (vale === undefined) {
  console.error('prose: vale is not installed: go install github.com/errata-ai/vale/v3/cmd/vale@v3.19.0');
  process.exit(1);
}

const paths = process.argv.slice(2);
const isWanted = (path: string) => paths.length === 0 || paths.some((wanted) => path.startsWith(wanted));
const listed = (patterns: readonly string[]) => globSync(patterns).filter(isWanted).sort();

const code = listed(['{src,test,bench,examples}/**/*.ts', 'vitest.config.ts']);
const pages = listed([
  '*.md',
  '{docs,examples,manifests,bench,test}/**/*.md',
  'proto/image/**/*.proto',
  '{examples,test,bench}/**/*.py',
]);

/** The findings of vale as `path:line:column:rule:message`; those in strings get the path of their source. */
function check(files: readonly string[], folder = '.'): string[] {
  if (files.length === 0) return [];
  const config = join(process.cwd(), '.vale.ini');
  const { stdout, stderr, status } = spawnSync(
    vale as string,
    ['--output=line', `--config=${config}`, ...files],
    { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  if (status !== 0 && status !== 1) throw new Error(`vale: ${stderr || stdout}`);
  return stdout.split('\n').filter((line) => line !== '');
}

const strings = mkdtempSync(join(tmpdir(), 'prose-'));
const written = code.flatMap((path) => {
  const text = proseStrings(readFileSync(path, 'utf8'));
  if (text.trim() === '') return [];
  const copy = join(strings, `${path}.md`);
  mkdirSync(dirname(copy), { recursive: true });
  writeFileSync(copy, text);
  return [relative(strings, copy)];
});
const findings = [
  ...check([...code, ...pages]),
  // Blank lines separate the strings, so the numbers of lines are twice as high.
  ...check(written, strings).map((finding) =>
    finding.replace(/\.md:(\d+)/, (_, line: string) => `:${Math.ceil(Number(line) / 2)}`),
  ),
].sort();
rmSync(strings, { recursive: true });

for (const finding of findings) console.log(finding);
const folders = Map.groupBy(findings, (line) =>
  dirname(line.split(':')[0] as string)
    .split('/')
    .slice(0, 3)
    .join('/'),
);
for (const [folder, { length }] of [...folders].sort(([, a], [, b]) => b.length - a.length))
  console.error(`${String(length).padStart(5)} ${folder}`);
console.error(`prose: ${findings.length} findings in ${code.length + pages.length} files`);
process.exit(findings.length === 0 ? 0 : 1);
