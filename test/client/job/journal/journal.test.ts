import { createHash } from 'node:crypto';
import { appendFile, lstat, mkdtemp, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProcessResponseSchema } from '../../../../gen/image/v1/processor_pb.ts';
import { type JobImage, mtimeOf } from '../../../../src/client/job/images.ts';
import { readJournal } from '../../../../src/client/job/journal/journal.ts';
import { entryOf, identityOf, isUpToDate } from '../../../../src/client/job/journal/journal-entry.ts';
import { jobRequest } from '../../../../src/client/job/sending/process-request.ts';
import type { ImageOptions } from '../../../../src/options/image-options.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-client-journal-'));
});
afterEach(() => rm(folder, { recursive: true }));

const identity = identityOf(jobRequest({ width: 3 }).request);
const photo = { path: '/photos/a.jpg', bytes: 5, mtimeMs: 7.25, id: '1:1' };
const image: JobImage = { source: photo, output: 'a.npy' };
const other: JobImage = { source: { url: 'http://h/b' }, output: 'b.npy' };

const responseOf = (content: string) =>
  create(ProcessResponseSchema, {
    content: Buffer.from(content),
    width: 3,
    height: 2,
    source: { sha256: 'of the source' },
    provenance: { numericsVersion: '7' },
  });

/** A run that makes the images' outputs. */
async function make(content: string, ...images: readonly JobImage[]): Promise<void> {
  const journal = await readJournal(folder);
  await journal.open();
  for (const each of images) {
    await writeFile(join(folder, each.output), content);
    const mtimeMs = mtimeOf(await lstat(join(folder, each.output), { bigint: true }));
    await journal.add(entryOf(each, identity, responseOf(content), mtimeMs));
  }
  await journal.close();
}

/** The entry that describes the file of an image. */
async function find({ output }: JobImage) {
  const stats = await lstat(join(folder, output), { bigint: true }).catch(() => undefined);
  return stats && (await readJournal(folder)).find(output, stats);
}

const lines = async () => (await readFile(join(folder, 'journal.jsonl'), 'utf8')).split('\n').length - 1;

describe(readJournal, () => {
  it('records the source of an output, its numerics, its hash and its shape', async () => {
    await make('abc', image);
    expect(await find(image)).toEqual({
      source: '/photos/a.jpg',
      sourceBytes: 5,
      mtimeMs: 7.25,
      sourceSha256: 'of the source',
      options: identity.options,
      preset: '',
      numericsVersion: '7',
      output: 'a.npy',
      outputBytes: 3,
      outputMtimeMs: expect.any(Number),
      outputSha256: createHash('sha256').update('abc').digest('hex'),
      shape: [2, 3],
    });
  });

  it('recognises a file by its content when only its time has changed, as after a copy', async () => {
    await make('abc', image, other);
    await utimes(join(folder, 'a.npy'), 1, 1);
    await writeFile(join(folder, 'b.npy'), 'xyz');
    await utimes(join(folder, 'b.npy'), 1, 1);
    expect(await find(image)).toMatchObject({ output: 'a.npy' });
    expect(await find(other)).toBeUndefined();
  });

  it('does not recognise a file of another length', async () => {
    await make('abc', image);
    await truncate(join(folder, 'a.npy'), 2);
    expect(await find(image)).toBeUndefined();
  });

  it('recognises an output whose entry a killed run had superseded before it replaced the file', async () => {
    await make('abc', image);
    const before = await lstat(join(folder, 'a.npy'), { bigint: true });
    const journal = await readJournal(folder);
    await journal.open();
    await journal.add(entryOf(image, identity, responseOf('newer'), 1));
    await journal.close();
    expect(await find(image)).toMatchObject({ outputMtimeMs: mtimeOf(before) });
    // So does the run after it, which has repaired the journal.
    await make('', other);
    expect(await find(image)).toMatchObject({ outputMtimeMs: mtimeOf(before) });
  });

  it('loses no entry after a line that was cut off, and writes the next one whole', async () => {
    await make('abc', image);
    await appendFile(join(folder, 'journal.jsonl'), '{"source":"http://h/b","opt');
    expect(await find(image)).toBeDefined();
    await make('abc', other);
    expect(await find(image)).toBeDefined();
    expect(await find(other)).toBeDefined();
    expect(await lines()).toBe(2);
  });

  it('loses nothing when a whole last line lacks only its end', async () => {
    await make('abc', image);
    const text = await readFile(join(folder, 'journal.jsonl'), 'utf8');
    await writeFile(join(folder, 'journal.jsonl'), text.trimEnd());
    await make('abc', other);
    expect(await find(image)).toBeDefined();
    expect(await find(other)).toBeDefined();
  });

  it('skips lines that are not entries', async () => {
    await make('abc', image);
    await appendFile(join(folder, 'journal.jsonl'), 'null\n[]\n"x"\n\u0000\n{"output":"a.npy"}\n');
    expect(await find(image)).toBeDefined();
  });

  it('refuses a file of that name that is not a journal, and leaves it unchanged', async () => {
    await writeFile(join(folder, 'journal.jsonl'), '{"mood":"good"}\n');
    await expect(readJournal(folder)).rejects.toMatchObject({ end: 'usage', reason: 'OUTPUT_FOREIGN' });
    await writeFile(join(folder, 'journal.jsonl'), '{"source":"http://h/b","opt');
    await readJournal(folder);
  });

  it('does not grow when the same outputs are made repeatedly', async () => {
    for (const content of ['a', 'ab', 'abc']) await make(content, image);
    expect(await lines()).toBe(2);
    await make('');
    expect(await lines()).toBe(1);
    expect(await find(image)).toMatchObject({ outputBytes: 3 });
  });

  it('writes whole lines when many outputs are recorded at once', async () => {
    const journal = await readJournal(folder);
    await journal.open();
    const outputs = Array.from({ length: 200 }, (_, index) => `${index}.npy`);
    await Promise.all(
      outputs.map((output) => journal.add(entryOf({ ...image, output }, identity, responseOf('abc'), 1))),
    );
    await journal.close();
    expect((await readJournal(folder)).latest().map(({ output }) => output)).toEqual(outputs);
  });
});

describe(isUpToDate, () => {
  const entry = entryOf(image, identity, responseOf('abc'), 1);
  it('is true for the same image with the same options', () => {
    expect(isUpToDate(entry, image, identityOf(jobRequest({ width: 3 }).request))).toBe(true);
  });

  it.each([
    ['another length', { ...image, source: { ...photo, bytes: 6 } }],
    ['another time', { ...image, source: { ...photo, mtimeMs: 7.5 } }],
    ['another path', { ...image, source: { ...photo, path: '/photos/b.jpg' } }],
    ['a URL', { ...image, source: { url: 'http://h/a' } }],
  ])('is false for an image with %s', (_, changed) => {
    expect(isUpToDate(entry, changed, identity)).toBe(false);
  });

  it('is false for other options', () => {
    expect(isUpToDate(entry, image, identityOf(jobRequest({ width: 4 }).request))).toBe(false);
  });
});

describe(identityOf, () => {
  it('names a preset, and a preprocessor config by its digest', () => {
    const presetOf = (options: ImageOptions) => identityOf(jobRequest(options).request).preset;
    expect(presetOf({})).toBe('');
    expect(presetOf({ preset: 'clip' })).toBe('clip');
    expect(presetOf({ preprocessor_config: '{}' })).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});
