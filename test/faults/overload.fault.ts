import { availableParallelism } from 'node:os';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { workMemory } from '../../src/processor/admission/work-memory.ts';
import { readProcessorConfig } from '../../src/processor/config.ts';
import { atLeast, atMost, exactly, type Figure, percentile, type Scenario, told } from './figures.ts';
import { type LoadRecord, type LoadRequest, type LoadResult, loadFor, reasonsOf, startLoad } from './load.ts';
import { photograph, pngBomb, progressiveGiant } from './pictures.ts';
import { busySeconds, coresUsed, processTree, startMain } from './processes.ts';

/** Memory that each service may have, as manifests/base has it for the API, and less than there for the processor, in bytes. */
const memoryLimits = { api: 1024 ** 3, processor: 1.5 * 1024 ** 3 };
const deadlineMs = 5000;
const peakMs = 5000;
const overloadMs = 12_000;
/** From the beginning of the overload until the queue is full and measured, in milliseconds. */
const fillsMs = 2000;
const normalAgainMs = 5000;

const processorEnvironment = {
  WORKERS: '2',
  MAX_QUEUE: '32',
  MAX_QUEUE_BYTES: '67108864',
  CACHE_MAX_BYTES: '33554432',
  MAX_DOWNLOADS: '4',
};

/** Three times the load that the machine can do, one in twenty of them hostile. */
export const overload: Scenario = {
  name: 'overload',
  async run() {
    await using stack = new AsyncDisposableStack();
    const workBytes = workMemory(readProcessorConfig(processorEnvironment), memoryLimits.processor);
    const processor = stack.use(
      await startMain('processor', { ...processorEnvironment, MAX_WORK_BYTES: String(workBytes) }),
    );
    const api = stack.use(
      await startMain('api', {
        PROCESSOR_URL: processor.url,
        REQUEST_TIMEOUT_MS: String(deadlineMs),
        MAX_CALLS_PER_PROCESSOR: '12',
      }),
    );
    const picture = await photograph();
    const good: LoadRequest = { kind: 'photograph', path: '/v1/images', body: picture, isFresh: true };
    const { url } = api;

    await loadFor(2000, { url, requests: [good], pace: { inFlight: 4 } });
    const alone = medianMs(await loadFor(2000, { url, requests: [good], pace: { inFlight: 1 } }));
    const findPeak = () => peakOf({ url, requests: [good], pace: { inFlight: 8 } });
    const [peak, peakCores] = await findPeak();

    const rss = { api: 0, processor: 0 };
    const sampler = setInterval(() => {
      for (const service of [api, processor]) {
        const bytes = processTree(service.pid).reduce((sum, { rssBytes }) => sum + rssBytes, 0);
        rss[service.name] = Math.max(rss[service.name], bytes);
      }
    }, 100);
    const hostile = await hostileRequests(picture);
    const perTwenty = (enemy: LoadRequest): LoadRequest[] => [
      ...Array.from({ length: 19 }, () => good),
      enemy,
    ];
    const load = await startLoad({
      url,
      requests: hostile.flatMap(perTwenty),
      pace: { perSecond: 3 * peak },
      servers: [api.pid, processor.pid],
      health: [processor.url],
    });
    await sleep(fillsMs);
    const before = processTree(process.pid);
    const busyBefore = busySeconds();
    await sleep(overloadMs - fillsMs);
    const seconds = (overloadMs - fillsMs) / 1000;
    const cores = coresUsed(before, processTree(process.pid), seconds);
    const busyCores = (busySeconds() - busyBefore) / seconds;
    const result = await load.stop();
    const calm = await loadFor(normalAgainMs, { url, requests: [good], pace: { inFlight: 1 } });
    clearInterval(sampler);
    // The machine's speed drifts.
    const [peakAfter, peakCoresAfter] = await findPeak();
    const peakOfBoth = (peak / leftBySender(peakCores) + peakAfter / leftBySender(peakCoresAfter)) / 2;

    const of = (status: (status: number) => boolean) =>
      result.records.filter((record) => status(record.status));
    const refused = of((status) => status !== 200 && status !== 504 && status !== 0);
    const late = of((status) => status === 504);
    const broken = of((status) => status === 0 || status === 500);
    const admitted = of((status) => status === 200).map(durationOf);
    const refusals = refused.map(({ answeredAfter }) => answeredAfter);
    // Threads that are ready wait behind the sender here, and behind each other, also while a core has nothing to do.
    const refusalsByThemselves = refused.map(({ answeredAfter, withoutCore }) => answeredAfter - withoutCore);
    const health = Object.entries(result.health).map(
      ([name, checks]): Figure =>
        atMost(`slowest ${name} of ${checks.length}`, Math.max(...checks.map(({ ms }) => ms)), 100, 'ms'),
    );
    return [
      told(
        'peak goodput, 8 in flight, photographs of 2 megapixels',
        `${peak.toFixed(1)} a second before, ${peakAfter.toFixed(1)} after`,
      ),
      told(
        'sent',
        `${(3 * peak).toFixed(1)} a second for ${overloadMs / 1000} s, ${hostile.length} kinds of hostile ones among them`,
      ),
      atLeast(
        'goodput / peak goodput, each by the cores that the sender left',
        goodput(result, fillsMs) / leftBySender(cores) / peakOfBoth,
        0.9,
      ),
      told('goodput', `${goodput(result, fillsMs).toFixed(1)} a second`),
      told(
        `cores used, of ${availableParallelism()}`,
        `${listed(cores)}; at the peak ${listed(peakCores)}; by the whole machine ${busyCores.toFixed(2)}`,
      ),
      told('refused', reasonsOf(refused)),
      ...[...new Set(refused.map(({ reason }) => reason))].map((reason) => {
        const times = refused
          .filter((record) => record.reason === reason)
          .map((record) => record.answeredAfter);
        const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)];
        return told(
          `${reason}, last byte sent to first byte back`,
          `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)} ms`,
        );
      }),
      atMost('p99 of the refusals', percentile(refusals, 0.99), 50, 'ms'),
      told('slowest refusal', `${Math.max(...refusals).toFixed(0)} ms`),
      atMost(
        'slowest refusal, less what a service stood ready without a core',
        Math.max(...refusalsByThemselves),
        50,
        'ms',
      ),
      atMost('p99 of the admitted', percentile(admitted, 0.99), deadlineMs, 'ms'),
      exactly('admitted, and too late', late.length, 0),
      exactly('broken connections and 500', broken.length === 0 ? 0 : reasonsOf(broken), 0),
      atMost(
        'RSS of image-processor and its workers',
        rss.processor / 1024 ** 2,
        memoryLimits.processor / 1024 ** 2,
        'MiB',
      ),
      atMost('RSS of image-api', rss.api / 1024 ** 2, memoryLimits.api / 1024 ** 2, 'MiB'),
      ...health,
      told('one request at a time takes', `${alone.toFixed(0)} ms before`),
      atMost(
        'until five in a row take no more than twice of that',
        settledAfter(calm, 2 * alone),
        normalAgainMs,
        'ms',
      ),
    ];
  },
};

/** Right responses a second, and the cores that were used for them. */
async function peakOf(options: Parameters<typeof startLoad>[0]) {
  const load = await startLoad(options);
  const before = processTree(process.pid);
  await sleep(peakMs);
  const cores = coresUsed(before, processTree(process.pid), peakMs / 1000);
  return [goodput(await load.stop(), 0), cores] as const;
}

/** The sender has cores of this machine, too, and three times the load is three times its work. */
function leftBySender(cores: ReadonlyMap<string, number>): number {
  return availableParallelism() - (cores.get('the sender') ?? 0);
}

function listed(cores: ReadonlyMap<string, number>): string {
  return Array.from(cores, ([role, used]) => `${role} ${used.toFixed(2)}`).join(', ');
}

/** The hostile requests, one in twenty, in turn. */
async function hostileRequests(picture: Uint8Array): Promise<readonly LoadRequest[]> {
  const path = '/v1/images';
  return [
    { kind: 'PNG of 900 megapixels', path, body: pngBomb(30_000, 30_000), isFresh: true },
    { kind: 'upload of 1 KB/s', path, body: picture, manner: 'slowly' },
    {
      kind: 'progressive JPEG of 81 megapixels',
      path,
      body: await progressiveGiant(9000, 9000),
      isFresh: true,
    },
    { kind: 'caller who leaves', path, body: picture, isFresh: true, manner: 'leaves' },
    {
      kind: 'progressive JPEG of 4 gigapixels',
      path,
      body: await progressiveGiant(65_500, 65_500),
      isFresh: true,
    },
    { kind: 'caller who leaves', path, body: picture, isFresh: true, manner: 'leaves' },
  ];
}

const durationOf = ({ startedAt, endedAt }: LoadRecord): number => endedAt - startedAt;

function medianMs({ records }: LoadResult): number {
  return percentile(records.map(durationOf), 0.5);
}

/** Right responses a second, from `fromMs` to the load's end. */
function goodput({ records, durationMs }: LoadResult, fromMs: number): number {
  const counted = records.filter(
    ({ status, endedAt }) => status === 200 && endedAt >= fromMs && endedAt <= durationMs,
  );
  return (counted.length / (durationMs - fromMs)) * 1000;
}

/** When the first of five in a row began that took no longer than `limitMs`. */
function settledAfter({ records }: LoadResult, limitMs: number): number {
  const first = records.find((_record, at) => {
    const five = records.slice(at, at + 5);
    return (
      five.length === 5 && five.every((record) => record.status === 200 && durationOf(record) <= limitMs)
    );
  });
  return first?.endedAt ?? Number.POSITIVE_INFINITY;
}
