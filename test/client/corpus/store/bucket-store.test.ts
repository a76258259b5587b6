import { hash, randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hashOf } from '../../../../src/client/corpus/index-of-shard.ts';
import { openBucket } from '../../../../src/client/corpus/store/bucket-store.ts';
import type { CorpusStore } from '../../../../src/client/corpus/store/corpus-store.ts';
import { storedText } from '../../../../src/client/corpus/store/stored-bytes.ts';
import { spillFile } from '../../../../src/client/corpus/work/spill.ts';
import { type FaultyS3, startFaultyS3 } from '../../../support/faulty-s3.ts';
import { s3Program } from '../../../support/tools.ts';

const { signal } = new AbortController();
const spill = join(tmpdir(), `spill-${process.pid}`);

describe.skipIf(s3Program === undefined)(openBucket, () => {
  let s3: FaultyS3;
  let store: CorpusStore;

  beforeAll(async () => {
    s3 = await startFaultyS3();
    await s3.server.createBucket('corpora');
    const environment = { S3_ENDPOINT: s3.proxy.endpoint, S3_FORCE_PATH_STYLE: 'true' };
    store = openBucket('s3://corpora/a', environment, 1000);
  });
  afterEach(() => {
    s3.proxy.decide = () => undefined;
  });
  afterAll(async () => {
    store?.close();
    await s3?.[Symbol.asyncDispose]();
    await rm(spill, { recursive: true, force: true });
  });

  const sent = (method: string, name: string) =>
    s3.proxy.requests.filter((line) => line.startsWith(`${method} /corpora/a/${name}`)).length;

  it('writes a shard of more than 64 MiB in parts, once, and knows its SHA-256', async () => {
    const piece = randomBytes(2 ** 20);
    const pieces = async function* () {
      for (let number = 0; number < 65; number++) yield piece;
    };
    await using file = await spillFile(spill, pieces());
    expect(await store.writeNew('shards/0.tar', file, 'application/x-tar', signal)).toBe('written');
    expect(await store.writeNew('shards/0.tar', file, 'application/x-tar', signal)).toBe('present');
    expect(sent('PUT', 'shards/0.tar?partNumber=')).toBe(2);
    const sha256 = file.sha256.toString('hex');
    expect(await store.info('shards/0.tar', signal)).toEqual({ bytes: 65 * 2 ** 20, sha256 });
    expect(await hashOf(store, 'shards/0.tar', signal)).toBe(sha256);
  });

  it('reads the rest of a file whose connection breaks, not the whole again', async () => {
    const text = 'a line of an index\n'.repeat(200_000);
    await store.writeNew('index/0.jsonl', storedText(text), 'application/jsonl', signal);
    s3.proxy.faults.push('half a body', 'half a body');
    expect(await hashOf(store, 'index/0.jsonl', signal)).toBe(hash('sha256', text));
    expect(sent('GET', 'index/0.jsonl')).toBe(3);
  });

  it('never joins two versions of a file', async () => {
    await store.replace('index/1.jsonl', storedText('a'.repeat(1_000_000)), 'application/jsonl', signal);
    s3.proxy.faults.push('half a body');
    const read = async () => {
      let hasBegun = false;
      for await (const _chunk of (await store.open('index/1.jsonl', signal)) ?? []) {
        if (hasBegun) continue;
        hasBegun = true;
        await store.replace('index/1.jsonl', storedText('b'.repeat(1_000_000)), 'application/jsonl', signal);
      }
    };
    await expect(read()).rejects.toMatchObject({ reason: 'STORAGE_CONFLICT', end: 'unavailable' });
  });

  it.each([
    ['heeds conditions', /^$/, undefined],
    ['ignores the condition of a request', /^PUT .*rows\/0\.jsonl(?:\?x-id=PutObject)?$/, 'STORAGE_REPLACES'],
    ['ignores the condition of parts', /^POST .*uploadId=/, 'STORAGE_REPLACES'],
  ])('finds out whether a server %s', async (_, pattern, reason) => {
    const file = storedText('a row\n');
    const write = ['rows/0.jsonl', file, 'application/jsonl', signal] as const;
    await store.writeNew(...write);
    s3.proxy.decide = ({ method, url }) =>
      pattern.test(`${method} ${url}`) ? 'condition ignored' : undefined;
    const found = await store.ensureWrittenOnce(...write).catch((error: unknown) => error);
    expect(found).toEqual(
      reason === undefined ? undefined : expect.objectContaining({ reason, end: 'files' }),
    );
    expect(await hashOf(store, 'rows/0.jsonl', signal)).toBe(file.sha256.toString('hex'));
  });
});
