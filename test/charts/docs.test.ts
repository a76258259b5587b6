import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chart, runHelm } from '../support/chart.ts';
import { blocksOf } from '../support/doc-blocks.ts';
import { helm } from '../support/tools.ts';

const page = 'docs/helm.md';
const blocks = blocksOf(page, readFileSync(page, 'utf8'));
const recipes = blocks.filter(({ language }) => language === 'yaml');
const sizes = blocksOf('docs/capacity.md', readFileSync('docs/capacity.md', 'utf8')).filter(
  ({ language }) => language === 'yaml',
);
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ line, text }) =>
    text
      .replaceAll('\\\n', ' ')
      .split('\n')
      .filter((command) => /^helm (install|upgrade|template) /.test(command))
      .map((command) => [`line ${line}: ${command.slice(0, 60)}`, command.split(/\s+/).slice(1)] as const),
  );

describe.skipIf(helm === undefined)(page, () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'recipes-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(recipes.map((recipe) => [recipe.line, recipe.text] as const))(
    'has values in line %d that the chart accepts',
    async (_line, text) => {
      const values = join(folder, 'values.yaml');
      await writeFile(values, text);
      expect(runHelm('lint', '--strict', chart, '--values', values)).toMatchObject({ status: 0 });
    },
  );

  it.each(sizes.map(({ line, text }) => [line, text] as const))(
    'leads to values in line %d of docs/capacity.md whose memory fits',
    async (_line, text) => {
      const values = join(folder, 'values.yaml');
      await writeFile(values, text);
      const { status, stdout } = runHelm('install', 'x', chart, '--dry-run=client', '--values', values);
      expect(status).toBe(0);
      expect(stdout).not.toContain('lets a pod take');
    },
  );

  it('has commands', () => {
    expect(commands.length).toBeGreaterThan(5);
    expect(recipes.length).toBeGreaterThan(8);
    expect(sizes).toHaveLength(4);
  });

  // No cluster is asked, and the checkout takes the place of the registry.
  it.each(commands)('%s', (_name, parameters) => {
    const local = parameters.map((parameter) => (parameter.startsWith('oci://') ? chart : parameter));
    const dry = local[0] === 'template' ? local : ['template', ...withoutInstalling(local.slice(1))];
    const { status, stderr } = runHelm(...dry);
    expect(status, stderr).toBe(0);
  });
});

/** The parameters of an installation that `helm template` has as well. */
function withoutInstalling(parameters: readonly string[]): string[] {
  const valued = ['--version', '--timeout'];
  const flags = ['--install', '--wait', '--reset-then-reuse-values'];
  return parameters.filter(
    (parameter, at) =>
      !flags.includes(parameter) && !valued.includes(parameter) && !valued.includes(parameters[at - 1] ?? ''),
  );
}
