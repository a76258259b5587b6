import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { openSecretFile, problemOfSecretFile } from '../src/secret-file.ts';

const schema = z.object({
  words: z.array(z.strictObject({ word: z.string().min(3, 'at least 3 letters') })),
});
const content = (...words: string[]): string => JSON.stringify({ words: words.map((word) => ({ word })) });

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'secret-file-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A file that is read again every 5 ms, and the log lines about it. */
function open(path: string) {
  const lines: { level: number; msg: string; problem?: string }[] = [];
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
  const file = openSecretFile(path, schema, log, 5);
  onTestFinished(() => file.stop());
  return { lines, words: () => file.current().words.map(({ word }) => word) };
}

function newFile(text: string): string {
  const path = join(newFolder(), 'words.json');
  writeFileSync(path, text);
  return path;
}

/** Replaces the file in one step: a file that is being written can be read while it is still empty. */
function replaceFile(path: string, text: string | Uint8Array): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

describe(problemOfSecretFile, () => {
  it('refuses a FIFO and a device without reading them', () => {
    const fifo = join(newFolder(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    for (const path of [fifo, '/dev/zero']) {
      expect(problemOfSecretFile(path, schema)).toBe('it is not a regular file');
    }
  });
});

describe(openSecretFile, () => {
  it('keeps its content when a FIFO replaces the file', async () => {
    const path = newFile(content('one'));
    const { words, lines } = open(path);
    execFileSync('mkfifo', [`${path}.new`]);
    renameSync(`${path}.new`, path);
    await expect.poll(() => lines).toMatchObject([{ level: 50, problem: 'it is not a regular file' }]);
    expect(words()).toEqual(['one']);
  });

  it('has the new content soon after the file was overwritten', async () => {
    const path = newFile(content('one'));
    const { words, lines } = open(path);
    expect(words()).toEqual(['one']);
    writeFileSync(path, content('two'));
    await expect.poll(words).toEqual(['two']);
    await expect.poll(() => lines).toMatchObject([{ level: 30, msg: 'secrets read again' }]);
  });

  it('has the new content after another file was renamed over it', async () => {
    const path = newFile(content('one'));
    const { words } = open(path);
    writeFileSync(`${path}.new`, content('two'));
    renameSync(`${path}.new`, path);
    await expect.poll(words).toEqual(['two']);
  });

  it('has the new content after a swap of links, as Kubernetes updates a mounted Secret', async () => {
    // words.json → ..data/words.json, ..data → ..1; then ..data → ..2 by a rename, and ..1 is removed.
    const folder = newFolder();
    for (const [name, word] of [
      ['..1', 'one'],
      ['..2', 'two'],
    ] as const) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'words.json'), content(word));
    }
    symlinkSync('..1', join(folder, '..data'));
    symlinkSync(join('..data', 'words.json'), join(folder, 'words.json'));
    const { words, lines } = open(join(folder, 'words.json'));
    expect(words()).toEqual(['one']);
    symlinkSync('..2', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    rmSync(join(folder, '..1'), { recursive: true });
    await expect.poll(words).toEqual(['two']);
    expect(lines.filter(({ level }) => level > 30)).toEqual([]);
  });

  it.each([
    ['cut off', content('two', 'three').slice(0, -5), 'it is not JSON'],
    ['empty', '', 'it is not JSON'],
    ['not as it has to be', content('no'), 'words.0.word: at least 3 letters'],
    ['with a member too many', '{"words":[{"word":"two","more":1}]}', 'words.0: has an unknown member'],
  ])('keeps the former content while the file is %s, and logs it once', async (_words, text, problem) => {
    const path = newFile(content('one'));
    const { words, lines } = open(path);
    replaceFile(path, text);
    await expect.poll(() => lines.length).toBe(1);
    expect(lines).toMatchObject([{ level: 50, problem, msg: 'secrets unusable: the former stay in force' }]);
    expect(words()).toEqual(['one']);
    replaceFile(path, content('two'));
    await expect.poll(words).toEqual(['two']);
    expect(lines.map(({ level }) => level)).toEqual([50, 30]);
  });

  it('keeps the former content while the file is missing', async () => {
    const path = newFile(content('one'));
    const { words, lines } = open(path);
    rmSync(path);
    await expect.poll(() => lines).toMatchObject([{ level: 50, problem: 'it cannot be read (ENOENT)' }]);
    expect(words()).toEqual(['one']);
    // The very same content again: no longer a problem.
    writeFileSync(path, content('one'));
    await expect.poll(() => lines.at(-1)?.level).toBe(30);
  });

  it('does not open with a file that cannot be used', () => {
    expect(() => open(newFile('{'))).toThrow('it is not JSON');
    expect(() => open('/nowhere/words.json')).toThrow('ENOENT');
  });
});

describe(problemOfSecretFile, () => {
  it('quotes nothing of the file', () => {
    for (const text of [
      'hunter2',
      '{"words":["hunter2"]}',
      '{"words":[{"word":"no","hunter2":1}]}',
      '"hunter2"',
    ]) {
      const problem = problemOfSecretFile(newFile(text), schema);
      expect(problem).toMatch(/^[\w.]+:? .+/);
      expect(problem).not.toContain('hunter2');
    }
    expect(problemOfSecretFile(newFile(content('fine')), schema)).toBeUndefined();
  });
});
