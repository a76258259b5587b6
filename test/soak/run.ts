import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { percentile, table } from '../faults/figures.ts';
import { failuresOf, type LoadRequest, type LoadResult, reasonsOf, startLoad } from '../faults/load.ts';
import { photograph, pngBomb, thumbnail } from '../faults/pictures.ts';
import {
  connectionsTo,
  descriptorsOf,
  processTree,
  putSessionFirst,
  type ServiceProcess,
  startMain,
} from '../faults/processes.ts';
import { startOrigin } from '../support/origin.ts';
import { startRedis } from '../support/redis.ts';
import { redisServer } from '../support/tools.ts';
import { blockMedians, judge, leastSquares, mostBytesPerRequest } from './slope.ts';

/*
 * npm run soak -- [--minutes N]
 *
 * A load of everything through both services, and what their processes hold, each second. It fails where memory grows by
 * more bytes a request than it may and by more than noise, or where descriptors do, under a steady load. Before that comes a third of the time, five minutes at
 * most, at full speed: V8 takes memory for its young generation until that has seen the most that it gets to see, which
 * at the steady pace takes five minutes.
 */

// The workers run as SCHED_IDLE, and other work of the machine would starve them.
putSessionFirst();

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } });
const minutes = Number(values.minutes);
const warmUpSeconds = Math.round(Math.min(300, (minutes * 60) / 3));
const perSecond = 20;
/** Blocks whose medians are looked at: as many as make samples independent of each other. */
const blocks = 20;

interface Sample {
  readonly second: number;
  readonly rss: number;
  readonly descriptors: number;
  /** That are added up here. */
  readonly processes: number;
}

await using stack = new AsyncDisposableStack();
const redis =
  redisServer === undefined
    ? undefined
    : stack.use(
        await startRedis({ parameters: ['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru'] }),
      );
const picture = await photograph();
const origin = stack.use(
  await startOrigin(
    (_request, response) =>
      void response
        .writeHead(200, { 'content-length': picture.length, 'cache-control': 'max-age=1' })
        .end(picture),
  ),
);
const processor = stack.use(
  await startMain('processor', {
    WORKERS: '2',
    // Full long before the warming up is over.
    CACHE_MAX_BYTES: '20000000',
    URL_ALLOWED_HOSTS: '127.0.0.1',
    ...(redis && { REDIS_URL: redis.url }),
  }),
);
const api = stack.use(await startMain('api', { PROCESSOR_URL: processor.url }));

const body = await thumbnail();
const sized = '/v1/images?width=224&height=224';
const requests: readonly LoadRequest[] = [
  { kind: 'fresh', path: '/v1/images', body: picture, isFresh: true },
  { kind: 'fast', path: `${sized}&numerics=fast`, body: picture, isFresh: true },
  { kind: 'tensor', path: `${sized}&format=npy`, body: picture, isFresh: true },
  { kind: 'known', path: sized, body },
  { kind: 'small', path: `${sized}&format=png`, body, isFresh: true },
  { kind: 'preset', path: '/v1/images?preset=clip-vit-base-patch32', body, isFresh: true },
  { kind: 'url', path: `${sized}&url=${encodeURIComponent(origin.url('/a.jpg'))}` },
  {
    kind: 'form',
    path: '/v1/images',
    body: Buffer.from('url=file:///x'),
    contentType: 'application/x-www-form-urlencoded',
  },
  { kind: 'bomb', path: sized, body: pngBomb(20_000, 20_000), isFresh: true },
  { kind: 'broken', path: sized, body: picture.subarray(0, 5000), isFresh: true },
  { kind: 'leaves', path: sized, body: picture, isFresh: true, manner: 'leaves' },
  { kind: 'known', path: sized, body },
];
const mayFail = new Set(['form', 'bomb', 'broken']);

const samples = new Map<string, Sample[]>();
const lags: number[] = [];
const results: LoadResult[] = [];
let load = await startLoad({ url: api.url, requests, pace: { inFlight: 8 } });
const start = performance.now();
process.stderr.write(
  `${minutes} minutes, the first ${warmUpSeconds} s at full speed, then ${perSecond} requests a second${redis ? '' : ', no redis-server here'}\n`,
);
for (let second = 0; second < minutes * 60; second++) {
  await sleep(Math.max(0, start + second * 1000 - performance.now()));
  if (second === warmUpSeconds) {
    results.push(await load.stop());
    load = await startLoad({ url: api.url, requests, pace: { perSecond } });
  }
  for (const service of [api, processor]) look(service, second);
  if (second % 10 === 0) lags.push(await lagOf(api), await lagOf(processor));
}
results.push(await load.stop());

const steady = results.at(-1) as LoadResult;
const requestsPerSecond = steady.records.length / (steady.durationMs / 1000);
const head = [
  'process',
  'RSS at the end',
  'slope',
  'noise',
  'bytes a request',
  'grown after warm-up',
  'descriptors',
  '',
];
const rows = [head];
const words = { flat: 'flat', unknown: 'within noise' } as const;
let isFlat = true;
for (const [name, all] of samples) {
  // A worker that was started later warms up later.
  const warm = all.filter(({ second }) => second >= (all[0]?.second ?? 0) + warmUpSeconds);
  if (warm.length < blocks) {
    rows.push([name, '', '', '', '', `lived ${all.length} s`, '', '']);
    continue;
  }
  const rss = blockMedians(
    warm.map(({ second, rss }) => [second, rss]),
    blocks,
  );
  const { perSecond: slope, noise } = leastSquares(rss);
  const last = rss.at(-1)?.[1] ?? Number.NaN;
  const seconds = (warm.at(-1)?.second ?? 0) - (warm[0]?.second ?? 0);
  const processes = warm[0]?.processes ?? 1;
  const verdict = judge({ perSecond: slope, noise, requestsPerSecond, seconds, processes });
  const half = Math.floor(warm.length / 2);
  const [early, late] = [warm.slice(0, half), warm.slice(half)].map((part) =>
    percentile(
      part.map(({ descriptors }) => descriptors),
      0.5,
    ),
  );
  const moreDescriptors = (late ?? 0) > (early ?? 0) + 2;
  if (verdict === 'grows' || moreDescriptors) isFlat = false;
  rows.push([
    name,
    `${mib(last).toFixed(0)} MiB`,
    `${(mib(slope) * 3600).toFixed(1)} MiB/h`,
    `± ${(mib(noise) * 3600).toFixed(1)}`,
    `${(slope / requestsPerSecond).toFixed(0)} ± ${(noise / requestsPerSecond).toFixed(0)}`,
    `${(mib(slope) * seconds).toFixed(1)} MiB in ${Math.round(seconds)} s`,
    `${early} → ${late}`,
    verdict === 'grows' ? '**memory grows**' : moreDescriptors ? '**descriptors grow**' : words[verdict],
  ]);
}
process.stdout.write(table(rows));
process.stdout.write(
  `\n${requestsPerSecond.toFixed(1)} requests a second; each process may keep ${mostBytesPerRequest} bytes of each.`,
);
const unexpected = results
  .flatMap(failuresOf)
  .filter(({ kind, status }) => !mayFail.has(kind) || status >= 500 || status === 0);
process.stdout.write(
  `\n${results.reduce((sum, { records }) => sum + records.length, 0)} requests in ${minutes} minutes, ${unexpected.length} failed that should not have${unexpected.length === 0 ? '' : `: ${reasonsOf(unexpected)}`}. Event-loop delay p99, the worst of ${lags.length} looks: ${Math.max(...lags).toFixed(0)} ms.\n`,
);
const replaced = [...(await processor.metrics())].flatMap(([name, count]) => {
  const reason = /^image_processor_workers_replaced_total\{reason="(\w+)"\}$/.exec(name)?.[1];
  return reason === undefined || count === 0 ? [] : [`${count} ${reason}`];
});
process.stdout.write(`Workers replaced: ${replaced.length === 0 ? 'none' : replaced.join(', ')}.\n`);
process.exitCode = isFlat && unexpected.length === 0 ? 0 : 1;

/** Worker processes come and go: they are counted by their process ids, and all of a service together. */
function look({ name, pid, port }: ServiceProcess, second: number): void {
  const tree = processTree(pid);
  const add = (key: string, rss: number, descriptors: number, processes = 1): void => {
    const list = samples.get(key) ?? [];
    samples.set(key, list);
    list.push({ second, rss, descriptors, processes });
  };
  const total = { rss: 0, descriptors: 0 };
  for (const { pid: one, command, rssBytes } of tree) {
    const role = /worker-process\.ts (\w+)/.exec(command)?.[1];
    // The load opens more connections while responses are slow, and keeps them.
    const descriptors = countDescriptors(one) - (one === pid ? connectionsTo(port) : 0);
    add(`image-${name}${role === undefined ? '' : ` ${role} worker ${one}`}`, rssBytes, descriptors);
    total.rss += rssBytes;
    total.descriptors += descriptors;
  }
  if (tree.length > 1) add(`image-${name} and its workers`, total.rss, total.descriptors, tree.length);
}

/** 0 for one that has just ended. */
function countDescriptors(pid: number): number {
  try {
    return descriptorsOf(pid);
  } catch {
    return 0;
  }
}

/** In milliseconds. */
async function lagOf(service: ServiceProcess): Promise<number> {
  return ((await service.metrics()).get('nodejs_eventloop_lag_p99_seconds') ?? Number.NaN) * 1000;
}

function mib(bytes: number): number {
  return bytes / 1024 ** 2;
}
