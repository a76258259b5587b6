import { reach } from './figures.ts';
import { type Answer, type Cost, checkCache, costOfUploads, createSender, sha256 } from './load.ts';
import { benchArguments, median, percentile, printTable } from './measure.ts';
import { referenceOf, startRival } from './peers.ts';
import { benchPictures } from './pictures.ts';
import { startServices } from './services.ts';
import { warmUp } from './warm-up.ts';
import { jpegOutput, optionsOf, planTo, tensorOutput } from './work.ts';

/*
 * One 6 MP JPEG and three outputs in one request, compared with one output and with three requests.
 */

const options = benchArguments();
const rounds = options.quick ? 2 : 5;
const count = options.quick ? 16 : 32;
const inFlight = 8;

const plans = {
  '1024 × 768 gray JPEG': planTo(1024, 768, jpegOutput, { grayscale: true }),
  '224² FP32 NCHW': planTo(224, 224, tensorOutput),
  '320 × 240 JPEG': planTo(320, 240, jpegOutput),
};

const sources = (await benchPictures(options.images)).jpeg;
const services = await startServices();
const sender = createSender(inFlight);
await warmUp(services, sender);
const floor = await startRival('floor');
const hashes: string[][] = [];
for (const plan of Object.values(plans)) hashes.push((await referenceOf(floor, sources, plan)).hashes);
await floor.stop();

interface Way {
  readonly url: string;
  check(answer: Answer, source: number): void;
}
const ways = new Map<string, Way>();
for (const [at, [name, plan]] of Object.entries(plans).entries()) {
  ways.set(`one: ${name}`, {
    url: `${services.url}?${new URLSearchParams(optionsOf(plan))}`,
    check(answer, source) {
      checkCache(answer, 'miss');
      expectHash(answer.content, hashes[at]?.[source]);
    },
  });
}
const variants = JSON.stringify(Object.values(plans).map(optionsOf));
ways.set('all three in one request', {
  url: `${services.url}?${new URLSearchParams({ variants })}`,
  check(answer, source) {
    const parts = partsOf(answer);
    if (parts.length !== hashes.length) throw new Error(`${parts.length} parts`);
    for (const [at, part] of parts.entries()) {
      checkCache(part, 'miss');
      expectHash(part.content, hashes[at]?.[source]);
    }
  },
});

const costs = new Map([...ways.keys()].map((name) => [name, [] as Cost[]]));
for (let round = -1; round < rounds; round++) {
  for (const [name, { url, check }] of ways) {
    const load = { pids: services.pids, sender, sources, kind: 'body', inFlight, isMarked: true } as const;
    const cost = await costOfUploads({ ...load, url: () => url, count: round < 0 ? inFlight : count, check });
    if (round >= 0) costs.get(name)?.push(cost);
  }
}
const cpu = (name: string) => median((costs.get(name) ?? []).map(({ cpuMs }) => cpuMs));
const [first = '', ...others] = ways.keys();
const together = cpu(others.at(-1) ?? '');
const apart = [first, ...others.slice(0, -1)].reduce((sum, name) => sum + cpu(name), 0);
printTable([
  ['6 MP JPEG → outputs', 'CPU ms', '× the first', 'requests/s', 'p50 ms'],
  ...[...costs].map(([name, all]) => [
    name,
    cpu(name).toFixed(1),
    (cpu(name) / cpu(first)).toFixed(2),
    median(all.map(({ perSecond }) => perSecond)).toFixed(1),
    percentile(
      all.flatMap(({ times }) => times),
      0.5,
    ).toFixed(0),
  ]),
  ['three requests, added up', apart.toFixed(1), (apart / cpu(first)).toFixed(2), '', ''],
]);
reach('variants', [together / cpu(first)]);
await sender.close();
await services.stop();

function expectHash(content: Uint8Array, expected: string | undefined): void {
  if (sha256(content) !== expected) throw new Error("not the floor's result");
}

/** The parts of a multipart/mixed response (RFC 2046, 5.1): each with its headers, in lower case. */
function partsOf({ content, headers }: Answer): Answer[] {
  const [, boundary] = /boundary="?([^";]+)/.exec(String(headers['content-type'])) ?? [];
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const whole = Buffer.concat([Buffer.from('\r\n'), content]);
  const parts: Answer[] = [];
  for (let at = whole.indexOf(delimiter); ; ) {
    const next = whole.indexOf(delimiter, at + 1);
    if (next === -1) return parts;
    const part = whole.subarray(at + delimiter.length + 2, next);
    const end = part.indexOf('\r\n\r\n');
    const lines = part.toString('latin1', 0, end).split('\r\n');
    const pairs = lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]);
    parts.push({ headers: Object.fromEntries(pairs), content: part.subarray(end + 4) });
    at = next;
  }
}
