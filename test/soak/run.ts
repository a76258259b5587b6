import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { percentile, table } from '../faults/figures.ts';
import { failuresOf, type LoadRequest, reasonsOf, startLoad } from '../faults/load.ts';
import { photograph, pngBomb, thumbnail } from '../faults/pictures.ts';
import {
  connectionsTo,
  descriptorsOf,
  processTree,
  putSessionFirst,
  startMain,
} from '../faults/processes.ts';
import { heapFlags, openHeap } from '../heap/heap.ts';
import { startOrigin } from '../support/origin.ts';
import { startRedis } from '../support/redis.ts';
import { redisServer } from '../support/tools.ts';
import { judgeAtRest, judgeLive, mostBytesPerRequest } from './slope.ts';

/*
 * npm run soak -- [--minutes N]
 *
 * A load of everything through both services, in rounds, and what their processes hold between the rounds, when nothing is
 * under way. It fails where memory in use grows by more bytes a request than it may and by more than noise, where a process
 * at rest grows, or where descriptors do. The first third is not judged: caches fill, and V8 compiles.
 *
 * RSS under load is not judged. V8's young generation, malloc's free memory and compiled code move it by megabytes for minutes.
 */

// The workers run as SCHED_IDLE, and other work of the machine would starve them.
putSessionFirst();

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } });
const minutes = Number(values.minutes);
/** Of load and rest: 18 rounds at least, unless they get too short. */
const roundMs = Math.max(15_000, Math.min(60_000, (minutes * 60_000) / 18));
/** After five seconds of rest a worker gives its memory back. */
const restMs = 6500;
const inFlight = 8;
/** After the warm-up. */
const leastLooks = 8;

/** One look at a process. */
interface Look {
  /** That both services have had so far. */
  readonly requests: number;
  readonly rss: number;
  readonly descriptors: number;
  /** In use, without what the cache holds: of serving processes. */
  readonly objects?: number;
  readonly native?: number;
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
  await startMain(
    'processor',
    {
      WORKERS: '2',
      // Full long before the warming up is over.
      CACHE_MAX_BYTES: '20000000',
      URL_ALLOWED_HOSTS: '127.0.0.1',
      ...(redis && { REDIS_URL: redis.url }),
    },
    heapFlags,
  ),
);
const api = stack.use(await startMain('api', { PROCESSOR_URL: processor.url }, heapFlags));
const heaps = new Map([api, processor].map((service) => [service, openHeap(service)] as const));

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

const looks = new Map<string, Look[]>();
const started = performance.now();
const busy = { requests, pace: { inFlight } };
const load = await startLoad({ url: api.url, ...busy });
process.stderr.write(
  `${minutes} minutes in rounds of ${Math.round(roundMs / 1000)} s${redis ? '' : ', no redis-server here'}\n`,
);
while (performance.now() - started < minutes * 60_000) {
  await sleep(roundMs - restMs);
  await load.turnTo({ requests, pace: { inFlight: 0 } });
  await sleep(restMs);
  await lookAtAll();
  await load.turnTo(busy);
}
const result = await load.stop();

let isFlat = true;
const words = { grows: '**grows**', flat: 'flat', unknown: 'within noise' } as const;
const rows = [['process', 'what', 'at the end', 'bytes a request', 'grown after warm-up', '']];
for (const [name, all] of looks) {
  // A worker that was started later warms up later.
  const warm = all.slice(Math.ceil(all.length / 3));
  if (warm.length < leastLooks) {
    // A worker may have come late; a service is judged, or the run has failed.
    const isWorker = name.includes(' worker ');
    if (!isWorker) isFlat = false;
    rows.push([name, '', '', '', `${all.length} looks`, isWorker ? '' : '**not judged**']);
    continue;
  }
  const pointsOf = (figure: (look: Look) => number) =>
    warm.map((look) => [look.requests, figure(look)] as const);
  const add = (what: string, at: string, slope: string, grown: string, verdict: keyof typeof words) => {
    if (verdict === 'grows') isFlat = false;
    rows.push([name, what, at, slope, grown, words[verdict]]);
  };
  const last = warm.at(-1) as Look;
  for (const [what, key] of [
    ['objects', 'objects'],
    ['malloc, less the cache', 'native'],
  ] as const) {
    if (last[key] === undefined) continue;
    const { perRequest, noise, verdict } = judgeLive(pointsOf((look) => look[key] ?? Number.NaN));
    const grown = last[key] - (warm[0]?.[key] ?? Number.NaN);
    add(what, mib(last[key]), `${perRequest.toFixed(0)} ± ${noise.toFixed(0)}`, mib(grown), verdict);
  }
  const atRest = judgeAtRest(pointsOf(({ rss }) => rss));
  add('RSS at rest', mib(last.rss), '', mib(atRest.grown), atRest.verdict);
  const half = Math.floor(warm.length / 2);
  const [early = 0, late = 0] = [warm.slice(0, half), warm.slice(half)].map((part) =>
    percentile(
      part.map(({ descriptors }) => descriptors),
      0.5,
    ),
  );
  add('descriptors', String(late), '', String(late - early), late > early + 2 ? 'grows' : 'flat');
}
process.stdout.write(table(rows));
const unexpected = failuresOf(result).filter(
  ({ kind, status }) => !mayFail.has(kind) || status >= 500 || status === 0,
);
process.stdout.write(
  `\nEach process may keep ${mostBytesPerRequest} bytes of each request.\n${result.records.length} requests in ${minutes} minutes, ${unexpected.length} failed that should not have${unexpected.length === 0 ? '' : `: ${reasonsOf(unexpected)}`}.\n`,
);
const replaced = [...(await processor.metrics())].flatMap(([name, count]) => {
  const reason = /^image_processor_workers_replaced_total\{reason="(\w+)"\}$/.exec(name)?.[1];
  return reason === undefined || count === 0 ? [] : [`${count} ${reason}`];
});
process.stdout.write(`Workers replaced: ${replaced.length === 0 ? 'none' : replaced.join(', ')}.\n`);
process.exitCode = isFlat && unexpected.length === 0 ? 0 : 1;

/** Looks at each process of both services; workers are counted by their process ids, because they come and go. */
async function lookAtAll(): Promise<void> {
  const requests = await countRequests();
  for (const [service, heap] of heaps) {
    const { objects, native, rss } = await (await heap).live();
    const cached = (await service.metrics()).get('image_processor_cache_held_bytes{tier="memory"}') ?? 0;
    for (const { pid, command, rssBytes } of processTree(service.pid)) {
      const role = /worker-process\.ts (\w+)/.exec(command)?.[1];
      const isService = pid === service.pid;
      const descriptors = countDescriptors(pid) - (isService ? connectionsTo(service.port) : 0);
      const name = `image-${service.name}${role === undefined ? '' : ` ${role} worker ${pid}`}`;
      const list = looks.get(name) ?? [];
      looks.set(name, list);
      list.push({
        requests,
        descriptors,
        rss: isService ? rss : rssBytes,
        ...(isService && { objects, native: native - cached }),
      });
    }
  }
}

async function countRequests(): Promise<number> {
  let count = 0;
  for (const [name, value] of await api.metrics()) if (/^http_requests_total\b/.test(name)) count += value;
  return count;
}

/** 0 for one that has just ended. */
function countDescriptors(pid: number): number {
  try {
    return descriptorsOf(pid);
  } catch {
    return 0;
  }
}

function mib(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
