import process from 'node:process';
import { reach } from './figures.ts';
import { checkCache, costOfUploads, createSender, sha256, type UploadKind } from './load.ts';
import { benchArguments, median, percentile, printTable } from './measure.ts';
import { referenceOf, startRival } from './peers.ts';
import { hollow } from './pictures.ts';
import { startServices } from './services.ts';
import { warmUp } from './warm-up.ts';
import { planTo, referencePlan } from './work.ts';

/*
 * The cost of a request without its pixels, in both services and the workers: 0.8 MB there whose picture is 8 × 8
 * pixels with a photograph's bytes behind it, 150 KB back. Nothing is taken off for the few pixels that there are.
 */

const { quick } = benchArguments();
const rounds = quick ? 3 : 7;
const count = quick ? 40 : 100;
const inFlight = 8;

const sources = [await hollow(800_000)];
const plan = referencePlan(planTo(224, 224, { kind: 'image', format: 'png', quality: undefined }));
const query = 'width=224&height=224&format=raw&datatype=uint8&layout=nhwc&grayscale=false&rescale=1';

const services = await startServices();
const sender = createSender(inFlight);
await warmUp(services, sender);
const floor = await startRival('floor');
const [expected] = (await referenceOf(floor, sources, plan)).hashes;
await floor.stop();

interface Way {
  readonly kind: UploadKind;
  readonly cache: 'hit' | 'miss';
}
const ways: Readonly<Record<string, Way>> = {
  'raw body, miss': { kind: 'body', cache: 'miss' },
  'multipart, miss': { kind: 'multipart', cache: 'miss' },
  'raw body, hit': { kind: 'body', cache: 'hit' },
  'multipart, hit': { kind: 'multipart', cache: 'hit' },
};
const costs = new Map(Object.keys(ways).map((way) => [way, [] as Awaited<ReturnType<typeof measure>>[]]));
for (let round = -2; round < rounds; round++) {
  for (const [name, way] of Object.entries(ways)) {
    const cost = await measure(way);
    if (round >= 0) costs.get(name)?.push(cost);
  }
}
const cpu = (way: string) => median((costs.get(way) ?? []).map(({ cpuMs }) => cpuMs));
printTable([
  ['0.8 MB there, 150 KB back', 'CPU ms, all processes', 'requests/s', 'p50 ms', 'p99 ms'],
  ...[...costs].map(([name, all]) => {
    const times = all.flatMap((cost) => cost.times);
    const perSecond = median(all.map((cost) => cost.perSecond));
    return [
      name,
      cpu(name).toFixed(2),
      perSecond.toFixed(0),
      percentile(times, 0.5).toFixed(1),
      percentile(times, 0.99).toFixed(1),
    ];
  }),
]);
process.stdout.write(`\n${inFlight} in flight.\n`);
reach('allButPixels', [cpu('raw body, miss'), cpu('multipart, miss')]);
await sender.close();
await services.stop();

async function measure({ kind, cache }: Way) {
  const load = { pids: services.pids, sender, url: () => `${services.url}?${query}`, sources, kind };
  const check = ({ content }: { content: Buffer }) => {
    if (sha256(content) !== expected) throw new Error("not the floor's result");
  };
  if (cache === 'hit') await costOfUploads({ ...load, isMarked: false, count: 1, inFlight: 1, check });
  return costOfUploads({
    ...load,
    isMarked: cache === 'miss',
    count,
    inFlight,
    check(answer) {
      check(answer);
      checkCache(answer, cache);
    },
  });
}
