import { PutObjectCommand } from '@aws-sdk/client-s3';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCorpusList } from '../../../../src/client/corpus/lists/read-list.ts';
import type { CorpusRow } from '../../../../src/client/corpus/row.ts';
import { type ObjectStorage, openObjectStorage } from '../../../../src/object-storage/object-storage.ts';
import { type S3Server, startS3 } from '../../../support/s3.ts';
import { s3Program } from '../../../support/tools.ts';

const { signal } = new AbortController();
const choice = {
  url: undefined,
  id: undefined,
  page: undefined,
  carried: undefined,
  reserved: [],
  idsHaveNoDots: false,
};
const before = { ...process.env };

let s3: S3Server;
let storage: ObjectStorage;

const put = (Key: string, Body: string | Uint8Array) =>
  s3.client.send(new PutObjectCommand({ Bucket: 'lists', Key, Body }));

async function read(url: string, id?: string): Promise<CorpusRow[]> {
  await using list = await readCorpusList(url, { ...choice, id }, () => storage, signal);
  const rows: CorpusRow[] = [];
  for await (const row of list.rows(signal)) rows.push(row);
  return rows;
}

describe.skipIf(s3Program === undefined)('readCorpusList in a bucket', () => {
  beforeAll(async () => {
    s3 = await startS3();
    await s3.createBucket('lists');
    Object.assign(process.env, s3.environment);
    storage = openObjectStorage({ endpoint: s3.endpoint, forcePathStyle: true });
  }, 30_000);
  afterAll(async () => {
    storage?.close();
    process.env = before;
    await s3?.[Symbol.asyncDispose]();
  });

  it('takes each object below a prefix as a row, in the order of keys, but no folder of a console', async () => {
    for (const key of ['photos/b.jpg', 'photos/a b%.png', 'photos/deep/c', 'photos-of-me/d.jpg']) {
      await put(key, 'image');
    }
    await put('photos/empty/', '');
    const rows = await read('s3://lists/photos/');
    expect(rows.map(({ id, url }) => [id, url])).toEqual([
      ['000000000', 's3://lists/photos/a b%.png'],
      ['000000001', 's3://lists/photos/b.jpg'],
      ['000000002', 's3://lists/photos/deep/c'],
    ]);
  });

  it('reads Parquet by ranges', async () => {
    const numbers = Array.from({ length: 50_000 }, (_, number) => number);
    const list = parquetWriteBuffer({
      columnData: [
        {
          name: 'url',
          data: numbers.map((number) => `https://images.example/${number}.jpg`),
          type: 'STRING',
        },
        { name: 'n', data: numbers, type: 'INT32' },
      ],
      rowGroupSize: 20_000,
    });
    await put('list.parquet', new Uint8Array(list));
    const rows = await read('s3://lists/list.parquet');
    expect(rows).toHaveLength(50_000);
    expect(rows.at(-1)).toEqual({
      row: 49_999,
      id: '000049999',
      url: 'https://images.example/49999.jpg',
      values: [49_999],
    });
  }, 30_000);

  it('reads CSV twice where it has an id column', async () => {
    await put('list.csv', 'id,url\na,https://images.example/1.jpg\na,https://images.example/2.jpg\n');
    const rows = await read('s3://lists/list.csv', 'id');
    expect(rows.map(({ problem }) => problem?.reason)).toEqual([undefined, 'ID_REPEATED']);
  });

  it('refuses a list that changes while it is read, one that does not exist, and an empty prefix', async () => {
    await put('changing.txt', 'https://images.example/1.jpg\n');
    await using list = await readCorpusList('s3://lists/changing.txt', choice, () => storage, signal);
    await put('changing.txt', 'https://images.example/2.jpg\n');
    const rows = list.rows(signal)[Symbol.asyncIterator]();
    await expect(rows.next()).rejects.toMatchObject({ message: expect.stringContaining('changed while') });
    await expect(read('s3://lists/none.csv')).rejects.toMatchObject({ reason: 'INPUT_MISSING' });
    await expect(read('s3://lists/nothing/')).rejects.toMatchObject({ reason: 'LIST_EMPTY' });
    await expect(read('s3://no-such-bucket/photos/')).rejects.toMatchObject({
      reason: 'STORAGE_BUCKET_MISSING',
      end: 'files',
    });
    await expect(read('s3://lists/../list.csv')).rejects.toMatchObject({ end: 'usage' });
  });
});
