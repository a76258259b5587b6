import process from 'node:process';
import { encoded, photoLike } from '../test/support/pictures.ts';
import {
  type Answer,
  type Cost,
  checkCache,
  costOf,
  createSender,
  nextSerial,
  sha256,
  uploadOf,
} from './load.ts';
import { benchArguments, inParallel, median, percentile, printTable } from './measure.ts';
import { startRival } from './peers.ts';
import { startServices } from './services.ts';
import { warmUp } from './warm-up.ts';
import { jpegOutput, optionsOf, planTo, tensorOutput, webpOutput } from './work.ts';

/*
 * A day's mix: pictures of 0.1 to 12 MP in three formats, four outputs, and every fifth request for
 * something that has been asked for before.
 */

const { quick } = benchArguments();
const rounds = quick ? 1 : 3;
const count = quick ? 40 : 100;
const inFlight = 8;

const sources = await Promise.all([
  encoded(photoLike(400, 300, 1), 'jpeg', { quality: 80 }),
  encoded(photoLike(1000, 750, 2), 'webp', { quality: 80 }),
  encoded(photoLike(1200, 900, 3), 'png'),
  encoded(photoLike(1600, 1200, 4), 'jpeg', { quality: 85 }),
  encoded(photoLike(1920, 1080, 5), 'webp', { quality: 80 }),
  encoded(photoLike(2725, 2225, 6), 'jpeg', { quality: 75 }),
  encoded(photoLike(4000, 3000, 7), 'jpeg', { quality: 75 }),
]);
const plans = [
  planTo(1024, 768, jpegOutput, { grayscale: true }),
  planTo(224, 224, tensorOutput),
  planTo(640, 480, webpOutput),
  planTo(384, 384, tensorOutput),
];
const jobs = sources.flatMap((_, source) => plans.map((_, plan) => [source, plan] as const));

const floor = await startRival('floor');
await floor.prepare({ sources, plans, jobs });
await floor.run(jobs.length, 2);
const hashes = (await floor.answers()).map(sha256);

const services = await startServices();
const sender = createSender(inFlight);
await warmUp(services, sender);
const urls = plans.map((plan) => `${services.url}?${new URLSearchParams(optionsOf(plan))}`);
const lanes = Array.from({ length: inFlight }, () => sources.map((file) => uploadOf(file, 'multipart')));
const hotUploads = sources.map((file) => uploadOf(file, 'multipart'));

const [floorCosts, costs]: [Cost[], Cost[]] = [[], []];
for (let round = quick ? 0 : -1; round < rounds; round++) {
  const misses = jobs.map((_, at) => jobs[(at * 5) % jobs.length] as (typeof jobs)[number]);
  await floor.prepare({ sources, plans, jobs: misses });
  const alone = await costOf(floor.pids, () => floor.run(count, inFlight));
  await floor.answers();
  for (const at of jobs.keys()) await send(at, undefined);
  const served = await costOf(services.pids, () =>
    inParallel(count, inFlight, (index, lane) =>
      send((index * 5) % jobs.length, index % 5 === 4 ? 'hit' : lane),
    ),
  );
  if (round < 0) continue;
  floorCosts.push(alone);
  costs.push(served);
}
await floor.stop();
const all = { 'the floor: our stages, no service, no hot keys': floorCosts, 'our service, multipart': costs };
printTable([
  ['mixed load', 'CPU ms', 'images/s', 'per core-second', 'p50 ms', 'p99 ms'],
  ...Object.entries(all).map(([name, measured]) => {
    const times = measured.flatMap((cost) => cost.times);
    return [
      name,
      median(measured.map(({ cpuMs }) => cpuMs)).toFixed(1),
      median(measured.map(({ perSecond }) => perSecond)).toFixed(1),
      median(measured.map(({ perCoreSecond }) => perCoreSecond)).toFixed(1),
      percentile(times, 0.5).toFixed(0),
      percentile(times, 0.99).toFixed(0),
    ];
  }),
]);
process.stdout.write(
  `\n${jobs.length} kinds of request in turn, ${inFlight} in flight; every fifth is a hit, the others are misses. Each is compared with the floor's result.\n`,
);
await sender.close();
await services.stop();

/** @param how - a hot key, or a new one by the lane's own upload; undefined makes the hot ones known */
async function send(job: number, how: 'hit' | number | undefined): Promise<void> {
  const [source, plan] = jobs[job] as (typeof jobs)[number];
  const isHot = typeof how !== 'number';
  const upload = (isHot ? hotUploads : lanes[how])?.[source];
  if (!isHot) upload?.mark(nextSerial());
  const answer: Answer = await sender.ask(urls[plan] as string, upload);
  if (sha256(answer.content) !== hashes[job]) throw new Error("not the floor's result");
  if (how !== undefined) checkCache(answer, isHot ? 'hit' : 'miss');
}
