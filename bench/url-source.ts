import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { type Cost, checkCache, costOf, createSender, nextSerial, sha256, withMark } from './load.ts';
import { benchArguments, inParallel, median, percentile, printTable } from './measure.ts';
import { referenceOf, startRival } from './peers.ts';
import { benchPictures } from './pictures.ts';
import { startServices } from './services.ts';
import { warmUp } from './warm-up.ts';
import { jpegOutput, optionsOf, planTo } from './work.ts';

/*
 * `GET ?url=`: an image that the processor fetches from an origin, which is in this process and isn't counted. New
 * images, and a known one whose origin lets it be kept, wants to be asked, or forbids both.
 */

const options = benchArguments();
const rounds = options.quick ? 1 : 3;
const count = options.quick ? 16 : 40;
const inFlight = 8;

const [source] = (await benchPictures(options.images)).jpeg;
if (source === undefined) throw new Error('the folder needs a JPEG');
const plan = planTo(1024, 768, jpegOutput, { grayscale: true });
const floor = await startRival('floor');
const [expected] = (await referenceOf(floor, [source], plan)).hashes;
await floor.stop();

/** Paths by the freshness of their responses. */
const policies: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  new: { 'cache-control': 'no-store' },
  fresh: { 'cache-control': 'max-age=3600' },
  asked: { 'cache-control': 'no-cache', etag: '"1"' },
  forbidden: { 'cache-control': 'no-store' },
};
let served = { whole: 0, notModified: 0 };
const origin = createServer((request, response) => {
  const [, name = ''] = (request.url ?? '').split(/[/?]/);
  const headers = policies[name] ?? {};
  if (headers.etag !== undefined && request.headers['if-none-match'] === headers.etag) {
    served.notModified++;
    response.writeHead(304, headers).end();
    return;
  }
  served.whole++;
  const content = name === 'new' ? withMark(source, String(nextSerial())) : source;
  response.writeHead(200, { ...headers, 'content-type': 'image/jpeg' }).end(content);
});
origin.listen(0, '127.0.0.1');
await once(origin, 'listening');
const host = `127.0.0.1:${(origin.address() as AddressInfo).port}`;

const services = await startServices({ URL_ALLOWED_HOSTS: host });
const sender = createSender(inFlight);
await warmUp(services, sender);

interface Way {
  readonly path: () => string;
  readonly cache: 'hit' | 'miss';
  /** The origin's response to each request. */
  readonly whole: 0 | 1;
  readonly notModified: 0 | 1;
}
const ways: Readonly<Record<string, Way>> = {
  'a new image each time': { path: () => `new?${nextSerial()}`, cache: 'miss', whole: 1, notModified: 0 },
  'a known one, fresh': { path: () => 'fresh', cache: 'hit', whole: 0, notModified: 0 },
  'a known one, stale; 304': { path: () => 'asked', cache: 'hit', whole: 0, notModified: 1 },
  'a known one that may not be kept': { path: () => 'forbidden', cache: 'hit', whole: 1, notModified: 0 },
};
const costs = new Map(Object.keys(ways).map((name) => [name, [] as Cost[]]));
for (let round = -1; round < rounds; round++) {
  for (const [name, way] of Object.entries(ways)) {
    if (way.cache === 'hit') await ask(way, undefined);
    served = { whole: 0, notModified: 0 };
    const cost = await costOf(services.pids, () => inParallel(count, inFlight, () => ask(way, way.cache)));
    checkOrigin(name, way);
    if (round >= 0) costs.get(name)?.push(cost);
  }
}
printTable([
  ['URL → 1024 × 768 gray JPEG', 'CPU ms', 'requests/s', 'p50 ms', 'p99 ms'],
  ...[...costs].map(([name, all]) => {
    const times = all.flatMap((cost) => cost.times);
    return [
      name,
      median(all.map(({ cpuMs }) => cpuMs)).toFixed(1),
      median(all.map(({ perSecond }) => perSecond)).toFixed(0),
      percentile(times, 0.5).toFixed(0),
      percentile(times, 0.99).toFixed(0),
    ];
  }),
]);
process.stdout.write(
  `\n${inFlight} in flight. The origin serves what the row says and no more: that is checked too.\n`,
);
await sender.close();
await services.stop();
origin.close();
origin.closeAllConnections();

async function ask({ path }: Way, cache: 'hit' | 'miss' | undefined): Promise<void> {
  const query = new URLSearchParams({ url: `http://${host}/${path()}`, ...optionsOf(plan) });
  const answer = await sender.ask(`${services.url}?${query}`);
  if (sha256(answer.content) !== expected) throw new Error("not the floor's result");
  if (cache !== undefined) checkCache(answer, cache);
}

/** Equal downloads under way are one, so there may be fewer than requests. */
function checkOrigin(name: string, { cache, whole, notModified }: Way): void {
  const most = { whole: whole * count, notModified: notModified * count };
  const isRight =
    cache === 'miss'
      ? served.whole === most.whole && served.notModified === 0
      : served.whole <= most.whole &&
        served.notModified <= most.notModified &&
        served.whole > 0 === whole > 0 &&
        served.notModified > 0 === notModified > 0;
  if (!isRight) throw new Error(`${name}: the origin served ${JSON.stringify(served)}`);
}
