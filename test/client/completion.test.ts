import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands, flagsOf, tableOf } from '../../src/client/commands.ts';
import { completionScript, readShell } from '../../src/client/completion.ts';
import { shells } from '../../src/client/tables/service-commands.ts';
import { run } from '../support/run.ts';
import { findProgram } from '../support/tools.ts';

const found = { bash: findProgram('bash'), zsh: findProgram('zsh'), fish: findProgram('fish') };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-client-completion-'));
  await mkdir(join(folder, 'photos'));
  await writeFile(join(folder, 'photo.jpg'), '');
});
afterAll(() => rm(folder, { recursive: true }));

describe(readShell, () => {
  it('accepts one of three shells', () => {
    expect(shells.map((shell) => readShell([shell]))).toEqual(['bash', 'zsh', 'fish']);
    expect(() => readShell([])).toThrow('A shell is needed (bash, zsh, fish), got nothing; ');
    expect(() => readShell(['tcsh'])).toThrow('got "tcsh"');
  });
});

describe(completionScript, () => {
  it.each(shells)('has every command and every flag for %s', (shell) => {
    const script = completionScript(shell);
    for (const name of ['send', ...(Object.keys(commands) as (keyof typeof commands)[])] as const) {
      if (name !== 'send') expect(script).toContain(name);
      for (const flag of Object.keys(flagsOf(tableOf(name)))) {
        expect(script).toMatch(new RegExp(`(--|-l )${flag}\\b`));
      }
    }
  });

  for (const shell of shells) {
    const program = found[shell] ?? '';
    it.skipIf(program === '')(`is a program that ${shell} can read`, async () => {
      await writeFile(join(folder, `.script.${shell}`), completionScript(shell));
      const result = await run(program, ['-n', join(folder, `.script.${shell}`)]);
      expect(result).toMatchObject({ code: 0, stderr: '' });
    });
  }
});

describe.skipIf(found.bash === undefined)('completion in bash', () => {
  /** The completions that bash offers for the last of the words. */
  async function offers(...words: string[]): Promise<string[]> {
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const script = `${completionScript('bash')}
compopt() { :; } # It works only during an interactive completion.
COMP_WORDS=(image-client ${quoted}) COMP_CWORD=${words.length}
_image_client
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const result = await run(found.bash ?? '', ['--norc', '-c', script], { cwd: folder });
    expect(result.stderr).toBe('');
    return result.stdout
      .toString()
      .split('\n')
      .filter((line) => line !== '');
  }

  it('is for the program image-client', async () => {
    const script = `${completionScript('bash')}\ncomplete -p image-client`;
    const result = await run(found.bash ?? '', ['--norc', '-c', script]);
    expect(result.stdout.toString()).toBe('complete -F _image_client image-client\n');
  });

  it('offers commands and files as the first word', async () => {
    expect((await offers('')).filter((word) => !word.startsWith('.'))).toEqual([
      'job',
      'corpus',
      'describe',
      'skew',
      'presets',
      'doctor',
      'completion',
      'photo.jpg',
      'photos',
    ]);
    expect(await offers('jo')).toEqual(['job']);
    expect(await offers('job')).toEqual(['job']);
    expect(await offers('ph')).toEqual(['photo.jpg', 'photos']);
    expect(await offers('job', 'doc')).toEqual([]);
  });

  it("offers a command's own flags", async () => {
    expect(await offers('--gray')).toEqual(['--grayscale']);
    expect(await offers('--no-')).toEqual([
      '--no-overwrite',
      '--no-rect',
      '--no-annotations',
      '--no-scale',
      '--no-grayscale',
    ]);
    expect(await offers('job', '--d')).toEqual(['--dry-run', '--dpi', '--datatype']);
    expect(await offers('job', '-n')).toEqual(['-n']);
    expect(await offers('skew', '--re')).toEqual(['--report', '--rect', '--rescale']);
    expect(await offers('--dry')).toEqual([]);
    expect(await offers('doctor', '-')).toEqual([
      ...['-h', '--help', '-V', '--version', '--json', '--api', '--key-file', '--api-key'],
      ...['--processor', '--timeout'],
    ]);
  });

  it('offers the words of a flag, folders or files where it needs one, and otherwise nothing', async () => {
    expect(await offers('--fit', 'co')).toEqual(['cover', 'contain']);
    expect(await offers('job', 'photos', '--fit', '=', 'co')).toEqual(['cover', 'contain']);
    expect(await offers('job', '--format', '')).toContain('safetensors');
    expect(await offers('job', '--base', 'ph')).toEqual(['photos']);
    expect(await offers('job', '-o', 'ph')).toEqual(['photos']);
    expect(await offers('-o', 'ph')).toEqual(['photo.jpg', 'photos']);
    expect(await offers('--key-file', 'ph')).toEqual(['photo.jpg', 'photos']);
    expect(await offers('job', '--preprocessor-config', 'ph')).toEqual(['photo.jpg', 'photos']);
    expect(await offers('job', '--in-flight', '')).toEqual([]);
    expect(await offers('skew', '--check', 'ph')).toEqual(['photo.jpg', 'photos']);
    expect(await offers('skew', '--tolerance', '')).toEqual([]);
  });

  it('offers shells for completion, and nothing for doctor', async () => {
    expect(await offers('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(await offers('doctor', '')).toEqual([]);
  });
});

const program = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url));

describe('image-client completion', () => {
  it('prints the script', async () => {
    const result = await run(process.execPath, [program, 'completion', 'fish']);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout.toString()).toBe(`${completionScript('fish')}\n`);
  });

  it('ends with 2 for an unknown shell', async () => {
    const result = await run(process.execPath, [program, 'completion', 'tcsh']);
    expect(result).toMatchObject({ code: 2 });
  });
});
