import process from 'node:process';
import { reach } from './figures.ts';
import {
  type Answer,
  type Cost,
  checkCache,
  costOfUploads,
  createSender,
  sha256,
  type UploadKind,
  type UploadLoad,
} from './load.ts';
import { benchArguments, median, percentile, printTable } from './measure.ts';
import {
  costOfPeer,
  eachSource,
  type Peer,
  referenceOf,
  startPillow,
  startRival,
  startRivalApps,
} from './peers.ts';
import { benchPictures, rotated } from './pictures.ts';
import { startServices } from './services.ts';
import { warmUp } from './warm-up.ts';
import { type BenchPlan, errorOf, jpegOutput, optionsOf, planTo, pngOutput, tensorOutput } from './work.ts';

/*
 * The whole service over HTTP beside the same work with no service around it, and beside what a user would write.
 * In turn, so that the ratios hold on a noisy machine.
 */

const options = benchArguments();
const rounds = options.quick ? 1 : 3;
const count = options.quick ? 10 : 32;
const inFlight = 8;

const pictures = await benchPictures(options.images);
const gray = { grayscale: true };
const cases: readonly [name: string, plan: BenchPlan, sources: readonly Uint8Array[]][] = [
  ['6 MP JPEG → 1024 × 768 gray JPEG, exact', planTo(1024, 768, jpegOutput, gray), pictures.jpeg],
  [
    '6 MP JPEG → 1024 × 768 gray JPEG, fast',
    planTo(1024, 768, jpegOutput, { ...gray, numerics: 'fast' }),
    pictures.jpeg,
  ],
  ['6 MP JPEG → 224² FP32 NCHW, exact', planTo(224, 224, tensorOutput), pictures.jpeg],
  ['2 MP PNG → 1024 × 768 PNG, exact', planTo(1024, 768, pngOutput), pictures.png],
  [
    '6 MP JPEG on its side (EXIF 6) → 224² FP32 NCHW, exact',
    planTo(224, 224, tensorOutput),
    await Promise.all(pictures.jpeg.slice(0, 1).map(rotated)),
  ],
];

const services = await startServices();
const sender = createSender(inFlight);
await warmUp(services, sender);
const floor = await startRival('floor');
const sharp = await startRival('sharp');
const pillow = await startPillow(options.python);
const { apps, missing } = await startRivalApps(options.python);

/** One way to do a case: it is measured, and then reports the difference of its results from the exact pixels. */
interface Way {
  measure(count: number): Promise<Cost>;
  error(): Promise<{ mean: number; max: number }>;
}

const floorName = 'the floor: our stages, no service';
const [body, multipart, hot] = ['our service', 'our service, multipart', 'our service, hot key'] as const;
const [sharpAlone, pillowAlone] = [
  'sharp’s obvious chain, no service',
  'Pillow + numpy, no service, one thread',
];

const throughput: number[] = [];
const hits: number[] = [];
for (const [name, plan, sources] of cases) {
  if (sources.length === 0) continue;
  const reference = await referenceOf(floor, sources, plan);
  const ways = waysOf(plan, sources, reference);
  const costs = new Map([...ways.keys()].map((way) => [way, [] as Cost[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [way, { measure }] of ways) {
      // Each has rested while the others had their turns.
      await measure(inFlight);
      costs.get(way)?.push(await measure(count));
    }
  }
  const figure = (way: string, of: (cost: Cost) => number) => median((costs.get(way) ?? []).map(of));
  const cpu = (way: string) => figure(way, ({ cpuMs }) => cpuMs);
  const rows = [
    [
      `${name}: way`,
      'CPU ms',
      '× floor',
      'images/s',
      'per core-second',
      'p50 ms',
      'p99 ms',
      'mean error',
      'max',
    ],
  ];
  for (const [way, { error }] of ways) {
    const times = (costs.get(way) ?? []).flatMap((cost) => cost.times);
    const { mean, max } = await error();
    rows.push([
      way,
      cpu(way).toFixed(1),
      (cpu(way) / cpu(floorName)).toFixed(2),
      figure(way, ({ perSecond }) => perSecond).toFixed(1),
      figure(way, ({ perCoreSecond }) => perCoreSecond).toFixed(1),
      percentile(times, 0.5).toFixed(0),
      percentile(times, 0.99).toFixed(0),
      mean.toFixed(2),
      max.toFixed(0),
    ]);
  }
  // A table a piece of work: what is done is seen while the rest runs.
  printTable(rows);
  process.stdout.write('\n');

  const perCore = (way: string) => figure(way, ({ perCoreSecond }) => perCoreSecond);
  throughput.push(perCore(body) / perCore(floorName));
  hits.push(cpu(hot) / cpu(body));
  const { mean, max } = (await ways.get(body)?.error()) ?? { mean: 0, max: 0 };
  const told = `mean ${mean.toFixed(2)}, max ${max.toFixed(0)} levels`;
  const beside = (way: string) => [cpu(body) / cpu(way), cpu(multipart) / cpu(way)];
  if (plan === cases[0]?.[1]) reach('grayJpegExact', beside(sharpAlone), told);
  if (plan === cases[1]?.[1]) reach('grayJpegFast', beside(sharpAlone), told);
  if (plan === cases[2]?.[1] && pillow) reach('tensorExact', beside(pillowAlone), told);
}
reach('throughput', throughput);
reach('cacheHit', hits);

process.stdout.write(
  `${inFlight} in flight (Pillow without a service: one). Errors are in levels of 255, beside the exact pixels before they are encoded.\n`,
);
const leftOut = [...(pillow ? [] : ['Pillow + numpy']), ...missing];
if (leftOut.length > 0) process.stdout.write(`Left out, because not installed: ${leftOut.join(', ')}.\n`);

await Promise.all([floor, sharp, pillow, ...apps].map((peer) => peer?.stop()));
await sender.close();
await services.stop();

function waysOf(
  plan: BenchPlan,
  sources: readonly Uint8Array[],
  reference: Awaited<ReturnType<typeof referenceOf>>,
): Map<string, Way> {
  const { hashes, answers, pixels } = reference;
  const errorOfFirst = async (answer: Uint8Array | undefined, whose: 'ours' | 'rivals') =>
    errorOf(answer ?? new Uint8Array(), plan, pixels[0] as Uint8Array, whose);
  const ourError = () => errorOfFirst(answers[0], 'ours');

  const alone = (peer: Peer, whose: 'ours' | 'rivals', expected?: readonly string[]): Way => {
    let first: Uint8Array | undefined;
    return {
      async measure(times) {
        await peer.prepare(eachSource(sources, plan));
        const cost = await costOfPeer(peer, times, inFlight);
        const made = await peer.answers();
        for (const [at, answer] of made.entries()) {
          if (expected !== undefined && sha256(answer) !== expected[at]) throw new Error('another answer');
          await errorOf(answer, plan, pixels[at] as Uint8Array, whose);
        }
        [first] = made;
        return cost;
      },
      error: () => errorOfFirst(first, whose),
    };
  };

  const load = { sender, sources, inFlight };
  const ours = (kind: UploadKind, cache: 'hit' | 'miss'): Way => {
    const url = () => `${services.url}?${new URLSearchParams(optionsOf(plan))}`;
    const check = (answer: Answer, source: number) => {
      if (sha256(answer.content) !== hashes[source]) throw new Error("not the floor's result");
    };
    const all: Omit<UploadLoad, 'count'> = {
      ...load,
      pids: services.pids,
      kind,
      url,
      check,
      isMarked: cache === 'miss',
    };
    return {
      async measure(times) {
        if (cache === 'hit') await costOfUploads({ ...all, inFlight: 1, count: sources.length });
        return costOfUploads({
          ...all,
          // Of hits a few dozen are over before a collection is due.
          count: cache === 'hit' ? 8 * times : times,
          check(answer, source) {
            check(answer, source);
            checkCache(answer, cache);
          },
        });
      },
      error: ourError,
    };
  };

  const app = (pids: readonly number[], url: string): Way => {
    const first: Buffer[] = [];
    return {
      async measure(times) {
        const cost = await costOfUploads({
          ...load,
          pids,
          kind: 'multipart',
          url: () => url,
          count: times,
          isMarked: true,
          check({ content }, source) {
            first[source] ??= content;
            if (sha256(first[source]) !== sha256(content)) throw new Error('two results of one picture');
          },
        });
        for (const [at, answer] of first.entries()) {
          await errorOf(answer, plan, pixels[at] as Uint8Array, 'rivals');
        }
        return cost;
      },
      error: () => errorOfFirst(first[0], 'rivals'),
    };
  };

  const ways = new Map<string, Way>([
    [floorName, alone(floor, 'ours', hashes)],
    [body, ours('body', 'miss')],
    [multipart, ours('multipart', 'miss')],
    [hot, ours('body', 'hit')],
    [sharpAlone, alone(sharp, 'rivals')],
  ]);
  if (pillow) ways.set(pillowAlone, alone(pillow, 'rivals'));
  for (const { name, pids, url } of apps) ways.set(name, app(pids, url(plan)));
  return ways;
}
