import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeOutputFolder } from '../../../src/client/job/output-folder.ts';

let folder: string;
let out: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-client-folder-'));
  out = join(folder, 'out');
});
afterEach(() => rm(folder, { recursive: true }));

const temporary = '.image-client-job-01234567-89ab-4cde-8f01-23456789abcd.tmp';
const lock = '.image-client.lock';

/** A process that has ended. */
const dead = spawnSync(process.execPath, ['-e', '0']).pid;

async function leaveLock(content: string, ageMs = 0): Promise<void> {
  await mkdir(join(out, 'deep'), { recursive: true });
  await writeFile(join(out, 'deep', temporary), 'half');
  await writeFile(join(out, lock), content);
  const then = new Date(Date.now() - ageMs);
  await utimes(join(out, lock), then, then);
}

describe(takeOutputFolder, () => {
  it('makes folders as they are needed, and leaves nothing but the outputs', async () => {
    {
      await using output = await takeOutputFolder(out);
      await output.write('a/b/c.npy', Buffer.from('one'));
      await output.write('a/b/c.npy', Buffer.from('two'));
    }
    expect(await readFile(join(out, 'a/b/c.npy'), 'utf8')).toBe('two');
    expect(await readdir(out)).toEqual(['a']);
    expect(await readdir(join(out, 'a/b'))).toEqual(['c.npy']);
  });

  it('puts an output in the place of a link, and not where the link leads', async () => {
    await mkdir(out);
    await writeFile(join(folder, 'elsewhere'), 'mine');
    await symlink(join(folder, 'elsewhere'), join(out, 'a.npy'));
    await using output = await takeOutputFolder(out);
    await output.write('a.npy', Buffer.from('one'));
    expect(await readFile(join(folder, 'elsewhere'), 'utf8')).toBe('mine');
    expect(await readFile(join(out, 'a.npy'), 'utf8')).toBe('one');
  });

  it.each([
    ['of this host, which has ended', JSON.stringify({ pid: dead, host: hostname() }), 0],
    ['of another host, silent for longer than half a minute', '{"pid":1,"host":"elsewhere"}', 31_000],
    ['that could not even write its name', '', 31_000],
  ])('takes over from a run %s, and removes what that left half done', async (_, content, ageMs) => {
    await leaveLock(content, ageMs);
    await using _output = await takeOutputFolder(out);
    expect(await readdir(join(out, 'deep'))).toEqual([]);
    expect(JSON.parse(await readFile(join(out, lock), 'utf8'))).toEqual({
      pid: process.pid,
      host: hostname(),
    });
  });

  it.each([
    ['of this host', JSON.stringify({ pid: process.ppid, host: hostname() }), 60_000],
    ['of another host', '{"pid":1,"host":"elsewhere"}', 5_000],
  ])('refuses a folder that a living run %s works in', async (_, content, ageMs) => {
    await leaveLock(content, ageMs);
    await expect(takeOutputFolder(out)).rejects.toMatchObject({ end: 'files', reason: 'OUTPUT_BUSY' });
    expect(await readdir(join(out, 'deep'))).toEqual([temporary]);
  });

  it('tells an error of one name from one of the disk', async () => {
    await using output = await takeOutputFolder(out);
    await mkdir(join(out, 'taken'));
    const one = Buffer.from('one');
    await expect(output.write('taken', one)).rejects.toMatchObject({
      end: 'refused',
      reason: 'OUTPUT_UNWRITABLE',
    });
    await expect(output.write(`${'x'.repeat(300)}.npy`, one)).rejects.toMatchObject({ end: 'refused' });
    await writeFile(join(folder, 'file'), '');
    await expect(takeOutputFolder(join(folder, 'file', 'out'))).rejects.toMatchObject({
      end: 'files',
      reason: 'OUTPUT_UNWRITABLE',
    });
    expect((await readdir(out)).toSorted()).toEqual([lock, 'taken']);
  });
});
