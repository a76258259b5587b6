import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pagesPdf } from '../support/pdf.ts';
import { encoded, gradient } from '../support/pictures.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';

/* Pages of documents by the client: one, and those of a folder. */

const program = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url));
const secret = 'abc ☂';

let service: Service;
let folder: string;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-client-documents-'));
  await mkdir(join(folder, 'in'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A document whose pages have widths of 10, 11, … points and a height of 8. */
const documentOf = (count: number) =>
  pagesPdf(Array.from({ length: count }, (_, index) => ({ mediaBox: [0, 0, 10 + index, 8] })));

const client = (parameters: readonly string[], env: Record<string, string> = {}) =>
  run(process.execPath, [program, ...parameters], {
    cwd: folder,
    env: { IMAGE_API_URL: service.url, ...env },
  });

const job = (...parameters: readonly string[]) =>
  client(['job', '--no-scale', '--no-grayscale', '--dpi', '72', ...parameters]);

const outputs = async () =>
  (await readdir(join(folder, 'out'))).filter((name) => !name.endsWith('.jsonl')).sort();

const rows = async (file: string) =>
  (await readFile(join(folder, 'out', file), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('image-client with a page', () => {
  it('writes the page at its resolution', async () => {
    await writeFile(join(folder, 'in.pdf'), documentOf(3));
    const { code } = await client(['--page', '3', '--dpi', '144', '--no-scale', 'in.pdf', 'out.png']);
    expect(code).toBe(0);
    expect(await sharp(join(folder, 'out.png')).metadata()).toMatchObject({ width: 24, height: 16 });
  });

  it('refuses several pages, which one file cannot hold, and names the command', async () => {
    await writeFile(join(folder, 'in.pdf'), documentOf(3));
    const { code, stderr } = await client(['--page', '1-2', 'in.pdf', 'out.png']);
    expect(code).toBe(2);
    expect(stderr).toContain('image-client job --page 1-2 INPUT FOLDER');
  });

  it('sends the password of a file or of the environment, and prints it nowhere', async () => {
    await writeFile(join(folder, 'photo.png'), await encoded(gradient(4, 4), 'png'));
    await writeFile(join(folder, 'password'), `${secret}\n`);
    // A picture has no password: the refusal shows that one arrived.
    const byFile = await client(['-v', '--password-file', 'password', 'photo.png', 'out.png']);
    const byVariable = await client(['-v', 'photo.png', 'out.png'], { IMAGE_DOCUMENT_PASSWORD: secret });
    for (const { stderr, stdout } of [byFile, byVariable]) {
      expect(stderr).toContain('OPTION_INVALID: password is set');
      expect(stderr + stdout).not.toContain('abc');
    }
  });

  it('describes a document by its pages, without drawing them', async () => {
    await writeFile(join(folder, 'in.pdf'), documentOf(3));
    const { stdout } = await client(['describe', '--json', '--dpi', '72', '--page', '2', 'in.pdf']);
    expect(JSON.parse(String(stdout))).toMatchObject({
      source: { format: 'pdf', width: 11, height: 8, pages: 3 },
      pages: [10, 11, 12].map((width) => ({ width, height: 8 })),
    });
  });
});

describe('image-client job with documents', () => {
  it('makes an image of each page, beside the pictures, and numbers by the length of the document', async () => {
    await writeFile(join(folder, 'in', 'a.pdf'), documentOf(11));
    await writeFile(join(folder, 'in', 'b'), documentOf(2));
    await writeFile(join(folder, 'in', 'c.png'), await encoded(gradient(4, 4), 'png'));
    const { code } = await job('in', 'out');
    expect(code).toBe(0);
    const ofA = Array.from({ length: 11 }, (_, index) => `a-p${String(index + 1).padStart(2, '0')}.png`);
    expect(await outputs()).toEqual([...ofA, 'b-p1.png', 'b-p2.png', 'c.png']);
    expect(await sharp(join(folder, 'out', 'a-p11.png')).metadata()).toMatchObject({ width: 20, height: 8 });
    const entry = (await rows('journal.jsonl')).find(({ output }) => output === 'a-p11.png');
    expect(entry).toMatchObject({ page: 11, pages: 11 });
  });

  it('makes the pages that are missing, and no others', async () => {
    await writeFile(join(folder, 'in', 'a.pdf'), documentOf(4));
    await job('--page', '1-2', 'in', 'out');
    expect(await outputs()).toEqual(['a-p1.png', 'a-p2.png']);
    const { stderr } = await job('in', 'out');
    expect(stderr).toContain('2 images to do, 2 done already');
    expect(await outputs()).toEqual(['a-p1.png', 'a-p2.png', 'a-p3.png', 'a-p4.png']);
    expect((await job('in', 'out')).stderr).toContain('0 images to do, 4 done already');
  });

  it('fails for a document or a page by itself, and leaves out what a range does not reach', async () => {
    await writeFile(join(folder, 'in', 'a.pdf'), documentOf(1));
    await writeFile(join(folder, 'in', 'b.pdf'), documentOf(3));
    await writeFile(join(folder, 'in', 'broken.pdf'), '%PDF-1.7');
    // A page of 20 million pixels among small ones.
    const large = pagesPdf([{}, { mediaBox: [0, 0, 14_000, 14_000] }]);
    await writeFile(join(folder, 'in', 'large.pdf'), large);
    const { code } = await job('--page', '2-9', 'in', 'out');
    expect(code).toBe(1);
    expect(await outputs()).toEqual(['b-p2.png', 'b-p3.png']);
    const failures = (await rows('failures.jsonl')).map(({ source, page, reason }) => [
      String(source).replace(/.*\//, ''),
      page,
      reason,
    ]);
    expect(failures.sort()).toEqual([
      ['a.pdf', undefined, 'PAGE_OUT_OF_RANGE'],
      ['broken.pdf', undefined, 'IMAGE_CORRUPT'],
      ['large.pdf', 2, 'SOURCE_PIXELS_OVER_LIMIT'],
    ]);
  });

  it('makes each of a thousand pages once', async () => {
    const pages = 1000;
    const sizes = Array.from({ length: pages }, (_, index) => ({ mediaBox: [0, 0, 1 + index, 2] }));
    await writeFile(join(folder, 'in', 'a.pdf'), pagesPdf(sizes));
    const { code, stderr } = await job('--quiet', 'in', 'out');
    expect([code, stderr]).toEqual([0, '']);
    const made = await outputs();
    expect(made).toHaveLength(pages);
    const widths = made.map(async (name) => (await sharp(join(folder, 'out', name)).metadata()).width);
    expect(await Promise.all(widths)).toEqual(sizes.map((_, index) => 1 + index));
  }, 240_000);

  it('plans pages in a dry run', async () => {
    await writeFile(join(folder, 'in', 'a.pdf'), documentOf(2));
    const { stdout } = await job('--dry-run', '--json', 'in', 'out');
    expect(
      String(stdout)
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { action: 'do', page: 1, output: 'a-p1.png' },
      { action: 'do', page: 2, output: 'a-p2.png' },
    ]);
  });
});
