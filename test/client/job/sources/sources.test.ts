import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nameOfSource } from '../../../../src/client/job/images.ts';
import { type ListOptions, nameOfUrl } from '../../../../src/client/job/lists/lists.ts';
import { findImages } from '../../../../src/client/job/sources/sources.ts';
import { encoded, gradient } from '../../../support/pictures.ts';
import { run } from '../../../support/run.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-client-sources-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(path: string | Buffer, content: string | Uint8Array = 'x'): Promise<void> {
  const whole = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(path)]);
  await mkdir(whole.subarray(0, whole.lastIndexOf('/')), { recursive: true });
  await writeFile(whole, content);
}

/** The names that images get, the reasons of refused rows, and what is skipped. */
async function find(sources: readonly string[], options: Partial<ListOptions> = {}) {
  const list = { column: 'url', nameColumn: undefined, base: undefined, ...options };
  const paths = sources.map((source) => (source.includes('://') ? source : join(folder, source)));
  const signal = new AbortController().signal;
  const { images, refused, skipped } = await findImages(paths, join(folder, 'photos', 'out'), list, signal);
  return {
    names: images.map(({ name }) => name),
    sources: images.map(({ source }) => nameOfSource(source).replace(`${folder}/`, '')),
    refused: refused.map(({ source, reason, metadata }) => [source, reason, metadata.line]),
    skipped: Object.fromEntries(skipped.map(({ path, kind }) => [path.replace(`${folder}/`, ''), kind])),
  };
}

describe(findImages, () => {
  beforeEach(async () => {
    for (const path of ['a.jpg', 'b/c.PNG', 'b/notes.txt', 'b/.hidden.jpg', '.git/d.jpg', 'out/e.jpg']) {
      await put(`photos/${path}`);
    }
    await put('more/a.jpg');
  });

  it('finds the images below a folder, counts skipped files, and excludes the output folder', async () => {
    expect(await find(['photos'])).toMatchObject({
      names: ['a.jpg', 'b/c.PNG'],
      skipped: { 'photos/b/notes.txt': 'text', 'photos/b/.hidden.jpg': 'hidden', 'photos/.git': 'hidden' },
    });
  });

  it('keeps the names of folders when there are several folders', async () => {
    expect((await find(['photos', 'more'])).names).toEqual(['photos/a.jpg', 'photos/b/c.PNG', 'more/a.jpg']);
  });

  it('follows links to files and not to folders, which may go in circles', async () => {
    await symlink('..', join(folder, 'photos', 'b', 'up'));
    await symlink('../a.jpg', join(folder, 'photos', 'b', 'link.jpg'));
    await symlink('gone', join(folder, 'photos', 'b', 'broken.jpg'));
    await symlink('circle.jpg', join(folder, 'photos', 'b', 'circle.jpg'));
    expect(await find(['photos'])).toMatchObject({
      names: ['a.jpg', 'b/c.PNG', 'b/link.jpg'],
      skipped: {
        'photos/b/up': 'link to a folder',
        'photos/b/broken.jpg': 'broken link',
        'photos/b/circle.jpg': 'broken link',
      },
    });
  });

  it('recognises files without an ending of images by their bytes', async () => {
    await put('mixed/0123abcd', await encoded(gradient(3, 2), 'jpeg'));
    await put('mixed/IMG_1.HEIC', await encoded(gradient(3, 2), 'png'));
    await put('mixed/a.data', await encoded(gradient(3, 2), 'avif'));
    await put('mixed/readme', 'Caf\u00e9 \u{1f600}, and so on.');
    await put('mixed/notes.md', Buffer.from([0xff, 0xfe, 0x41, 0x00]));
    await put('mixed/model.bin', Buffer.from([1, 2, 3, 0]));
    await put('mixed/unknown', Buffer.from([1, 2, 3, 0]));
    await put('mixed/nothing', '');
    await put('mixed/photo.nef', 'MM\0*');
    expect(await find(['mixed'])).toEqual({
      names: ['0123abcd', 'IMG_1.HEIC', 'a.data'],
      sources: ['mixed/0123abcd', 'mixed/IMG_1.HEIC', 'mixed/a.data'],
      refused: [],
      skipped: {
        'mixed/readme': 'text',
        'mixed/notes.md': 'text',
        'mixed/model.bin': '.bin',
        'mixed/unknown': 'unknown',
        'mixed/nothing': 'empty file',
        'mixed/photo.nef': 'raw picture of a camera',
      },
    });
  });

  it('skips pipes, sockets and devices, and opens none of them', async () => {
    await mkdir(join(folder, 'odd'));
    expect(await run('mkfifo', [join(folder, 'odd', 'pipe.jpg')])).toMatchObject({ code: 0 });
    await symlink('/dev/zero', join(folder, 'odd', 'zero.jpg'));
    const server = createServer();
    await once(server.listen(join(folder, 'odd', 'socket.jpg')), 'listening');
    await put('odd/a.jpg');
    const found = await find(['odd']);
    server.close();
    expect(found).toMatchObject({
      names: ['a.jpg'],
      skipped: { 'odd/pipe.jpg': 'pipe', 'odd/socket.jpg': 'socket', 'odd/zero.jpg': 'device' },
    });
    await expect(find(['odd/pipe.jpg'])).rejects.toMatchObject({ end: 'usage', reason: 'INPUT_UNREADABLE' });
  });

  it('finds names that are not UTF-8, in folders and by globs', async () => {
    await put(Buffer.from('latin/caf\xe9/caf\xe9.jpg', 'latin1'));
    for (const source of ['latin', 'latin/**/*.jpg']) {
      expect(await find([source])).toMatchObject({
        names: ['caf\udce9/caf\udce9.jpg'],
        sources: ['latin/caf\udce9/caf\udce9.jpg'],
      });
    }
    await expect(find(['latin/caf\ufffd'])).rejects.toThrow('Its name is not UTF-8: name its folder');
  });

  it('finds the images that a glob matches, named below its part without wildcards', async () => {
    expect(await find(['photos/b/*'])).toMatchObject({
      names: ['c.PNG'],
      skipped: { 'photos/b/notes.txt': 'text' },
    });
    expect((await find(['photos/**/*.{jpg,PNG}'])).names).toEqual(['a.jpg', 'b/c.PNG', 'out/e.jpg']);
    expect((await find(['photos/{a,b/c}.*'])).names).toEqual(['a.jpg', 'b/c.PNG']);
    expect((await find(['photos/b/.h*'])).names).toEqual(['.hidden.jpg']);
    expect((await find(['photos/*/*.jpg'])).names).toEqual(['out/e.jpg']);
    expect(await find(['photos/*'])).toMatchObject({
      names: ['a.jpg'],
      skipped: { 'photos/b': 'folder', 'photos/out': 'folder' },
    });
  });

  it('reports a subfolder that cannot be read as one failure', async () => {
    const script = `import { findImages } from '${new URL('../../../../src/client/job/sources/sources.ts', import.meta.url)}';
const found = await findImages(['${folder}/photos'], '/nowhere', { column: 'url' }, new AbortController().signal);
console.log(JSON.stringify({ images: found.images.map(({ name }) => name), refused: found.refused }));`;
    await chmod(folder, 0o755);
    await chmod(join(folder, 'photos', 'out'), 0o000);
    // The superuser can read everything.
    const user = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--clear-groups'] : ['env'];
    const [program = '', ...words] = [...user, process.execPath, '--input-type=module', '-e', script];
    const result = await run(program, words);
    await chmod(join(folder, 'photos', 'out'), 0o755);
    expect(result.stderr).toBe('');
    const { images, refused } = JSON.parse(result.stdout.toString());
    expect(images).toEqual(['a.jpg', 'b/c.PNG']);
    expect(refused).toMatchObject([{ source: join(folder, 'photos', 'out'), reason: 'INPUT_UNREADABLE' }]);
  });

  it('refuses a folder that is the output folder, by any name of it', async () => {
    for (const [source, name] of [
      ['photos/out', 'photos/out'],
      ['photos/link', 'photos/link'],
    ] as const) {
      if (name.endsWith('link')) await symlink('out', join(folder, name));
      await expect(find([source])).rejects.toMatchObject({ end: 'usage', reason: 'OUTPUT_IS_SOURCE' });
    }
  });

  it('names files by the part of their paths that differs', async () => {
    expect((await find(['photos/a.jpg'])).names).toEqual(['a.jpg']);
    expect((await find(['photos/a.jpg', 'more/a.jpg'])).names).toEqual(['photos/a.jpg', 'more/a.jpg']);
  });

  it('takes folders whose names have wildcards by name, and characters after a backslash', async () => {
    for (const path of ['p [1]/sub {x}/a*b.jpg', 'p [1]/sub {x}/axb.jpg', 'p [1]/c.jpg', 'p 1/d.jpg']) {
      await put(path);
    }
    expect((await find(['p [1]/**/*.jpg'])).names).toEqual(['c.jpg', 'sub {x}/a*b.jpg', 'sub {x}/axb.jpg']);
    expect((await find(['p [1]/sub {x}/a\\*b.jpg'])).names).toEqual(['a*b.jpg']);
    expect((await find(['p \\[1\\]/*.jpg'])).names).toEqual(['c.jpg']);
    expect((await find(['p [12]/*.jpg'])).names).toEqual(['p 1/d.jpg']);
    expect((await find(['*/sub \\{x\\}/*.jpg'])).names).toEqual([
      'p [1]/sub {x}/a*b.jpg',
      'p [1]/sub {x}/axb.jpg',
    ]);
  });

  it('prefers a file to a glob of the same text', async () => {
    await put('photos/[1].jpg');
    expect((await find(['photos/[1].jpg'])).names).toEqual(['[1].jpg']);
  });

  it.each([
    ['gone.jpg', 'INPUT_MISSING'],
    ['photos/*.gif', 'INPUT_EMPTY'],
    ['photos/*.txt', 'INPUT_EMPTY'],
    ['gone/*.jpg', 'INPUT_EMPTY'],
    ['empty', 'INPUT_EMPTY'],
  ])('refuses %s', async (source, reason) => {
    await mkdir(join(folder, 'empty'));
    await expect(find([source])).rejects.toMatchObject({ end: 'usage', reason });
  });
});

describe('lists of a job', () => {
  beforeEach(() => put('lists/photos/a.jpg'));

  it('of lines may contain paths, URLs, empty lines and comments', async () => {
    await put('lists/list.txt', '\uFEFF# images\r\nphotos/a.jpg\r\n\r\n  http://h/b.jpg  \r\n');
    expect(await find(['lists/list.txt'])).toEqual({
      names: ['photos/a.jpg', 'h/b.jpg'],
      sources: ['lists/photos/a.jpg', 'http://h/b.jpg'],
      refused: [],
      skipped: {},
    });
  });

  const utf16 = (text: string) => Buffer.from(text, 'utf16le');
  it.each([
    ['UTF-16, as PowerShell writes it', utf16('\uFEFFhttp://h/\u00e9.jpg\r\nhttp://h/b.jpg\r\n')],
    ['UTF-16 in the other byte order', utf16('\uFEFFhttp://h/\u00e9.jpg\nhttp://h/b.jpg').swap16()],
    ['UTF-16 without a mark', utf16('http://h/\u00e9.jpg\nhttp://h/b.jpg\n')],
    ['UTF-8 with a mark', Buffer.from('\uFEFFhttp://h/\u00e9.jpg\nhttp://h/b.jpg\n')],
    ['lines that end with a carriage return', Buffer.from('http://h/\u00e9.jpg\rhttp://h/b.jpg\r')],
  ])('may be %s', async (_, bytes) => {
    await put('lists/list.txt', bytes);
    expect((await find(['lists/list.txt'])).sources).toEqual(['http://h/\u00e9.jpg', 'http://h/b.jpg']);
    await put('lists/list.csv', utf16('\uFEFFid,url\r\n1,http://h/a\r\n'));
    expect((await find(['lists/list.csv'])).sources).toEqual(['http://h/a']);
  });

  it('may name files that are not UTF-8, but no such URLs', async () => {
    await put(Buffer.from('lists/caf\xe9.jpg', 'latin1'));
    await put('lists/list.txt', Buffer.from('caf\xe9.jpg\nhttp://h/caf\xe9.jpg\n', 'latin1'));
    await put('lists/list.csv', Buffer.from('url\ncaf\xe9.jpg\n', 'latin1'));
    expect(await find(['lists/list.txt'])).toMatchObject({
      names: ['caf\udce9.jpg'],
      refused: [['http://h/caf\udce9.jpg', 'ROW_INVALID', '2']],
    });
    expect((await find(['lists/list.csv'])).names).toEqual(['caf\udce9.jpg']);
  });

  it('may be separated by tabs or semicolons', async () => {
    await put('lists/list.tsv', 'id\turl\n1\thttp://h/a,b;c\n');
    await put('lists/list.csv', '"id";"url"\n1;"http://h/a,b;c"\n');
    for (const list of ['lists/list.tsv', 'lists/list.csv']) {
      expect(await find([list], { nameColumn: 'id' })).toMatchObject({
        names: ['1'],
        sources: ['http://h/a,b;c'],
      });
    }
  });

  it.each([
    ['too few columns', '2', ['', 'SOURCE_MISSING', '3']],
    ['too many columns', '2,http://h/a,b', ['http://h/a', 'ROW_INVALID', '3']],
    ['no URL', '2,', ['', 'SOURCE_MISSING', '3']],
    ['a quotation mark that is not closed', '2,"http://h/x', ['2,"http://h/x', 'ROW_INVALID', '3']],
    ['a line break in its URL', '2,"http://h/x\ny"', ['2,"http://h/x', 'ROW_INVALID', '3']],
  ])('of a table fail a row with %s by itself, with its line', async (_, row, refused) => {
    await put('lists/list.csv', `id,url\n1,http://h/1\n${row}\n3,http://h/3\n4,"http://h/4"\n`);
    const found = await find(['lists/list.csv']);
    expect(found.sources.filter((source) => source !== 'lists/y"')).toEqual([
      'http://h/1',
      'http://h/3',
      'http://h/4',
    ]);
    expect(found.refused[0]).toEqual(refused);
  });

  it('of a table may be long, with invalid rows everywhere', async () => {
    const rows = Array.from({ length: 30_000 }, (_, index) =>
      index % 1000 === 999 ? `${index},"http://h/open` : `${index},"http://h/${index}/${'x'.repeat(60)}"`,
    );
    await put('lists/list.csv', `id,url\r\n${rows.join('\r\n')}\r\n`);
    const { sources, refused } = await find(['lists/list.csv']);
    expect(sources.length).toBe(29_970);
    expect(refused.map(([, , line]) => Number(line))).toEqual(
      Array.from({ length: 30 }, (_, index) => index * 1000 + 1001),
    );
  });

  it.each([
    ['no JSON', '{"url":', ['{"url":', 'ROW_INVALID', '2']],
    ['null', '{"url":null}', ['', 'SOURCE_MISSING', '2']],
    ['no such field', '{"link":"http://h/"}', ['', 'SOURCE_MISSING', '2']],
    ['a number as its URL', '{"url":7}', ['7', 'INPUT_MISSING', '2']],
    ['a list as its URL', '{"url":["http://h/"]}', ['{"url":["http://h/"]}', 'ROW_INVALID', '2']],
    ['an object as its name', '{"url":"http://h/","id":{}}', ['http://h/', 'ROW_INVALID', '2']],
  ])('of JSON lines fail a row with %s by itself, with its line', async (_, row, refused) => {
    await put('lists/list.jsonl', `{"url":"http://h/1","id":1}\n${row}\n{"url":"http://h/3","id":3}\n`);
    expect(await find(['lists/list.jsonl'], { nameColumn: 'id' })).toMatchObject({
      names: ['1', '3'],
      refused: [refused],
    });
  });

  it('of JSON lines keep all digits of a number that names an output', async () => {
    await put('lists/list.jsonl', '{"url":"http://h/1","id":12345678901234567890}\n');
    expect((await find(['lists/list.jsonl'], { nameColumn: 'id' })).names).toEqual(['12345678901234567890']);
  });

  it('of a table may have quotes, other columns and names', async () => {
    await put('lists/list.csv', 'name,"the url",x\n"cat, 1","http://h/a,b.jpg",\n,photos/a.jpg,y\n');
    const options = { column: 'the url', nameColumn: 'name' };
    expect(await find(['lists/list.csv'], options)).toMatchObject({
      names: ['cat, 1', 'photos/a.jpg'],
      sources: ['http://h/a,b.jpg', 'lists/photos/a.jpg'],
    });
  });

  it('of JSON lines may contain objects and texts', async () => {
    await put('lists/list.jsonl', '{"url":"http://h/a.jpg","id":7}\n\n"http://h/b.jpg"\n');
    expect((await find(['lists/list.jsonl'], { nameColumn: 'id' })).names).toEqual(['7', 'h/b.jpg']);
  });

  it('list the columns when the requested one does not exist', async () => {
    await put('lists/list.csv', 'id,link\n1,http://h/\n');
    await expect(find(['lists/list.csv'])).rejects.toMatchObject({
      end: 'usage',
      reason: 'COLUMN_MISSING',
      message: expect.stringContaining('there is no column "url", only id, link; --column names the column.'),
    });
    await put('lists/list.jsonl', '{"link":"http://h/"}\n');
    await expect(find(['lists/list.jsonl'])).rejects.toMatchObject({ reason: 'COLUMN_MISSING' });
    await put('lists/list.jsonl', '{"url":\n');
    await expect(find(['lists/list.jsonl'])).rejects.toMatchObject({
      reason: 'LIST_INVALID',
      message: expect.stringContaining('line 1 is not JSON'),
    });
  });

  it('may not name sources outside of their folder, nor outputs outside of theirs', async () => {
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
    ['s3://photos/2026/cat.jpg', 'photos/2026/cat.jpg'],
    ['s3://photos/a cat?#1.jpg', 'photos/a%20cat%3F%231.jpg'],
    ['s3://photos/a%20cat.jpg', 'photos/a%2520cat.jpg'],
    ['s3://photos/cat.jpg?versionId=3', 'photos/cat.jpg'],
    ['s3://photos/../cat.jpg', 'photos/cat.jpg'],
  ])('names %s %s', (url, name) => {
    expect(nameOfUrl(url)).toBe(name);
  });
});
