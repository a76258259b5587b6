import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import sharp from 'sharp';
import { decode } from '../src/processor/image/decode.ts';
import { encode } from '../src/processor/image/encode.ts';
import { geometryOf } from '../src/processor/image/geometry.ts';
import { grayscale } from '../src/processor/image/grayscale.ts';
import { readHeader } from '../src/processor/image/header.ts';
import type { Pixels } from '../src/processor/image/pixels.ts';
import type { Plan, TensorPlan } from '../src/processor/image/plan.ts';
import { resize } from '../src/processor/image/resize.ts';
import { tensor } from '../src/processor/image/tensor.ts';
import { benchArguments, benchPictures, cpuMs, median, printTable } from './measure.ts';

/*
 * Every stage by itself, in this process, with the settings of a worker: medians of the CPU (user + sys of all
 * threads) and of the wall time.
 */

sharp.concurrency(1);
sharp.cache(false);

const options = benchArguments();
const runs = options.quick ? 5 : 15;
const pictures = await benchPictures(options.images);
const [jpeg, png] = [pictures.jpeg[0], pictures.png[0]];
if (jpeg === undefined || png === undefined) throw new Error('the folder needs a JPEG and a PNG');

const tensorPlan: TensorPlan = {
  kind: 'tensor',
  datatype: 'FP32',
  layout: 'NCHW',
  rescaleFactor: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  channelOrder: 'RGB',
  container: 'raw',
};
const to = (width: number, height: number, numerics: Plan['numerics']): Plan => ({
  resize: { filter: 'bilinear', fit: 'fill', width, height },
  // With it, the resize would give luma at once.
  grayscale: false,
  numerics,
  background: undefined,
  output: { kind: 'image', format: 'jpeg', quality: undefined },
});
const [large, small] = [to(1024, 768, 'exact'), to(224, 224, 'exact')];

const maxPixels = 2 ** 31;
const header = await readHeader(jpeg, maxPixels);
const pngHeader = await readHeader(png, maxPixels);
const decoded = await decode(jpeg, header, header, large);
const resized = resize(decoded, geometryOf(decoded, large.resize), large);
const gray = grayscale(resized);
const thumbnail = resize(decoded, geometryOf(decoded, small.resize), small);
const upload = jpeg.subarray(0, 800_000);

type Stage = readonly [name: string, work: () => unknown, isRight: (result: never) => boolean];
const sized = (width: number, height: number, channels: number) => (image: Pixels) =>
  image.width === width && image.height === height && image.data.length === width * height * channels;
const isEncoded = ({ content }: { content: Uint8Array }) => content.length > 1000;
const inFast = (width: number, height: number) => () => {
  const plan = to(width, height, 'fast');
  return decode(jpeg, header, geometryOf(header, plan.resize), plan);
};
const { width, height } = decoded;
const stages: readonly Stage[] = [
  [
    `hash: SHA-256 of ${(upload.length / 1e6).toFixed(1)} MB`,
    () => createHash('sha256').update(upload).digest(),
    ({ length }: Buffer) => length === 32,
  ],
  ['header, JPEG', () => readHeader(jpeg, maxPixels), (read: typeof header) => read.width === header.width],
  [
    `decode, exact, ${width} × ${height} JPEG`,
    () => decode(jpeg, header, header, large),
    sized(width, height, 3),
  ],
  [
    `decode, exact, ${pngHeader.width} × ${pngHeader.height} PNG`,
    () => decode(png, pngHeader, pngHeader, large),
    (image: Pixels) => image.width === pngHeader.width,
  ],
  ['decode and resize, fast, → 1024 × 768', inFast(1024, 768), sized(1024, 768, 3)],
  ['decode and resize, fast, → 224²', inFast(224, 224), sized(224, 224, 3)],
  [
    'resize, exact, bilinear, → 1024 × 768',
    () => resize(decoded, geometryOf(decoded, large.resize), large),
    sized(1024, 768, 3),
  ],
  [
    'resize, exact, bilinear, → 224²',
    () => resize(decoded, geometryOf(decoded, small.resize), small),
    sized(224, 224, 3),
  ],
  ['grayscale, 1024 × 768', () => grayscale(resized), sized(1024, 768, 1)],
  ['encode, 1024 × 768 gray JPEG', () => encode(gray, 'jpeg', undefined), isEncoded],
  ['encode, 1024 × 768 JPEG', () => encode(resized, 'jpeg', undefined), isEncoded],
  ['encode, 1024 × 768 PNG', () => encode(resized, 'png', undefined), isEncoded],
  ['encode, 1024 × 768 WebP', () => encode(resized, 'webp', undefined), isEncoded],
  [
    'tensor, 224² FP32 NCHW',
    () => tensor(thumbnail, tensorPlan),
    ({ content }: { content: Uint8Array }) => content.length === 224 * 224 * 3 * 4,
  ],
];

const times = stages.map(() => ({ cpu: [] as number[], wall: [] as number[] }));
// In turn, so that a noisy minute is everybody's. The first runs, in which V8 compiles, aren't counted.
for (let run = -5; run < runs; run++) {
  for (const [at, [name, work, isRight]] of stages.entries()) {
    const before = process.cpuUsage();
    const start = performance.now();
    const result = await work();
    const wall = performance.now() - start;
    const cpu = cpuMs(process.cpuUsage(before));
    if (!isRight(result as never)) throw new Error(`${name}: a wrong answer`);
    if (run < 0) continue;
    times[at]?.cpu.push(cpu);
    times[at]?.wall.push(wall);
  }
}
printTable([
  ['stage', 'CPU ms', 'wall ms'],
  ...stages.map(([name], at) => [
    name,
    median(times[at]?.cpu ?? []).toFixed(2),
    median(times[at]?.wall ?? []).toFixed(2),
  ]),
]);
