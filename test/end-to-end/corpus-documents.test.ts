import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CorpusRun, corpus, temporaryFolder } from '../support/corpus.ts';
import { type Origin, routes, sends, startOrigin } from '../support/origin.ts';
import { pagesPdf } from '../support/pdf.ts';
import { encoded, gradient } from '../support/pictures.ts';
import { type Service, startService } from '../support/service.ts';

/* Corpora of documents: a row is a page. */

/** Pages with widths of 11, 12, … points and a height of 8. */
const report = pagesPdf(Array.from({ length: 9 }, (_, index) => ({ mediaBox: [0, 0, 11 + index, 8] })));

let service: Service;
let origin: Origin;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  service = await startService({ processor: { URL_ALLOWED_HOSTS: '127.0.0.1', WORKERS: '1' } });
  origin = await startOrigin(
    routes({
      '/report': sends(report, { 'content-type': 'application/pdf' }),
      '/copy': sends(report, { 'content-type': 'application/pdf' }),
      '/photo': sends(await encoded(gradient(30, 20), 'png'), { 'content-type': 'image/png' }),
    }),
  );
});
afterAll(async () => {
  await service?.stop();
  await origin?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const run = (...parameters: readonly string[]) =>
  corpus([...parameters, '--out', join(folder.path, 'out')], { IMAGE_PROCESSOR_URL: service.address });

/** Plans a list of `path,page` in pages of their own size, and makes its only shard. */
async function make(rows: readonly string[], ...flags: readonly string[]): Promise<CorpusRun> {
  const list = join(folder.path, 'list.csv');
  await writeFile(list, `url,at\n${rows.map((row) => origin.url(row)).join('\n')}\n`);
  const planned = await run('plan', list, '--no-scale', '--no-grayscale', '--format', 'png', ...flags);
  if (planned.code === 0) expect(await run('work', '--shard', '0')).toMatchObject({ code: 0 });
  return planned;
}

/** The lines of the index: each row with its page and the size of its sample, or with its reason. */
async function outcomes(): Promise<unknown[][]> {
  const [name = ''] = await readdir(join(folder.path, 'out', 'index'));
  const text = await readFile(join(folder.path, 'out', 'index', name), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map(({ page, width, height, reason }) => (reason ? [page, reason] : [page, width, height]));
}

describe('image-client corpus with documents', () => {
  it('makes a sample of the page that a column names, beside pictures without one', async () => {
    const rows = ['/report,3', '/report,1', '/photo,', '/report,10', '/photo,2', '/report,x'];
    await make(rows, '--page-column', 'at');
    expect(await outcomes()).toEqual([
      [3, 26, 16],
      [1, 22, 16],
      [undefined, 30, 20],
      [10, 'PAGE_OUT_OF_RANGE'],
      [2, 'OPTION_INVALID'],
      [undefined, 'PAGE_INVALID'],
    ]);
  });

  it('draws every page with the resolution of the plan, and states it in Parquet', async () => {
    await make(['/report,3', '/report,'], '--page-column', 'at', '--dpi', '72', '--shard-format', 'parquet');
    const { buffer } = await readFile(join(folder.path, 'out', 'shards', '00000.parquet'));
    const samples = await parquetReadObjects({ file: buffer, columns: ['page', 'width', 'height'] });
    expect(samples).toEqual([
      { page: 3n, width: 13n, height: 8n },
      { page: null, width: 11n, height: 8n },
    ]);
  });

  it('counts a page as a duplicate only of the same page', async () => {
    await make(
      ['/report,2', '/report,3', '/copy,3', '/copy,1', '/report,'],
      '--page-column',
      'at',
      '--deduplicate',
    );
    expect(await outcomes()).toEqual([
      [2, 24, 16],
      [3, 26, 16],
      [3, 'SOURCE_REPEATED'],
      [1, 22, 16],
      [undefined, 'SOURCE_REPEATED'],
    ]);
    const { stdout } = await run('verify', '--duplicates', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ duplicates: 0 });
  });

  it('takes one page for all rows, and counts those that occur several times', async () => {
    await make(['/report,', '/copy,'], '--page', '4', '--columns', '');
    expect(await outcomes()).toEqual([
      [undefined, 28, 16],
      [undefined, 28, 16],
    ]);
    const { stdout } = await run('verify', '--duplicates', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ duplicates: 1 });
  });

  it.each([
    ['several pages', ['--page', '1-3'], '--page-column'],
    ['a page beside a column', ['--page', '3', '--page-column', 'at'], 'exclude each other'],
  ])('refuses %s for each row', async (_, flags, words) => {
    const { code, stderr } = await make(['/report,1'], ...flags);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });
});
