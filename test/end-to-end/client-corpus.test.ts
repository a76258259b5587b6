import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { manifestText, parseManifest, withJob } from '../../src/client/corpus/manifest.ts';
import {
  corpus,
  corpusProgram,
  hashesIn,
  startNumberedOrigin,
  temporaryFolder,
  writeList,
} from '../support/corpus.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { encoded, gradient } from '../support/pictures.ts';
import { startProcessorProcess } from '../support/processor-process.ts';
import { startS3 } from '../support/s3.ts';
import { startFaultProxy } from '../support/s3-faults.ts';
import { type Service, startService } from '../support/service.ts';
import { s3Program } from '../support/tools.ts';

/* Whole corpora against the real processor, and what is in their stores afterwards. */

const small = ['--width', '8', '--height', '6', '--format', 'png'];

let service: Service;
let origin: Origin;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let out: string;
let list: string;
beforeAll(async () => {
  service = await startService({ processor: { URL_ALLOWED_HOSTS: '127.0.0.1' } });
  origin = await startNumberedOrigin();
});
afterAll(async () => {
  await service.stop();
  await origin[Symbol.asyncDispose]();
});
beforeEach(async () => {
  folder = await temporaryFolder();
  out = join(folder.path, 'out');
  list = join(folder.path, 'list.csv');
});
afterEach(() => folder[Symbol.asyncDispose]());

const run = (parameters: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  corpus(parameters, { IMAGE_PROCESSOR_URL: service.address, ...environment });

async function plan(rows: number, flags: readonly string[] = small): Promise<void> {
  await writeList(list, origin, rows);
  const result = await run(['plan', list, '--out', out, '--rows-per-shard', '10', ...flags]);
  expect(result).toMatchObject({ code: 0 });
}

const work = (shard: string, ...flags: string[]) => run(['work', '--out', out, '--shard', shard, ...flags]);

async function verify(...flags: string[]) {
  const result = await run(['verify', '--out', out, '--json', ...flags]);
  return { code: result.code, ...(JSON.parse(result.stdout.toString()) as Record<string, unknown>) };
}

/** The lines of the only index of a shard. */
async function indexOf(shard: string): Promise<Record<string, unknown>[]> {
  const names = (await readdir(join(out, 'index'))).filter((name) => name.startsWith(shard));
  expect(names).toHaveLength(1);
  const text = await readFile(join(out, 'index', names[0] as string), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('image-client corpus', () => {
  it('makes shards, and lists what became of each row', async () => {
    await plan(25);
    expect(await verify()).toMatchObject({ code: 1, complete: false, missing: [0, 1, 2] });
    expect(await work('0-2')).toMatchObject({ code: 0 });
    expect(await verify()).toMatchObject({
      code: 0,
      complete: true,
      shards: { planned: 3, done: 3 },
      rows: { planned: 25, stored: 23, failed: 2, retryable: 0 },
      reasons: { ORIGIN_STATUS: 2 },
    });
    expect(await verify('--max-failed', '0.05')).toMatchObject({ code: 1, complete: true });
    const index = await indexOf('00002');
    expect(index).toHaveLength(5);
    expect(index[2]).toEqual({
      id: '000000022',
      row: 22,
      outcome: 'failed',
      reason: 'ORIGIN_STATUS',
      retryable: false,
      details: expect.objectContaining({ status: '404' }),
      url: origin.url('/22.jpg'),
    });
    expect(index[3]).toMatchObject({ id: '000000023', outcome: 'stored', sample: 2, width: 8, height: 6 });
  });

  it('takes the shard from JOB_COMPLETION_INDEX', async () => {
    await plan(20);
    expect(await run(['work', '--out', out], { JOB_COMPLETION_INDEX: '1' })).toMatchObject({ code: 0 });
    expect(await readdir(join(out, 'shards'))).toEqual(['00001.tar']);
  });

  it('plans the same list again without a change, and refuses another plan at the same place', async () => {
    await plan(20);
    const before = await hashesIn(join(out, 'rows'));
    await plan(20);
    const other = await run(['plan', list, '--out', out, '--rows-per-shard', '5', ...small]);
    expect(other).toMatchObject({ code: 7, stderr: expect.stringContaining('PLAN_EXISTS') });
    expect(await hashesIn(join(out, 'rows'))).toEqual(before);
  });

  it('leaves a shard that exists as it is', async () => {
    await plan(10);
    await work('0');
    const before = await hashesIn(join(out, 'shards'));
    const requests = origin.requests.length;
    expect(await work('0')).toMatchObject({ code: 0, stderr: expect.stringContaining('done already') });
    expect(origin.requests).toHaveLength(requests);
    expect(await hashesIn(join(out, 'shards'))).toEqual(before);
  });

  it('writes a shard once where two workers make it at once, and both succeed', async () => {
    await plan(10);
    const results = await Promise.all([work('0', '--json'), work('0', '--json')]);
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    const states = results.map(({ stdout }) => JSON.parse(stdout.toString()).state);
    expect(states.toSorted()).toEqual(['present', 'written']);
    expect(await indexOf('00000')).toHaveLength(10);
    expect(await verify()).toMatchObject({ code: 0 });
  });

  it('ignores what killed workers left behind, and removes it', async () => {
    await plan(10);
    await work('0');
    const before = await hashesIn(join(out, 'shards'));
    await rm(join(out, 'shards', '00000.tar'));
    await writeFile(join(out, 'index', `00000-${'0'.repeat(64)}.jsonl`), 'half of an ind');
    await mkdir(join(out, 'incomplete'), { recursive: true });
    // No process has this id: Linux' limit is 2²².
    await writeFile(join(out, 'incomplete', `${hostname()}~99999999~x`), 'half of a shard');
    expect(await work('0')).toMatchObject({ code: 0 });
    expect(await hashesIn(join(out, 'shards'))).toEqual(before);
    expect(await readdir(join(out, 'incomplete'))).toEqual([]);
    expect(await verify()).toMatchObject({ code: 0 });
    expect(await verify('--counts-only')).toMatchObject({ code: 0 });
  });

  it('reports a shard whose bytes have changed', async () => {
    await plan(20);
    await work('0-1');
    const path = join(out, 'shards', '00001.tar');
    const bytes = await readFile(path);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await writeFile(path, bytes);
    expect(await verify()).toMatchObject({ code: 1, complete: false, damaged: [{ shard: 1 }] });
  });

  it('refuses a manifest of another version, another job and other numerics', async () => {
    await plan(10);
    const path = join(out, 'manifest.json');
    const text = await readFile(path, 'utf8');
    expect(await work('0', '--job', 'ffff')).toMatchObject({
      code: 7,
      stderr: expect.stringContaining('JOB_CHANGED'),
    });
    await writeFile(path, text.replace('"version": 1', '"version": 2'));
    expect(await work('0')).toMatchObject({ code: 2, stderr: expect.stringContaining('MANIFEST_VERSION') });
    const manifest = parseManifest(text, path);
    await writeFile(path, manifestText(withJob({ ...manifest, numericsVersion: 'exact-0' })));
    expect(await work('0')).toMatchObject({ code: 7, stderr: expect.stringContaining('NUMERICS_CHANGED') });
    await writeFile(path, text);
    const [rows] = await readdir(join(out, 'rows'));
    await writeFile(join(out, 'rows', rows as string), '');
    expect(await work('0')).toMatchObject({ code: 5, stderr: expect.stringContaining('ROWS_CHANGED') });
    expect(await readdir(join(out, 'shards')).catch(() => [])).toEqual([]);
  });

  it('writes no shard while the processor is away, and makes no failed rows of that', async () => {
    await plan(10);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    const away = await work('0', '--processor', `127.0.0.1:${port}`, '--patience', '1');
    expect(away).toMatchObject({ code: 4, stderr: expect.stringContaining('PROCESSOR_UNAVAILABLE') });
    expect(await readdir(join(out, 'shards')).catch(() => [])).toEqual([]);
    expect(await work('0')).toMatchObject({ code: 0 });
    expect(await verify()).toMatchObject({ code: 0, reasons: { ORIGIN_STATUS: 1 } });
  });

  it('keeps a row that its host refused for a time as retryable, and --retry-failed heals it', async () => {
    let isBroken = true;
    let isAway = false;
    const picture = await encoded(gradient(9, 9), 'jpeg');
    await using flaky = await startOrigin((request, response) => {
      if (isAway || (isBroken && request.url === '/3.jpg')) response.destroy();
      else response.writeHead(200, { 'content-length': picture.length }).end(picture);
    });
    await writeList(list, flaky, 5);
    expect(await run(['plan', list, '--out', out, ...small])).toMatchObject({ code: 0 });
    expect(await work('0', '--tries', '2')).toMatchObject({ code: 0 });
    expect(await verify()).toMatchObject({ code: 0, rows: { stored: 4, failed: 1, retryable: 1 } });
    const [log] = await readdir(join(out, 'log'));
    const attempts = await readFile(join(out, 'log', log as string), 'utf8');
    expect(attempts).toContain('"row":3,"event":"retried"');
    const before = await hashesIn(join(out, 'shards'));
    isAway = true;
    const kept = await work('0', '--retry-failed', '--tries', '1', '--json');
    expect(JSON.parse(kept.stdout)).toMatchObject({ state: 'kept', stored: 0, failed: 5 });
    expect(await hashesIn(join(out, 'shards'))).toEqual(before);
    isAway = false;
    isBroken = false;
    expect(await work('0')).toMatchObject({ code: 0 });
    expect(await verify()).toMatchObject({ rows: { stored: 4, failed: 1, retryable: 1 } });
    expect(await work('0', '--retry-failed')).toMatchObject({ code: 0 });
    expect(await verify()).toMatchObject({ code: 0, rows: { stored: 5, failed: 0 } });
  });

  it('shares the rows between processors, and continues with the others when one is lost', async () => {
    await using second = await startProcessorProcess();
    const { arrived } = await second.hold();
    const release = Promise.withResolvers<void>();
    await using held = await startOrigin((_request, response) => {
      void release.promise.then(() => response.writeHead(404).end());
    });
    await writeList(list, held, 24);
    expect(await run(['plan', list, '--out', out, ...small])).toMatchObject({ code: 0 });
    const working = work('0', '--processor', `${service.address},${second.address}`, '--in-flight', '8');
    await arrived;
    await expect.poll(() => held.requests.length, { timeout: 20_000 }).toBe(4);
    second.kill('SIGKILL');
    // The four rows of the lost processor are sent to the other one.
    await expect.poll(() => held.requests.length, { timeout: 20_000 }).toBe(8);
    release.resolve();
    expect(await working).toMatchObject({ code: 0 });
    expect(new Set(held.requests.map(({ path }) => path)).size).toBe(24);
    expect(await verify()).toMatchObject({
      rows: { planned: 24, failed: 24 },
      reasons: { ORIGIN_STATUS: 24 },
    });
  });

  it('names shards that do not exist and flags of another verb', async () => {
    await plan(10);
    expect(await work('1')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no shard 1'),
    });
    expect(await work('0', '--width', '3')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--width is not a flag of corpus work'),
    });
    expect(await run(['work', '--out', join(folder.path, 'none'), '--shard', '0'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('MANIFEST_MISSING'),
    });
  });
});

describe.skipIf(s3Program === undefined)('image-client corpus in a bucket', () => {
  it('gives the same shards as in a folder, once, and refuses what the bucket refuses', async () => {
    await using s3 = await startS3();
    await s3.createBucket('corpora');
    await plan(20);
    await work('0-1');
    const inFolder = await hashesIn(join(out, 'shards'));
    const there = ['--out', 's3://corpora/a/b'];
    // The SDK reads its credentials from the program's own environment.
    const at = (parameters: readonly string[]) =>
      corpusProgram(parameters, { IMAGE_PROCESSOR_URL: service.address, ...s3.environment });
    const planned = await at(['plan', list, ...there, '--rows-per-shard', '10', ...small]);
    expect(planned).toMatchObject({ code: 0 });
    const works = ['0', '0', '1'].map((shard) => at(['work', ...there, '--shard', shard]));
    for (const { code, stderr } of await Promise.all(works)) expect(code, stderr).toBe(0);
    for (const flags of [[], ['--counts-only']]) {
      const verified = await at(['verify', ...there, '--json', ...flags]);
      expect(verified).toMatchObject({ code: 0 });
      expect(JSON.parse(verified.stdout.toString())).toMatchObject({
        complete: true,
        missing: [],
        foreign: [],
      });
    }
    for (const [name, sha256] of Object.entries(inFolder)) {
      const object = await s3.client.send(
        new GetObjectCommand({ Bucket: 'corpora', Key: `a/b/shards/${name}` }),
      );
      expect(object.Metadata).toMatchObject({ sha256 });
    }
    const none = await at(['work', '--out', 's3://no-such-bucket/x', '--shard', '0']);
    expect(none).toMatchObject({ code: 5, stderr: expect.stringContaining('STORAGE_BUCKET_MISSING') });
    await s3.stop();
    const gone = await at(['work', ...there, '--shard', '0', '--patience', '1']);
    expect(gone).toMatchObject({ code: 4, stderr: expect.stringContaining('STORAGE_UNREACHABLE') });
  });

  it('is not planned on a server that ignores conditions', async () => {
    await using s3 = await startS3();
    await using proxy = await startFaultProxy(s3.endpoint);
    proxy.decide = ({ method }) => (method === 'PUT' ? 'condition ignored' : undefined);
    await s3.createBucket('corpora');
    await writeList(list, origin, 2);
    const parameters = ['plan', list, '--out', 's3://corpora/a', ...small];
    const environment = { ...s3.environment, S3_ENDPOINT: proxy.endpoint };
    const planned = await corpusProgram(parameters, { IMAGE_PROCESSOR_URL: service.address, ...environment });
    expect(planned).toMatchObject({ code: 5, stderr: expect.stringContaining('STORAGE_REPLACES') });
    const { Contents = [] } = await s3.client.send(new ListObjectsV2Command({ Bucket: 'corpora' }));
    expect(Contents.map(({ Key }) => Key)).toEqual([expect.stringMatching(/^a\/rows\//)]);
  });
});
