import { spawnSync } from 'node:child_process';
import {
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mtimeOf } from '../../../../src/client/job/images.ts';
import { type OutputFolder, takeOutputFolder } from '../../../../src/client/job/output/folder.ts';

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

/** Writes an output, replacing an existing file only if `mayReplace` returns true. */
function write(
  output: OutputFolder,
  name: string,
  content: string,
  { mayReplace = false, note = async (_mtimeMs: number) => {} } = {},
): Promise<void> {
  return output.write(name, Buffer.from(content), note, async () => mayReplace);
}

describe(takeOutputFolder, () => {
  it.runIf(process.platform === 'linux')('fails where a file system has no folders of ours', async () => {
    await expect(takeOutputFolder('/proc/nowhere/out')).rejects.toMatchObject({
      reason: 'OUTPUT_UNWRITABLE',
    });
  });

  it('creates folders as needed, and leaves only the outputs', async () => {
    {
      await using output = await takeOutputFolder(out);
      await write(output, 'a/b/c.npy', 'one');
      await write(output, 'a/b/c.npy', 'two', { mayReplace: true });
    }
    expect(await readFile(join(out, 'a/b/c.npy'), 'utf8')).toBe('two');
    expect(await readdir(out)).toEqual(['a']);
    expect(await readdir(join(out, 'a/b'))).toEqual(['c.npy']);
  });

  it('removes a folder that it created and that stayed empty', async () => {
    await (await takeOutputFolder(out))[Symbol.asyncDispose]();
    expect(await readdir(folder)).toEqual([]);
    await mkdir(out);
    await (await takeOutputFolder(out))[Symbol.asyncDispose]();
    expect(await readdir(folder)).toEqual(['out']);
  });

  it('replaces no file that has appeared in the meantime, and leaves nothing beside it', async () => {
    await using output = await takeOutputFolder(out);
    // Appears after the decision and before the output has its name.
    const appear = () => writeFile(join(out, 'a.npy'), 'mine');
    await expect(write(output, 'a.npy', 'one', { note: appear })).rejects.toMatchObject({
      end: 'refused',
      reason: 'OUTPUT_EXISTS',
    });
    expect(await readFile(join(out, 'a.npy'), 'utf8')).toBe('mine');
    expect((await readdir(out)).toSorted()).toEqual([lock, 'a.npy']);
  });

  it('records an output, with its time, before it gets its name', async () => {
    await using output = await takeOutputFolder(out);
    let noted = 0;
    const note = async (mtimeMs: number) => {
      noted = mtimeMs;
      expect((await readdir(out)).filter((name) => name === 'a.npy')).toEqual([]);
    };
    await write(output, 'a.npy', 'one', { note });
    expect(mtimeOf(await stat(join(out, 'a.npy'), { bigint: true }))).toBe(noted);
  });

  it('writes no output that cannot be recorded', async () => {
    await using output = await takeOutputFolder(out);
    const note = () => Promise.reject(new Error('no journal'));
    await expect(write(output, 'a.npy', 'one', { note })).rejects.toMatchObject({ end: 'files' });
    expect(await readdir(out)).toEqual([lock]);
  });

  it('replaces a link by the output, and not the file that the link leads to', async () => {
    await mkdir(out);
    await writeFile(join(folder, 'elsewhere'), 'mine');
    await symlink(join(folder, 'elsewhere'), join(out, 'a.npy'));
    await link(join(folder, 'elsewhere'), join(out, 'b.npy'));
    await using output = await takeOutputFolder(out);
    for (const name of ['a.npy', 'b.npy']) await write(output, name, 'one', { mayReplace: true });
    expect(await readFile(join(folder, 'elsewhere'), 'utf8')).toBe('mine');
    expect(await readFile(join(out, 'a.npy'), 'utf8')).toBe('one');
  });

  it('writes names that are not UTF-8', async () => {
    await using output = await takeOutputFolder(out);
    await write(output, 'caf\udce9.npy', 'one');
    const names = await readdir(Buffer.from(out), { encoding: 'buffer' });
    expect(names.map((name) => name.toString('latin1')).toSorted()).toEqual([lock, 'caf\u00e9.npy']);
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

  it('distinguishes an error of one name from one of the disk', async () => {
    await using output = await takeOutputFolder(out);
    await mkdir(join(out, 'taken'));
    await expect(write(output, 'taken', 'one', { mayReplace: true })).rejects.toMatchObject({
      end: 'refused',
      reason: 'OUTPUT_UNWRITABLE',
    });
    await expect(write(output, `${'x'.repeat(300)}.npy`, 'one')).rejects.toMatchObject({ end: 'refused' });
    await writeFile(join(folder, 'file'), '');
    await expect(takeOutputFolder(join(folder, 'file', 'out'))).rejects.toMatchObject({
      end: 'files',
      reason: 'OUTPUT_UNWRITABLE',
    });
    expect((await readdir(out)).toSorted()).toEqual([lock, 'taken']);
  });
});
