import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nameOfSource } from '../../../src/client/job/images.ts';
import { type ListOptions, nameOfUrl } from '../../../src/client/job/lists.ts';
import { findImages } from '../../../src/client/job/sources.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-client-sources-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(path: string, content = 'x'): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

/** The names that images get, and the reasons of refused rows. */
async function find(sources: readonly string[], options: Partial<ListOptions> = {}) {
  const list = { column: 'url', nameColumn: undefined, base: undefined, ...options };
  const paths = sources.map((source) => (source.includes('://') ? source : join(folder, source)));
  const signal = new AbortController().signal;
  const { images, refused } = await findImages(paths, join(folder, 'photos', 'out'), list, signal);
  return {
    names: images.map(({ name }) => name),
    sources: images.map(({ source }) => nameOfSource(source).replace(`${folder}/`, '')),
    refused: refused.map(({ source, reason, metadata }) => [source, reason, metadata.line]),
  };
}

describe(findImages, () => {
  beforeEach(async () => {
    for (const path of ['a.jpg', 'b/c.PNG', 'b/notes.txt', 'b/.hidden.jpg', '.git/d.jpg', 'out/e.jpg']) {
      await put(`photos/${path}`);
    }
    await put('more/a.jpg');
  });

  it('finds the images below a folder, without hidden ones, other files and the output', async () => {
    expect((await find(['photos'])).names).toEqual(['a.jpg', 'b/c.PNG']);
  });

  it('keeps the names of folders when there are several', async () => {
    expect((await find(['photos', 'more'])).names).toEqual(['photos/a.jpg', 'photos/b/c.PNG', 'more/a.jpg']);
  });

  it('follows links to files and not to folders, which may go in circles', async () => {
    await symlink('..', join(folder, 'photos', 'b', 'up'));
    await symlink('../a.jpg', join(folder, 'photos', 'b', 'link.jpg'));
    await symlink('gone', join(folder, 'photos', 'b', 'broken.jpg'));
    expect((await find(['photos'])).names).toEqual(['a.jpg', 'b/c.PNG', 'b/link.jpg']);
  });

  it('takes whatever a glob matches, named below its part without wildcards', async () => {
    expect((await find(['photos/b/*'])).names).toEqual(['c.PNG', 'notes.txt']);
    expect((await find(['photos/**/*.{jpg,PNG}'])).names).toEqual(['a.jpg', 'b/c.PNG', 'out/e.jpg']);
  });

  it('names files by what they do not share', async () => {
    expect((await find(['photos/a.jpg'])).names).toEqual(['a.jpg']);
    expect((await find(['photos/a.jpg', 'more/a.jpg'])).names).toEqual(['photos/a.jpg', 'more/a.jpg']);
  });

  it('prefers a file to the glob that its name would be', async () => {
    await put('photos/[1].jpg');
    expect((await find(['photos/[1].jpg'])).names).toEqual(['[1].jpg']);
  });

  it.each([
    ['gone.jpg', 'INPUT_MISSING'],
    ['photos/*.gif', 'INPUT_EMPTY'],
    ['empty', 'INPUT_EMPTY'],
  ])('refuses %s', async (source, reason) => {
    await mkdir(join(folder, 'empty'));
    await expect(find([source])).rejects.toMatchObject({ end: 'usage', reason });
  });
});

describe('lists of a job', () => {
  beforeEach(() => put('lists/photos/a.jpg'));

  it('of lines may have paths, URLs, empty lines and remarks', async () => {
    await put('lists/list.txt', '\uFEFF# images\r\nphotos/a.jpg\r\n\r\n  http://h/b.jpg  \r\n');
    expect(await find(['lists/list.txt'])).toEqual({
      names: ['photos/a.jpg', 'h/b.jpg'],
      sources: ['lists/photos/a.jpg', 'http://h/b.jpg'],
      refused: [],
    });
  });

  it('of a table may have quotes, other columns and names', async () => {
    await put('lists/list.csv', 'name,"the url",x\n"cat, 1","http://h/a,b.jpg",\n,photos/a.jpg,y\n');
    const options = { column: 'the url', nameColumn: 'name' };
    expect(await find(['lists/list.csv'], options)).toMatchObject({
      names: ['cat, 1', 'photos/a.jpg'],
      sources: ['http://h/a,b.jpg', 'lists/photos/a.jpg'],
    });
  });

  it('of JSON lines may have objects and texts', async () => {
    await put('lists/list.jsonl', '{"url":"http://h/a.jpg","id":7}\n\n"http://h/b.jpg"\n');
    expect((await find(['lists/list.jsonl'], { nameColumn: 'id' })).names).toEqual(['7', 'h/b.jpg']);
  });

  it('say which columns there are when the one that is asked for is not', async () => {
    await put('lists/list.csv', 'id,link\n1,http://h/\n');
    await expect(find(['lists/list.csv'])).rejects.toMatchObject({
      end: 'usage',
      reason: 'COLUMN_MISSING',
      message: expect.stringContaining('there is no column "url", only id, link; --column names it.'),
    });
    await put('lists/list.jsonl', '{"link":"http://h/"}\n');
    await expect(find(['lists/list.jsonl'])).rejects.toMatchObject({ reason: 'COLUMN_MISSING' });
    await put('lists/list.jsonl', '{"url":\n');
    await expect(find(['lists/list.jsonl'])).rejects.toMatchObject({
      reason: 'LIST_INVALID',
      message: expect.stringContaining('line 1 is not JSON'),
    });
  });

  it('may not lead out of their folder, nor name outputs out of theirs', async () => {
    await put('secret.jpg');
    const names = ['../a', 'a/../../b', '/etc/a', 'a//b', 'C:\\a', 'a\\..\\b', '.', 'a\u0000b'];
    const rows = [
      ...names.map((name) => ({ url: 'photos/a.jpg', id: name })),
      { url: '../secret.jpg' },
      { url: join(folder, 'secret.jpg') },
      { url: 'photos/gone.jpg' },
      { url: '' },
      { url: join(folder, 'lists/photos/a.jpg') },
    ];
    await put('lists/list.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
    const { names: found, refused } = await find(['lists/list.jsonl'], { nameColumn: 'id' });
    expect(found).toEqual(['photos/a.jpg']);
    expect(refused).toEqual([
      ...names.map((_, index) => ['photos/a.jpg', 'NAME_FORBIDDEN', String(index + 1)]),
      ['../secret.jpg', 'PATH_FORBIDDEN', '9'],
      [join(folder, 'secret.jpg'), 'PATH_FORBIDDEN', '10'],
      ['photos/gone.jpg', 'INPUT_MISSING', '11'],
      ['', 'SOURCE_MISSING', '12'],
    ]);
    const base = { nameColumn: 'id', base: folder };
    await put('lists/list.jsonl', JSON.stringify({ url: 'secret.jpg' }));
    expect((await find(['lists/list.jsonl'], base)).names).toEqual(['secret.jpg']);
  });
});

describe(nameOfUrl, () => {
  it.each([
    ['https://h.example/a/b.jpg?x=1#y', 'h.example/a/b.jpg'],
    ['http://h:8080/', 'h_8080/index'],
    ['http://h/a%2F..%2Fb', 'h/a%2F..%2Fb'],
    ['http://h/%2e%2e/%2e%2e/a', 'h/a'],
    ['http://h/a:b*c', 'h/a_b_c'],
    ['http://h/.../a', 'h/_/a'],
    ['http://[::1]/a', '___1_/a'],
  ])('names %s %s', (url, name) => {
    expect(nameOfUrl(url)).toBe(name);
  });
});
