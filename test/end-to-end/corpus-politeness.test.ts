import { readdir, readFile, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { corpus, temporaryFolder } from '../support/corpus.ts';
import { type Origin, routes, sends, startOrigin } from '../support/origin.ts';
import { encoded, gradient } from '../support/pictures.ts';
import { type Service, startService } from '../support/service.ts';

/* How a corpus treats the origins of its images, and images that occur several times. */

let service: Service;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let photo: Uint8Array;
let other: Uint8Array;

beforeAll(async () => {
  service = await startService({ processor: { URL_ALLOWED_HOSTS: '127.0.0.1' } });
  photo = await encoded(gradient(20, 15), 'jpeg');
  other = await encoded(gradient(31, 15), 'jpeg');
});
afterAll(() => service?.stop());
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const run = (...words: string[]) => corpus(words, { IMAGE_PROCESSOR_URL: service.address });
const out = () => join(folder.path, 'out');

/** Plans paths of an origin, and makes all shards. */
async function make(
  origin: Origin,
  paths: readonly string[],
  planFlags: string[] = [],
  workFlags: string[] = [],
) {
  const list = join(folder.path, 'list.txt');
  await writeFile(list, paths.map((path) => `${origin.url(path)}\n`).join(''));
  const plan = await run('plan', list, '--out', out(), '--width', '8', '--height', '8', ...planFlags);
  expect(plan.code, plan.stderr).toBe(0);
  const work = await run('work', '--out', out(), '--shard', '0', ...workFlags);
  expect(work.code, work.stderr).toBe(0);
  return { plan, work };
}

/** The outcome of each row of the only shard: its reason, or `stored`. */
async function outcomes(): Promise<string[]> {
  return (await indexLines()).map(({ outcome, reason }) => String(reason ?? outcome));
}

async function indexLines(): Promise<Record<string, unknown>[]> {
  const [name = ''] = await readdir(join(out(), 'index'));
  const text = await readFile(join(out(), 'index', name), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('opt-outs', () => {
  const optOuts = () =>
    startOrigin(
      routes({
        '/all': sends(photo, { 'x-robots-tag': 'noai' }),
        '/other': sends(photo, { 'x-robots-tag': 'otherbot: noimageai' }),
        '/none': sends(photo),
      }),
    );

  it('are honoured by default, and the row is listed with its reason', async () => {
    await using origin = await optOuts();
    await make(origin, ['/all', '/other', '/none']);
    expect(await outcomes()).toEqual(['SOURCE_OPTED_OUT', 'stored', 'stored']);
  });

  it('are ignored with --ignore-opt-outs, which makes another job', async () => {
    await using origin = await optOuts();
    await make(origin, ['/all', '/none'], ['--ignore-opt-outs']);
    expect(await outcomes()).toEqual(['stored', 'stored']);
    const again = await run(
      'plan',
      join(folder.path, 'list.txt'),
      '--out',
      out(),
      '--width',
      '8',
      '--height',
      '8',
    );
    expect(again).toMatchObject({ code: 7, stderr: expect.stringContaining('PLAN_EXISTS') });
  });
});

describe('one host', () => {
  it('gets no more requests at once than --per-host', async () => {
    // Each response waits until three requests do, and a little longer for a fourth.
    let waiting: (() => void)[] = [];
    let most = 0;
    const slow: RequestListener = (request, response) => {
      waiting.push(() => sends(photo)(request, response));
      most = Math.max(most, waiting.length);
      if (waiting.length < 3) return;
      void sleep(50).then(() => {
        for (const respond of waiting) respond();
        waiting = [];
      });
    };
    await using origin = await startOrigin(slow);
    await make(
      origin,
      Array.from({ length: 12 }, (_, row) => `/${row}`),
      [],
      ['--per-host', '3'],
    );
    expect(await outcomes()).toEqual(Array.from({ length: 12 }, () => 'stored'));
    expect(most).toBe(3);
  });

  it('is asked again after its Retry-After, and the row is stored', async () => {
    const refusedAtMs: number[] = [];
    let servedAtMs = 0;
    await using origin = await startOrigin((request, response) => {
      if (refusedAtMs.length < 2) {
        refusedAtMs.push(performance.now());
        response.writeHead(429, { 'retry-after': '1' }).end();
        return;
      }
      servedAtMs ||= performance.now();
      sends(photo)(request, response);
    });
    await make(origin, ['/a', '/b'], [], ['--per-host', '1', '--tries', '1']);
    expect(await outcomes()).toEqual(['stored', 'stored']);
    expect(servedAtMs - (refusedAtMs[1] ?? 0)).toBeGreaterThanOrEqual(990);
  });
});

describe('images that occur several times', () => {
  const twins = () => startOrigin(sends(photo));

  it('are stored once in a shard with --deduplicate, and the others name the row that was kept', async () => {
    await using origin = await twins();
    const { work } = await make(origin, ['/1', '/2', '/3'], ['--deduplicate']);
    expect(await indexLines()).toMatchObject([
      { outcome: 'stored', sample: 0 },
      { reason: 'SOURCE_REPEATED', retryable: false, details: { kept_row: '0' } },
      { reason: 'SOURCE_REPEATED', retryable: false, details: { kept_row: '0' } },
    ]);
    expect(work.stderr).toContain('1 stored, 2 failed');
    expect(work.stderr).toContain('2 SOURCE_REPEATED');
  });

  it.each(['webdataset', 'parquet', 'safetensors', 'npy'])(
    'are stored once as tensors in a shard of %s',
    async (format) => {
      await using origin = await startOrigin(
        routes({ '/1': sends(photo), '/2': sends(photo), '/3': sends(other), '/4': sends(photo) }),
      );
      await make(
        origin,
        ['/1', '/2', '/3', '/4'],
        ['--deduplicate', '--format', 'npy', '--shard-format', format],
      );
      expect(await indexLines()).toMatchObject([
        { outcome: 'stored', sample: 0 },
        { reason: 'SOURCE_REPEATED', details: { kept_row: '0' } },
        { outcome: 'stored', sample: 1 },
        { reason: 'SOURCE_REPEATED', details: { kept_row: '0' } },
      ]);
      const [name = ''] = await readdir(join(out(), 'shards'));
      const shard = await readFile(join(out(), 'shards', name), 'latin1');
      const times = async (path: string) => shard.split(await valuesOf(origin.url(path))).length - 1;
      expect([await times('/1'), await times('/3')]).toEqual([1, 1]);
    },
  );

  it('are stored each by default, and counted over all shards by verify --duplicates', async () => {
    await using origin = await twins();
    await make(origin, ['/1', '/2', '/3'], ['--rows-per-shard', '2']);
    expect(await run('work', '--out', out(), '--shard', '1')).toMatchObject({ code: 0 });
    const verified = await run('verify', '--out', out(), '--json', '--duplicates');
    expect(JSON.parse(verified.stdout.toString())).toMatchObject({ rows: { stored: 3 }, duplicates: 2 });
  });
});

/** The values of the tensor that the service makes of a URL, a character for each byte. */
async function valuesOf(url: string): Promise<string> {
  const query = new URLSearchParams({ url, width: '8', height: '8', format: 'npy' });
  const npy = Buffer.from(await (await fetch(`${service.url}/v1/images?${query}`)).bytes());
  return npy.subarray(10 + npy.readUInt16LE(8)).toString('latin1');
}

describe('a plan', () => {
  it('names the first row of each problem, and columns that it leaves out', async () => {
    await using origin = await twinsOf(photo);
    const { plan } = await make(origin, ['/1']);
    expect(plan.stderr).toBe('');
    const list = join(folder.path, 'bad.csv');
    await writeFile(
      list,
      `id,url\na,${origin.url('/1')}\n../b,${origin.url('/2')}\na,${origin.url('/3')}\nc,\n`,
    );
    const bad = await run('plan', list, '--out', join(folder.path, 'bad'), '--id-column', 'id');
    expect(bad.code, bad.stderr).toBe(0);
    expect(bad.stderr).toContain('ID_REPEATED: Row 2 has the id of row 0.');
    expect(bad.stderr).toContain('SOURCE_MISSING: Row 3 has no URL.');
    expect(bad.stderr).toMatch(/ID_FORBIDDEN: The id of row 1 leaves the corpus/);
  });
});

const twinsOf = (content: Uint8Array) => startOrigin(sends(content));

describe('metrics of a worker', () => {
  it('count rows by reason while it works', async () => {
    const held = Promise.withResolvers<void>();
    await using origin = await startOrigin((request, response) => {
      if (request.url === '/missing') response.writeHead(404).end();
      else if (request.url === '/held') void held.promise.then(() => sends(photo)(request, response));
      else sends(photo)(request, response);
    });
    // Free a moment ago.
    const { port } = await twinsOf(photo).then(async (closed) => {
      await closed[Symbol.asyncDispose]();
      return closed;
    });
    const working = make(origin, ['/1', '/missing', '/held'], [], ['--metrics-port', String(port)]);
    const expected = [
      'image_corpus_rows_total{outcome="stored",reason=""} 1',
      'image_corpus_rows_total{outcome="failed",reason="ORIGIN_STATUS"} 1',
      'image_corpus_rows_left 1',
      'image_corpus_shard 0',
    ];
    await expect
      .poll(() => metricsAt(port).then((text) => expected.filter((line) => !text.includes(line))), {
        timeout: 20_000,
      })
      .toEqual([]);
    held.resolve();
    await working;
  }, 40_000);

  it('end the worker at once for a port that is taken', async () => {
    await using origin = await twinsOf(photo);
    await make(origin, ['/1']);
    const taken = await run('work', '--out', out(), '--shard', '0', '--metrics-port', String(origin.port));
    expect(taken).toMatchObject({ code: 2, stderr: expect.stringContaining('PORT_UNUSABLE') });
  });
});

async function metricsAt(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
  return (await response?.text()) ?? '';
}
