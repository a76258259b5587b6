import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { corpus, hashesIn, startNumberedOrigin, temporaryFolder, writeList } from '../support/corpus.ts';
import { sends, startOrigin } from '../support/origin.ts';
import { encoded, gradient } from '../support/pictures.ts';
import { type Service, startService } from '../support/service.ts';
import { canMount, mountSmallDisk } from '../support/small-disk.ts';

/* The limits of a worker: the disk that it spills to, and the time of a row. */

let service: Service;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let out: string;
let list: string;

beforeAll(async () => {
  service = await startService({ processor: { URL_ALLOWED_HOSTS: '127.0.0.1' } });
});
afterAll(() => service?.stop());
beforeEach(async () => {
  folder = await temporaryFolder();
  out = join(folder.path, 'out');
  list = join(folder.path, 'list.csv');
});
afterEach(() => folder[Symbol.asyncDispose]());

const run = (...words: string[]) => corpus(words, { IMAGE_PROCESSOR_URL: service.address });
const work = (...flags: string[]) => run('work', '--out', out, '--shard', '0', ...flags);

async function plan(...flags: string[]): Promise<void> {
  const planned = await run('plan', list, '--out', out, '--width', '64', '--height', '64', ...flags);
  expect(planned.code, planned.stderr).toBe(0);
}

const listed = async (name: string) => await readdir(join(out, name)).catch(() => []);

async function linesIn(name: string): Promise<Record<string, unknown>[]> {
  const texts = (await listed(name)).map((each) => readFile(join(out, name, each), 'utf8'));
  const lines = (await Promise.all(texts)).join('').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}

describe.skipIf(!canMount)('a full spill folder', () => {
  // Twenty tensors of 64 × 64 float32 take 328 KB, and the shard as much again.
  it.each([
    ['responses', '100k'],
    ['the shard', '500k'],
  ])('ends a worker with 6 without room for %s, and the shard is made when there is', async (_, size) => {
    await using origin = await startNumberedOrigin();
    await writeList(list, origin, 22);
    await plan('--format', 'npy');
    const spill = join(folder.path, 'spill');
    using disk = mountSmallDisk(spill, size);
    const full = await work('--spill', spill);
    expect(full).toMatchObject({
      code: 6,
      stderr: expect.stringContaining(
        `SPILL_FULL: The spill folder "${spill}" is full; a shard needs twice its bytes there. --spill names another folder, --rows-per-shard of plan makes smaller shards.`,
      ),
    });
    expect([...(await listed('shards')), ...(await listed('index')), ...(await readdir(spill))]).toEqual([]);
    expect(await linesIn('log')).toContainEqual(expect.objectContaining({ shard: 0, state: 'failed' }));
    disk.resize('2m');
    expect(await work('--spill', spill)).toMatchObject({ code: 0 });
    const made = await hashesIn(join(out, 'shards'));
    const elsewhere = join(folder.path, 'elsewhere');
    await run('plan', list, '--out', elsewhere, '--width', '64', '--height', '64', '--format', 'npy');
    expect(await run('work', '--out', elsewhere, '--shard', '0')).toMatchObject({ code: 0 });
    expect(made).toEqual(await hashesIn(join(elsewhere, 'shards')));
  });
});

describe('--row-timeout', () => {
  it('ends a try at a row, which is sent again and fails as retryable if it lasts', async () => {
    const picture = await encoded(gradient(20, 15), 'jpeg');
    let hangs = true;
    await using origin = await startOrigin((request, response) => {
      if (request.url === '/fast' || !hangs) sends(picture)(request, response);
    });
    await writeFile(list, `url\n${origin.url('/fast')}\n${origin.url('/hangs')}\n`);
    await plan();
    const timed = await work('--row-timeout', '1', '--tries', '2');
    expect(timed, timed.stderr).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('1 DEADLINE_EXCEEDED'),
    });
    expect(await linesIn('index')).toMatchObject([
      { outcome: 'stored' },
      { outcome: 'failed', reason: 'DEADLINE_EXCEEDED', retryable: true, details: { limit: '1000' } },
    ]);
    const message = 'The image had no response within 1 s.';
    const tries = (await linesIn('log')).filter(({ row }) => row === 1);
    expect(tries).toMatchObject([
      { event: 'retried', reason: 'DEADLINE_EXCEEDED', message },
      { event: 'failed', reason: 'DEADLINE_EXCEEDED', message },
    ]);
    // The second try is a request of its own, not the wait for the first one's.
    expect(origin.requests.filter(({ path }) => path === '/hangs')).toHaveLength(2);
    hangs = false;
    expect(await work('--retry-failed', '--json')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"state":"replaced","stored":2'),
    });
  });
});
