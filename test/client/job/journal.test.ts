import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobImage } from '../../../src/client/job/images.ts';
import { readJournal } from '../../../src/client/job/journal.ts';
import { jobRequest } from '../../../src/client/job/process-request.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-client-journal-'));
});
afterEach(() => rm(folder, { recursive: true }));

const { request } = jobRequest({ width: '3' });
const image: JobImage = { source: { path: '/photos/a.jpg', bytes: 5, mtimeMs: 7.25 }, output: 'a.npy' };
const other: JobImage = { source: { url: 'http://h/b' }, output: 'b.npy' };

/** A run that makes the images' outputs, of three bytes each. */
async function make(...images: readonly JobImage[]): Promise<void> {
  const journal = await readJournal(folder, request);
  await journal.open();
  for (const each of images) {
    await writeFile(join(folder, each.output), 'abc');
    await journal.add(each, 3);
  }
  await journal.close();
}

const isDone = async (one: JobImage, asked = request) => (await readJournal(folder, asked)).isDone(one);
const lines = async () => (await readFile(join(folder, 'journal.jsonl'), 'utf8')).split('\n').length - 1;

describe(readJournal, () => {
  it('knows an output that was made of the same image with the same options', async () => {
    await make(image, other);
    expect(await isDone(image)).toBe(true);
    expect(await isDone(other)).toBe(true);
    expect(await isDone(image, jobRequest({ width: '3' }).request)).toBe(true);
  });

  it.each([
    ['another length', { ...image, source: { path: '/photos/a.jpg', bytes: 6, mtimeMs: 7.25 } }],
    ['another time', { ...image, source: { path: '/photos/a.jpg', bytes: 5, mtimeMs: 7.5 } }],
    ['another path', { ...image, source: { path: '/photos/b.jpg', bytes: 5, mtimeMs: 7.25 } }],
    ['another output', { ...image, output: 'c.npy' }],
  ])('does not know an image with %s', async (_, changed) => {
    await make(image);
    expect(await isDone(changed)).toBe(false);
  });

  it('does not know an image with other options', async () => {
    await make(image);
    expect(await isDone(image, jobRequest({ width: '4' }).request)).toBe(false);
  });

  it('does not know an output that is gone or has another length', async () => {
    await make(image, other);
    await truncate(join(folder, 'a.npy'), 2);
    await rm(join(folder, 'b.npy'));
    expect(await isDone(image)).toBe(false);
    expect(await isDone(other)).toBe(false);
  });

  it('loses nothing to a line that was cut off, and writes the next one whole', async () => {
    await make(image);
    await appendFile(join(folder, 'journal.jsonl'), '{"source":"http://h/b","opt');
    expect(await isDone(image)).toBe(true);
    await make(other);
    expect(await isDone(image)).toBe(true);
    expect(await isDone(other)).toBe(true);
    expect(await lines()).toBe(2);
  });

  it('loses nothing when a whole last line lacks its end alone', async () => {
    await make(image);
    const text = await readFile(join(folder, 'journal.jsonl'), 'utf8');
    await writeFile(join(folder, 'journal.jsonl'), text.trimEnd());
    await make(other);
    expect(await isDone(image)).toBe(true);
    expect(await isDone(other)).toBe(true);
  });

  it('passes over lines that are no entries', async () => {
    await make(image);
    await appendFile(join(folder, 'journal.jsonl'), 'null\n[]\n"x"\n\u0000\n{"output":"a.npy"}\n');
    expect(await isDone(image)).toBe(true);
  });

  it('does not grow when the same is made again and again', async () => {
    await make(image);
    await make(image);
    await make(image);
    expect(await lines()).toBe(2);
    await make();
    expect(await lines()).toBe(1);
  });
});
