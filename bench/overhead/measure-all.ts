import process from 'node:process';
import { median, percentile } from '../measure.ts';
import { codecAlone, decodeTimes } from './codec-alone.ts';
import {
  type Contender,
  type Library,
  type Ours,
  startImgproxy,
  startLibrary,
  startOurs,
} from './contenders.ts';
import { closeSender, costOfWork, type Result, resultOf } from './measure-work.ts';
import { type Started, startAndRest } from './resting.ts';
import { startStreams } from './streams.ts';
import { type Expected, expectedOf, type WorkName, works } from './works.ts';

/** The figures of a contender's rounds of a work. */
export interface Figures {
  readonly first: Result;
  /** Several requests at the same time. */
  readonly cpuMs: number[];
  readonly perSecond: number[];
  /** One request at a time, for the works that have a goal for it. */
  readonly p50Ms: number[];
  /** p99 by p50, one at a time. */
  readonly tail: number[];
}

export interface Measured {
  readonly rounds: number;
  readonly starts: readonly Started[];
  /** By contender: its name. */
  readonly works: Readonly<Record<WorkName, ReadonlyMap<string, Figures>>>;
  /** CPU ms. */
  readonly codecs: Readonly<Record<WorkName, number>>;
  /** CPU ms of decoding the large photograph, by each library. */
  readonly decoding: ReturnType<typeof decodeTimes>;
  /** Images/s of each way. */
  readonly streams: ReadonlyMap<string, readonly number[]>;
  /** Rivals that are not installed. */
  readonly missing: readonly string[];
}

/** Works of which requests are sent one at a time too, and how many in every second round. */
const alone: Readonly<Partial<Record<WorkName, number>>> = { smallClip: 150, largeClip: 100 };
/** Rivals that no goal for time names. A quick run measures only the lengths of their responses. */
const slowRivals: readonly string[] = ['Pillow'];
const names = Object.keys(works) as WorkName[];
/** After so many requests V8 has compiled what it will. */
const warmUps = 600;

export async function measureAll({
  quick,
  python,
  imgproxy,
}: {
  readonly quick: boolean;
  readonly python: string;
  readonly imgproxy: string;
}): Promise<Measured> {
  const rounds = quick ? 5 : 9;
  const starts = await measureStarts(quick ? 2 : 5);
  const expected = await byWork(expectedOfName);
  const ours = await startOurs();

  const { rivals, missing } = await startRivals(quick, python, imgproxy);
  const contenders = [ours, ...rivals];
  const timed = contenders.filter(({ name }) => !quick || !slowRivals.includes(name));
  const figures = await byWork((name) => firstResults(contenders, name, expected[name]));
  await warmUp(ours, figures.smallClip.get(ours.name)?.first as Result);
  const streams = await startStreams(ours.processorUrl, python, expected.smallClip);
  const streamed = quick ? 384 : 768;
  const perSecond = new Map([...streams.ways.keys()].map((way) => [way, [] as number[]]));
  for (let round = -1; round < rounds; round++) {
    process.stderr.write(round < 0 ? 'warming up\n' : `round ${round + 1} of ${rounds}\n`);
    for (const name of names) await measureWork(timed, name, figures[name], round);
    for (const [way, measure] of streams.ways) {
      const figure = await measure(streamed);
      if (round >= 0) perSecond.get(way)?.push(figure);
    }
  }
  await streams.stop();
  const codecs = await byWork((name) => codecAlone(name, expected[name], quick ? 7 : 15));
  const decoding = decodeTimes(quick ? 3 : 5);
  await Promise.all(contenders.map(({ stop }) => stop()));
  await closeSender();
  return { rounds, starts, works: figures, codecs, decoding, streams: perSecond, missing };
}

function expectedOfName(name: WorkName): Promise<Expected> {
  return expectedOf(works[name]);
}

async function byWork<T>(make: (name: WorkName) => Promise<T>): Promise<Record<WorkName, T>> {
  const made: [WorkName, T][] = [];
  for (const name of names) made.push([name, await make(name)]);
  return Object.fromEntries(made) as Record<WorkName, T>;
}

/** The first start may build, and does not count. */
async function measureStarts(count: number): Promise<readonly Started[]> {
  const starts: Started[] = [];
  for (let start = -1; start < count; start++) {
    const started = await startAndRest();
    if (start >= 0) starts.push(started);
  }
  return starts;
}

async function startRivals(quick: boolean, python: string, imgproxy: string) {
  // transformers takes ten seconds to load, and no goal names it.
  const libraries: readonly Library[] = [
    'opencv',
    'torchvision',
    'pillow',
    ...(quick ? [] : (['transformers'] as const)),
  ];
  const started = [
    ...(await Promise.all(libraries.map((library) => startLibrary(python, library)))),
    await startImgproxy(imgproxy),
  ];
  return {
    rivals: started.filter((rival) => typeof rival !== 'string'),
    missing: started.filter((rival) => typeof rival === 'string'),
  };
}

async function firstResults(
  contenders: readonly Contender[],
  name: WorkName,
  expected: Expected,
): Promise<Map<string, Figures>> {
  const figures = new Map<string, Figures>();
  for (const contender of contenders) {
    if (contender.url(name) === undefined) continue;
    const first = await resultOf(contender, name, expected);
    figures.set(contender.name, { first, cpuMs: [], perSecond: [], p50Ms: [], tail: [] });
  }
  return figures;
}

async function warmUp(ours: Ours, first: Result): Promise<void> {
  await costOfWork(ours, 'smallClip', first, { count: warmUps });
}

/** One round of a work by each contender in turn; rounds below 0 only warm up. */
async function measureWork(
  contenders: readonly Contender[],
  name: WorkName,
  figures: ReadonlyMap<string, Figures>,
  round: number,
): Promise<void> {
  for (const contender of contenders) {
    const kept = figures.get(contender.name);
    if (kept === undefined) continue;
    const cost = await costOfWork(contender, name, kept.first, { count: works[name].count });
    if (round < 0) continue;
    kept.cpuMs.push(cost.cpuMs);
    kept.perSecond.push(cost.perSecond);
    const count = alone[name];
    if (count === undefined || round % 2 === 1) continue;
    const { times } = await costOfWork(contender, name, kept.first, { count, lanes: 1 });
    const p50 = median(times);
    kept.p50Ms.push(p50);
    kept.tail.push(percentile(times, 0.99) / p50);
  }
}
