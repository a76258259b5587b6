import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { findProgram } from '../support/tools.ts';
import { blocks, root } from './pages.ts';

/* The workflows of GitHub Actions that pages offer to copy. */

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly run?: string }[] }>>;
}

const workflows = blocks.filter(({ language, text }) => language === 'yaml' && /^jobs:$/m.test(text));
const actionlint = findProgram('actionlint');

it('some page has a workflow', () => {
  expect(workflows.map(({ page }) => page)).toContain('docs/skew-check.md');
});

it
  .skipIf(actionlint === undefined)
  .for(workflows.map((block) => [`${block.page}:${block.line}`, block] as const))(
  'the workflow of %s is valid',
  async ([, { text }]) => {
    const result = await run(actionlint ?? '', ['-'], { input: text });
    expect(result.stdout.toString() + result.stderr).toBe('');
    expect(result.code).toBe(0);
  },
);

describe('the check of docs/skew-check.md', () => {
  const text = workflows.find(({ page }) => page === 'docs/skew-check.md')?.text ?? '';
  const { jobs } = parse(text) as Workflow;
  const check = Object.values(jobs)
    .flatMap(({ steps }) => steps.map((step) => step.run ?? ''))
    .find((script) => script.includes('image-client skew'));
  let service: Service;
  let folder: string;
  beforeAll(async () => {
    service = await startService();
    folder = mkdtempSync(join(tmpdir(), 'workflow-'));
    mkdirSync(join(folder, 'golden'));
    mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
    symlinkSync(join(root, 'src/client/bin.ts'), join(folder, 'node_modules', '.bin', 'image-client'));
    symlinkSync(join(root, 'test/fixtures/sample.jpg'), join(folder, 'golden', 'photo.jpg'));
    const line = { image: 'photo.jpg', tensor: 'photo.npy', preset: 'google/vit-base-patch16-224' };
    writeFileSync(join(folder, 'golden', 'golden.jsonl'), `${JSON.stringify(line)}\n`);
  });
  afterAll(async () => {
    await service.stop();
    rmSync(folder, { recursive: true });
  });

  async function shell(script: string) {
    const path = [dirname(process.execPath), join(folder, 'node_modules', '.bin'), process.env.PATH];
    return await run('bash', ['--norc', '-e', '-c', script], {
      cwd: folder,
      env: {
        PATH: path.join(delimiter),
        IMAGE_API_URL: service.url,
        IMAGE_API_KEY: undefined,
        IMAGE_PROCESSOR_URL: undefined,
      },
    });
  }

  it.for([
    ['passes the right tensor', '--preset google/vit-base-patch16-224', 0, 'failures="0"'],
    [
      'fails a tensor in the order BGR, and reports it',
      '--width 224 --height 224 --no-grayscale --mean 0.5 --std 0.5 --channel-order bgr',
      1,
      'message="Yours is ',
    ],
  ] as const)('%s', { timeout: 60_000 }, async ([, options, code, words]) => {
    await shell(`image-client ${options} golden/photo.jpg golden/photo.npy`);
    const result = await shell(check ?? '');
    expect(result.code, result.stderr).toBe(code);
    expect(readFileSync(join(folder, 'junit.xml'), 'utf8')).toContain(words);
  });
});
