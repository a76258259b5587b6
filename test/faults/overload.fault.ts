import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { workMemory } from '../../src/processor/admission/work-memory.ts';
import { readProcessorConfig } from '../../src/processor/config.ts';
import { atLeast, atMost, exactly, type Figure, percentile, type Scenario, told } from './figures.ts';
import {
  type Load,
  type LoadRecord,
  type LoadRequest,
  type LoadResult,
  reasonsOf,
  slowestOf,
  startLoad,
} from './load.ts';
import { photograph, pngBomb, progressiveGiant } from './pictures.ts';
import { processTree, type ServiceProcess, startMain } from './processes.ts';
import { goodputOf, listed, measureSpan, type Span } from './spans.ts';

/** Memory that each service may have, as manifests/base has it for the API, and less than there for the processor, in bytes. */
const memoryLimits = { api: 1024 ** 3, processor: 1.5 * 1024 ** 3 };
const deadlineMs = 5000;
/** Of the peak and of the overload, in turn, so that the drift of the machine's speed is the same for both. */
const rounds = 7;
const peakMs = 2000;
const overloadMs = 3000;
/** From the beginning of a turn until it is measured, in milliseconds: the queue is full, or empty again. */
const settlesMs = 1000;
const warmUpMs = 2000;
/** For the code of refusals: more requests a second than the machine can do, and for how long, in milliseconds. */
const refusalsWarmUp = { perSecond: 300, lastsMs: 5000 };
const aloneMs = 2000;
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
    const hostile = await hostileRequests(picture);
    const memory = watchMemory([api, processor]);
    const load = await startLoad({
      url: api.url,
      requests: [good],
      pace: { inFlight: 4 },
      servers: [api.pid, processor.pid],
      health: [processor.url],
    });
    await sleep(warmUpMs);
    const course = await takeTurns(load, good, hostile);
    const result = await load.stop();
    const rss = memory.largest();
    const { peaks, overloads } = course;
    const { records } = result;

    const measured = records.filter(({ startedAt }) => startedAt >= (peaks[0]?.fromMs ?? 0));
    const of = (status: (status: number) => boolean) => measured.filter((record) => status(record.status));
    const refused = of((status) => status !== 200 && status !== 504 && status !== 0);
    const late = of((status) => status === 504);
    const broken = of((status) => status === 0 || status === 500);
    const admitted = of((status) => status === 200).map(durationOf);
    const refusals = refused.map(({ answeredAfter }) => answeredAfter);
    const alone = percentile(within(records, course.alone).map(durationOf), 0.5);
    return [
      told('peak goodput, 8 in flight, photographs of 2 megapixels', `${perSecond(records, peaks)} a second`),
      told(
        'sent',
        `three times the peak before it, ${overloads.length} times for ${(settlesMs + overloadMs) / 1000} s, ${hostile.length} kinds of hostile ones among them`,
      ),
      told('goodput', `${perSecond(records, overloads)} a second`),
      atLeast(
        `goodput / peak goodput, each by the cores that were left, median of ${overloads.length}`,
        percentile(shares(records, course), 0.5),
        0.9,
      ),
      told(
        'goodput / peak goodput of each',
        shares(records, course)
          .map((share) => share.toFixed(2))
          .join(', '),
      ),
      told(`cores used at the peak, of ${availableParallelism()}`, listed(peaks)),
      told(`cores used, of ${availableParallelism()}`, listed(overloads)),
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
        'slowest refusal, less waits that are not the services’',
        Math.max(...refused.map(({ answeredAfter, withoutCore }) => answeredAfter - withoutCore)),
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
      ...healthFigures(result),
      told('one request at a time takes', `${alone.toFixed(0)} ms before`),
      atMost(
        'until five in a row take no more than twice of that',
        settledAfter(within(records, course.calm), 2 * alone) - course.calm.fromMs,
        normalAgainMs,
        'ms',
      ),
    ];
  },
};

type Window = Pick<Span, 'fromMs' | 'toMs'>;

/** The parts of a load, in the order of their time. There is a peak before and after each overload. */
interface Course {
  readonly alone: Window;
  readonly peaks: readonly Span[];
  readonly overloads: readonly Span[];
  /** One request at a time, directly after the last overload. */
  readonly calm: Window;
}

async function takeTurns(load: Load, good: LoadRequest, hostile: readonly LoadRequest[]): Promise<Course> {
  const mixed = hostile.flatMap((enemy) => [...Array.from({ length: 19 }, () => good), enemy]);
  const peaks: Span[] = [];
  const overloads: Span[] = [];
  const oneByOne = async (lastsMs: number): Promise<Window> => {
    const { atMs: fromMs } = await load.turnTo({ requests: [good], pace: { inFlight: 1 } });
    await sleep(lastsMs);
    return { fromMs, toMs: fromMs + lastsMs };
  };
  const measured = async (fromMs: number, lastsMs: number): Promise<Span> => {
    await sleep(settlesMs);
    return await measureSpan(fromMs + settlesMs, lastsMs);
  };
  const peak = async () => {
    const begun = await load.turnTo({ requests: [good], pace: { inFlight: 8 } });
    peaks.push(await measured(begun.atMs, peakMs));
    return begun;
  };
  const alone = await oneByOne(aloneMs);
  await load.turnTo({ requests: mixed, pace: { perSecond: refusalsWarmUp.perSecond } });
  await sleep(refusalsWarmUp.lastsMs);
  for (let round = 0; round < rounds; round++) {
    const begun = await peak();
    const { atMs, good: responses } = await load.mark();
    const perSecond = ((responses - begun.good) / (atMs - begun.atMs)) * 1000;
    await load.turnTo({ requests: mixed, pace: { perSecond: 3 * perSecond } });
    overloads.push(await measured(atMs, overloadMs));
  }
  const calm = await oneByOne(normalAgainMs);
  await peak();
  return { alone, peaks, overloads, calm };
}

/** The goodput of each overload by that of the peaks before and after it, each by the cores that were left. */
function shares(records: readonly LoadRecord[], { peaks, overloads }: Course): readonly number[] {
  const perCore = (span: Span | undefined) =>
    span === undefined ? Number.NaN : goodputOf(records, span) / span.left;
  return overloads.map((span, at) => (2 * perCore(span)) / (perCore(peaks[at]) + perCore(peaks[at + 1])));
}

function perSecond(records: readonly LoadRecord[], spans: readonly Span[]): string {
  return spans.map((span) => goodputOf(records, span).toFixed(0)).join(', ');
}

function watchMemory(services: readonly ServiceProcess[]) {
  const largest = { api: 0, processor: 0 };
  const timer = setInterval(() => {
    for (const { name, pid } of services) {
      const bytes = processTree(pid).reduce((sum, { rssBytes }) => sum + rssBytes, 0);
      largest[name] = Math.max(largest[name], bytes);
    }
  }, 100);
  return {
    /** In bytes. Ends the watch. */
    largest() {
      clearInterval(timer);
      return largest;
    },
  };
}

function healthFigures({ health }: LoadResult): Figure[] {
  return Object.entries(health).flatMap(([name, checks]) => [
    told(`slowest ${name} of ${checks.length}`, `${Math.max(...checks.map(({ ms }) => ms)).toFixed(0)} ms`),
    atMost(`slowest ${name}, less waits that are not the services’`, slowestOf(checks), 100, 'ms'),
  ]);
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

/** Those that began in a part of the time. */
function within(records: readonly LoadRecord[], { fromMs, toMs }: Window): readonly LoadRecord[] {
  return records.filter(({ startedAt }) => startedAt >= fromMs && startedAt <= toMs);
}

/** When the first of five in a row began that took no longer than `limitMs`. */
function settledAfter(records: readonly LoadRecord[], limitMs: number): number {
  const first = records.find((_record, at) => {
    const five = records.slice(at, at + 5);
    return (
      five.length === 5 && five.every((record) => record.status === 200 && durationOf(record) <= limitMs)
    );
  });
  return first?.endedAt ?? Number.POSITIVE_INFINITY;
}
