import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ClientError } from '../../../../src/client/client-error.ts';
import type { ColumnChoice } from '../../../../src/client/corpus/lists/list-columns.ts';
import { readCorpusList } from '../../../../src/client/corpus/lists/read-list.ts';
import type { CorpusRow } from '../../../../src/client/corpus/row.ts';

const { signal } = new AbortController();
const noStorage = () => {
  throw new Error('no list is in object storage here');
};
const defaults: ColumnChoice = {
  url: undefined,
  id: undefined,
  page: undefined,
  carried: undefined,
  reserved: ['pixel_values'],
  idsHaveNoDots: false,
};

/** Writes a list, and reads it as a corpus does. */
async function read(name: string, content: string | Uint8Array, choice: Partial<ColumnChoice> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'corpus-list-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, name);
  await writeFile(path, content);
  await using list = await readCorpusList(path, { ...defaults, ...choice }, noStorage, signal);
  const passes: CorpusRow[][] = [[], []];
  for (const pass of passes) for await (const row of list.rows(signal)) pass.push(row);
  expect(passes[1], 'the second pass over the rows').toEqual(passes[0]);
  return { columns: list.columns, leftOut: list.leftOut, url: list.urlColumn, rows: passes[0] ?? [] };
}

async function failureOf(work: Promise<unknown>): Promise<ClientError> {
  const error = await work.catch((thrown: unknown) => thrown);
  if (!(error instanceof ClientError)) throw new Error('no ClientError', { cause: error });
  return error;
}

const url = (name: string | number) => `https://images.example/${name}.jpg`;

describe('readCorpusList of text', () => {
  it('reads a URL per line, and numbers the rows without comments and empty lines', async () => {
    const { rows, columns } = await read('list.txt', `# cats\n${url(1)}\r\n\n  s3://photos/a b.jpg \n`);
    expect(columns).toEqual([]);
    expect(rows).toEqual([
      { row: 0, id: '000000000', url: url(1), values: [] },
      { row: 1, id: '000000001', url: 's3://photos/a b.jpg', values: [] },
    ]);
  });

  it('reads UTF-16, as PowerShell writes it', async () => {
    const { rows } = await read('list.txt', Buffer.from(`\ufeff${url('é')}\r\n`, 'utf16le'));
    expect(rows.map((row) => row.url)).toEqual([url('é')]);
  });

  it('reads lines across the pieces that a file is read in', async () => {
    const urls = Array.from({ length: 40_000 }, (_, index) => url(index));
    const { rows } = await read('list.txt', urls.join('\n'));
    expect(rows.map((row) => row.url)).toEqual(urls);
  });
});

describe('readCorpusList of CSV', () => {
  it('takes columns as texts, and finds delimiter and URL column', async () => {
    const {
      rows,
      columns,
      url: column,
    } = await read('list.csv', `label;Image_URL;text\n007;${url(1)};"a; ""b"""\n1e5;${url(2)};\n`);
    expect(column).toBe('Image_URL');
    expect(columns).toEqual([
      { name: 'label', type: 'string' },
      { name: 'text', type: 'string' },
    ]);
    expect(rows.map(({ values }) => values)).toEqual([
      ['007', 'a; "b"'],
      ['1e5', ''],
    ]);
  });

  it('refuses a row with too many fields by its line, and reads on', async () => {
    const { rows } = await read('list.csv', `url,label\n${url(1)},a\n${url(2)},b,c\n${url(3)},d\n`);
    expect(rows.map(({ problem }) => problem)).toEqual([
      undefined,
      { reason: 'ROW_INVALID', message: 'Line 3 has 3 columns, and the header has 2.' },
      undefined,
    ]);
  });

  it('names the line of a quotation mark that is not closed', async () => {
    const rows = Array.from({ length: 40_000 }, (_, index) => `${url(index)},a`);
    rows[1] = `${url(1)},"b`;
    const error = await failureOf(read('list.csv', `url,label\n${rows.join('\n')}\n`));
    expect(error).toMatchObject({
      reason: 'LIST_INVALID',
      message: expect.stringContaining('in line 3 may'),
    });
  });
});

describe('readCorpusList of JSON lines', () => {
  it('finds the types of columns, of members that only later lines have too', async () => {
    const lines = [
      { url: url(1), int: 1, mixed: 1, number: 1, flag: true, text: null },
      { url: url(2), int: 2, mixed: 'a', number: 0.5, list: [1, { a: null }], text: 'b' },
    ];
    const { rows, columns } = await read('list.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'));
    expect(columns).toEqual([
      { name: 'int', type: 'int64' },
      { name: 'mixed', type: 'json' },
      { name: 'number', type: 'double' },
      { name: 'flag', type: 'boolean' },
      { name: 'text', type: 'string' },
      { name: 'list', type: 'json' },
    ]);
    expect(rows.map(({ values }) => values)).toEqual([
      [1, 1, 1, true, null, null],
      [2, 'a', 0.5, null, 'b', [1, { a: null }]],
    ]);
  });

  it('keeps all digits of long integers', async () => {
    const { rows } = await read(
      'list.jsonl',
      `{"url":"${url(1)}","id":9007199254740993,"n":-9007199254740995}`,
      {
        id: 'id',
      },
    );
    expect(rows[0]).toMatchObject({ id: '9007199254740993', values: [-9007199254740995n] });
  });

  it('refuses a line that is no object by its number, and reads on', async () => {
    const { rows } = await read(
      'list.jsonl',
      `{"url":"${url(1)}"}\n\n{"url":\n"text"\n{"url":"${url(2)}"}\n`,
    );
    expect(rows.map(({ problem }) => problem?.message)).toEqual([
      undefined,
      'Line 3 is not a JSON object.',
      'Line 4 is not a JSON object.',
      undefined,
    ]);
  });
});

describe('readCorpusList of Parquet', () => {
  const parquet = () =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: 'URL', data: [0, 1, 2, 3, 4].map(url), type: 'STRING' },
          { name: 'big', data: [1n, 2n ** 53n + 1n, -(2n ** 63n), 4n, null], type: 'INT64', nullable: true },
          { name: 'score', data: [0.1, Number.NaN, 2, 3, null], type: 'DOUBLE', nullable: true },
          { name: 'safe', data: [true, false, true, false, true], type: 'BOOLEAN' },
          {
            name: 'taken',
            data: [0, 1, 2, 3, 4].map((day) => new Date(day * 86_400_000)),
            type: 'TIMESTAMP',
          },
          { name: 'tags', data: [['a'], [], ['b', 'c'], ['d'], ['e']], type: 'JSON' },
          { name: 'thumbnail', data: [0, 1, 2, 3, 4].map((n) => Buffer.from([255, n])), type: 'BYTE_ARRAY' },
        ],
        rowGroupSize: 2,
      }),
    );

  it('reads columns of all types from several row groups, and leaves out binary ones', async () => {
    const { rows, columns, leftOut } = await read('list.parquet', parquet());
    expect(columns).toEqual([
      { name: 'big', type: 'int64' },
      { name: 'score', type: 'double' },
      { name: 'safe', type: 'boolean' },
      { name: 'taken', type: 'string' },
      { name: 'tags', type: 'json' },
    ]);
    expect(leftOut).toEqual([{ name: 'thumbnail', type: 'binary' }]);
    expect(rows.map((row) => row.url)).toEqual([0, 1, 2, 3, 4].map(url));
    expect(rows.map(({ values }) => values)).toEqual([
      [1, 0.1, true, '1970-01-01T00:00:00.000Z', ['a']],
      [9007199254740993n, null, false, '1970-01-02T00:00:00.000Z', []],
      [-9223372036854775808n, 2, true, '1970-01-03T00:00:00.000Z', ['b', 'c']],
      [4, 3, false, '1970-01-04T00:00:00.000Z', ['d']],
      [null, null, true, '1970-01-05T00:00:00.000Z', ['e']],
    ]);
  });

  it('refuses a file that was cut', async () => {
    const whole = parquet();
    for (const bytes of [0, 3, 20, whole.length / 2, whole.length - 1]) {
      const error = await failureOf(read('list.parquet', whole.subarray(0, bytes)));
      expect(error.reason).toBe('LIST_INVALID');
    }
  });

  it('refuses a column of --columns that is binary', async () => {
    const error = await failureOf(read('list.parquet', parquet(), { carried: ['thumbnail'] }));
    expect(error).toMatchObject({ reason: 'COLUMN_MISSING', message: expect.stringContaining('is binary') });
  });
});

describe('readCorpusList of rows that cannot be sent', () => {
  const csv = (...rows: string[]) => `id,url\n${rows.join('\n')}\n`;
  const problems = async (...rows: string[]) =>
    (await read('list.csv', csv(`good,${url('good')}`, ...rows), { id: 'id' })).rows
      .slice(1)
      .map(({ problem }) => problem);

  it.each([
    ['no URL', 'a,', { reason: 'SOURCE_MISSING', message: 'Row 1 has no URL.' }],
    ['a text', 'a,a cat', { reason: 'URL_INVALID', message: 'Row 1 has no http, https or s3 URL.' }],
    ['no id', `,${url(1)}`, { reason: 'ID_MISSING', message: 'Row 1 has no id.' }],
    [
      'the id of another row',
      `good,${url(1)}`,
      { reason: 'ID_REPEATED', message: 'Row 1 has the id of row 0.' },
    ],
    ['an id that is too long', `${'a'.repeat(513)},${url(1)}`, { reason: 'ID_FORBIDDEN' }],
  ])('has a problem with %s', async (_words, row, problem) => {
    expect(await problems(row)).toEqual([expect.objectContaining(problem)]);
  });

  it.each(['../a', 'a/../../b', '/etc/a', 'a//b', '.', 'a\\..\\b', 'c:a', 'a\u0000b'])(
    'has a problem with the id %j, which leaves the corpus',
    async (id) => {
      expect(await problems(`${id},${url(1)}`)).toEqual([
        expect.objectContaining({ reason: 'ID_FORBIDDEN' }),
      ]);
    },
  );

  it('has a problem with an id with a dot where the key of a sample ends at one', async () => {
    const rows = csv(`a.b/c,${url(1)}`, `b/c.d,${url(2)}`);
    const list = await read('list.csv', rows, { id: 'id', idsHaveNoDots: true });
    expect(list.rows.map(({ problem }) => problem?.reason)).toEqual([undefined, 'ID_FORBIDDEN']);
  });

  it('finds each repeated id among many, and no other', async () => {
    const ids = Array.from({ length: 20_000 }, (_, index) => `id${index}`);
    ids[7000] = 'id6000';
    ids[19_999] = 'id6000';
    const { rows } = await read('list.csv', csv(...ids.map((id, row) => `${id},${url(row)}`)), { id: 'id' });
    expect(rows.flatMap(({ problem }) => problem?.message ?? [])).toEqual([
      'Row 7000 has the id of row 6000.',
      'Row 19999 has the id of row 6000.',
    ]);
  });
});

describe('readCorpusList of pages', () => {
  it('takes the page of each row, which is no carried column', async () => {
    const list = await read('list.csv', `url,p,tag\n${url(1)},3,a\n${url(1)},7.0,b\n${url(2)},,c\n`, {
      page: 'p',
    });
    expect(list.columns).toEqual([{ name: 'tag', type: 'string' }]);
    expect(list.rows.map(({ page, values }) => [page, ...values])).toEqual([
      [3, 'a'],
      [7, 'b'],
      [undefined, 'c'],
    ]);
  });

  it('takes them beside ids, as whole numbers of any type', async () => {
    const lines = [3, 4.0, '5', null].map((page, row) =>
      JSON.stringify({ key: `k${row}`, page, url: url(row) }),
    );
    const { rows } = await read('list.jsonl', lines.join('\n'), { id: 'key', page: 'page' });
    expect(rows.map(({ id, page }) => [id, page])).toEqual([
      ['k0', 3],
      ['k1', 4],
      ['k2', 5],
      ['k3', undefined],
    ]);
  });

  it.each(['0', '-1', '1.5', 'x', '1-3', 'all', '99999999999'])(
    'has a problem with the page %s',
    async (page) => {
      const { rows } = await read('list.csv', `url,page\n${url(1)},1\n${url(2)},"${page}"\n`, {
        page: 'page',
      });
      const message = 'The page of row 1 is no whole number from 1.';
      expect(rows.map(({ problem }) => problem)).toEqual([undefined, { reason: 'PAGE_INVALID', message }]);
    },
  );

  it('is one of the columns that a corpus has itself', async () => {
    const error = await failureOf(read('list.csv', `url,p,page\n${url(1)},1,2\n`, { page: 'p' }));
    expect(error).toMatchObject({ reason: 'COLUMN_CLASH', message: expect.stringContaining('"page"') });
  });
});

describe('readCorpusList of lists that cannot be used', () => {
  it.each([
    [
      'no column with the name of one with URLs',
      'a,b\n1,2\n',
      {},
      'COLUMN_MISSING',
      'It has a (string), b (string)',
    ],
    ['a URL column that it lacks', 'url\nx\n', { url: 'link' }, 'COLUMN_MISSING', '"link" of --url-column'],
    ['a page column that it lacks', 'url\nx\n', { page: 'p' }, 'COLUMN_MISSING', '"p" of --page-column'],
    ['an id column that it lacks', 'url\nx\n', { id: 'key' }, 'COLUMN_MISSING', '"key" of --id-column'],
    [
      'a column of the corpus itself',
      `url,width,tag\n${url(1)},1,a\n`,
      {},
      'COLUMN_CLASH',
      '--columns "tag"',
    ],
    [
      'a column with the name of a tensor',
      `url,pixel_values\n${url(1)},1\n`,
      {},
      'COLUMN_CLASH',
      'pixel_values',
    ],
    ['two columns of one name', `url,tag,tag\n${url(1)},1,a\n`, {}, 'COLUMN_CLASH', 'two columns "tag"'],
    ['a column without a name', `url,,tag\n${url(1)},1,a\n`, {}, 'COLUMN_CLASH', 'Column 2'],
    ['only a header', 'url\n', {}, 'LIST_EMPTY', 'has no rows'],
    ['no bytes', '', {}, 'LIST_INVALID', 'is empty'],
    ['no URL in the column', 'url\na\nb\n', {}, 'LIST_INVALID', 'None of the 2 rows'],
  ])('refuses %s', async (_words, content, choice, reason, words) => {
    const error = await failureOf(read('list.csv', content, choice));
    expect(error).toMatchObject({ reason, message: expect.stringContaining(words) });
  });

  it('carries only the columns of --columns', async () => {
    const { columns } = await read('list.csv', `url,width,tag\n${url(1)},1,a\n`, { carried: ['tag'] });
    expect(columns).toEqual([{ name: 'tag', type: 'string' }]);
  });

  it('refuses a list that does not exist, and an ending that no list has', async () => {
    const missing = readCorpusList('/nowhere/list.csv', defaults, noStorage, signal);
    expect(await failureOf(missing)).toMatchObject({ reason: 'INPUT_MISSING' });
    expect(await failureOf(read('list.xlsx', 'PK'))).toMatchObject({ reason: 'LIST_UNKNOWN' });
  });
});
