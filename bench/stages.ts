import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import type { HttpBindings } from '@hono/node-server';
import sharp from 'sharp';
import { parseForm } from '../src/api/multipart.ts';
import { imageTooLong, readBody } from '../src/api/request-body.ts';
import { createMemoryTier } from '../src/processor/cache/memory-tier.ts';
import { createResultCache } from '../src/processor/cache/result-cache.ts';
import { decodeWhole } from '../src/processor/codecs/decode.ts';
import { encode } from '../src/processor/codecs/encode.ts';
import { readJpegHeader } from '../src/processor/codecs/jpeg/header.ts';
import { turboJpeg } from '../src/processor/codecs/jpeg/turbojpeg.ts';
import { readPngHeader } from '../src/processor/codecs/png/header.ts';
import { readHeader } from '../src/processor/codecs/read-header.ts';
import { toLuma } from '../src/processor/image/grayscale.ts';
import { resampleUpright } from '../src/processor/image/kernels/resample.ts';
import type { Pixels } from '../src/processor/image/pixels.ts';
import type { TensorPlan } from '../src/processor/image/plan.ts';
import { startWorkerPool } from '../src/processor/workers/pool.ts';
import { runOnePlan } from '../test/support/one-plan.ts';
import { planFrom, plannedImage } from '../test/support/plans.ts';
import { runStages } from '../test/support/stages.ts';
import { tensor } from '../test/support/tensors.ts';
import { reach } from './figures.ts';
import { uploadOf } from './load.ts';
import { benchArguments, cpuMs, median, printTable } from './measure.ts';
import { benchPictures, hollow } from './pictures.ts';
import { cpuClockMs } from './process-tree.ts';
import { asked, ended, startPart } from './services.ts';
import { type BenchPlan, jpegOutput, planTo } from './work.ts';

/*
 * Every stage by itself, in this process, with the settings of a worker: medians of the CPU (user + sys of all
 * threads, and of the worker where it does the work) and of the wall time.
 */

sharp.concurrency(1);
sharp.cache(false);

const options = benchArguments();
const runs = options.quick ? 5 : 15;
const pictures = await benchPictures(options.images);
const [jpeg, png] = [pictures.jpeg[0], pictures.png[0]];
if (jpeg === undefined || png === undefined) throw new Error('the folder needs a JPEG and a PNG');

const megabyte = 1_000_000;
const maxPixels = 2 ** 31;
const tensorPlan: TensorPlan = {
  kind: 'tensor',
  name: 'image',
  datatype: 'FP32',
  layout: 'NCHW',
  rescaleFactor: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  channelOrder: 'RGB',
  container: 'raw',
};
const [large, small] = [planTo(1024, 768, jpegOutput), planTo(224, 224, jpegOutput)];

const header = await readHeader(jpeg, maxPixels);
const pngHeader = await readHeader(png, maxPixels);
const decodeJpeg = () => decodeWhole(jpeg, header);
const stagesOf = (plan: BenchPlan) => runStages(jpeg, header, plan);
const fast = (plan: BenchPlan): BenchPlan => ({ ...plan, numerics: 'fast' });
/** Pixels that the next stage's memory isn't laid over. */
const kept = (image: Pixels): Pixels => ({ ...image, data: new Uint8Array(image.data) });
const resized = kept(await stagesOf(large));
const gray = kept(toLuma(resized));
const thumbnail = kept(await stagesOf(small));
const upload = jpeg.subarray(0, 800_000);

const sender = (await startPart('./send-bodies.ts', [])).child;
let bytesRead = 0;
const server = createServer(async (incoming, outgoing) => {
  const bindings = { incoming, outgoing } as unknown as HttpBindings;
  const tooLong = (bytes: number) => imageTooLong(bytes, 2 * megabyte);
  bytesRead = (await readBody(bindings, 2 * megabyte, tooLong, new AbortController().signal)).length;
  outgoing.end();
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

const form = uploadOf(new Uint8Array(megabyte), 'multipart');
const cache = createResultCache<undefined>({ tiers: [createMemoryTier({ maxBytes: 10 * megabyte })] });
const key = createHash('sha256').update('a key').digest('hex');
await cache.set(key, new Uint8Array(150_000));
const pool = await startWorkerPool(1);
const nearlyNothing = await hollow(800_000);
const nothingHeader = await readHeader(nearlyNothing, maxPixels);

interface Stage {
  readonly name: string;
  /** Not part of the stage: the memory as the stage before leaves it. */
  prepare?(): Promise<unknown>;
  work(): unknown;
  /** Times that `work` does it. */
  readonly times?: number;
  isRight(result: never): boolean;
}

const sized = (width: number, height: number, channels: number) => (image: Pixels) =>
  image.width === width && image.height === height && image.data.length === width * height * channels;
const isEncoded = ({ content }: { content: Uint8Array }) => content.length > 1000;
const sourceSize = `${header.width} × ${header.height}`;

function resizeStage(plan: BenchPlan, name: string, isRight: Stage['isRight']): Stage {
  let decoded: Pixels;
  const { width, height, filter } = plan.resize;
  return {
    name,
    async prepare() {
      decoded = await decodeJpeg();
    },
    work: () => resampleUpright(decoded, header.orientation, { width, height, filter }, plan.grayscale),
    isRight,
  };
}

const turboStages: readonly Stage[] = turboJpeg
  ? ([1, 2, 8] as const).map((shrink) => ({
      name: `decode, ${sourceSize} JPEG, luma only, 1/${shrink}, TurboJPEG`,
      work: () => turboJpeg?.decode(jpeg, header, 1, shrink),
      isRight: sized(Math.ceil(header.width / shrink), Math.ceil(header.height / shrink), 1),
    }))
  : [];

const stages: readonly Stage[] = [
  {
    name: 'read: an HTTP body of 1 MB into one buffer',
    times: 10,
    work: () => asked(sender, { port, bytes: megabyte, count: 10 }),
    isRight: () => bytesRead === megabyte,
  },
  {
    name: 'multipart: a form with a file of 1 MB',
    times: 10,
    work() {
      let length = 0;
      for (let run = 0; run < 10; run++) {
        const [source] = parseForm(form.body, form.contentType, 2 * megabyte).sources;
        length = source?.value.length ?? 0;
      }
      return length;
    },
    isRight: (length: number) => length >= megabyte,
  },
  {
    name: `hash: SHA-256 of ${(upload.length / 1e6).toFixed(1)} MB`,
    work: () => createHash('sha256').update(upload).digest(),
    isRight: ({ length }: Buffer) => length === 32,
  },
  {
    name: 'cache hit in memory, 150 KB',
    times: 1000,
    async work() {
      let found = '';
      for (let run = 0; run < 1000; run++) {
        const entry = await cache.get(key);
        found = `${entry?.from} ${entry?.value.length}`;
      }
      return found;
    },
    isRight: (found: string) => found === 'memory 150000',
  },
  {
    name: 'worker: 0.8 MB there and back, 8 × 8 pixels',
    times: 20,
    async work() {
      const images = [plannedImage(nothingHeader, planFrom(small))];
      const job = { content: nearlyNothing, header: nothingHeader, images };
      let width = 0;
      for (let run = 0; run < 20; run++) {
        width = (await runOnePlan(pool, job)).width;
      }
      return width;
    },
    isRight: (width: number) => width === 224,
  },
  {
    name: 'header, JPEG, by libvips',
    work: () => readHeader(jpeg, maxPixels),
    isRight: (read: typeof header) => read.width === header.width,
  },
  {
    name: 'header, plain JPEG, by ourselves',
    times: 1000,
    work() {
      let read = readJpegHeader(jpeg);
      for (let run = 1; run < 1000; run++) read = readJpegHeader(jpeg);
      return read;
    },
    isRight: (read: typeof header) => read.width === header.width,
  },
  {
    name: 'header, plain PNG, by ourselves',
    times: 1000,
    work() {
      let read = readPngHeader(png);
      for (let run = 1; run < 1000; run++) read = readPngHeader(png);
      return read;
    },
    isRight: (read: typeof pngHeader) => read.width === pngHeader.width,
  },
  {
    name: `decode, exact, ${sourceSize} JPEG${turboJpeg ? ', TurboJPEG' : ''}`,
    work: decodeJpeg,
    isRight: sized(header.width, header.height, 3),
  },
  {
    name: `decode, exact, ${sourceSize} JPEG, sharp`,
    work: () => sharp(jpeg, { ignoreIcc: true, autoOrient: true }).raw().toBuffer(),
    isRight: ({ length }: Buffer) => length === header.width * header.height * 3,
  },
  ...turboStages,
  {
    name: `decode, exact, ${pngHeader.width} × ${pngHeader.height} PNG`,
    work: () => decodeWhole(png, pngHeader),
    isRight: ({ width }: Pixels) => width === pngHeader.width,
  },
  {
    name: 'decode and resize, fast, → 1024 × 768',
    work: () => stagesOf(fast(large)),
    isRight: sized(1024, 768, 3),
  },
  {
    name: 'decode and resize, fast, → 1024 × 768 gray',
    work: () => stagesOf({ ...fast(large), grayscale: true }),
    isRight: sized(1024, 768, 1),
  },
  {
    name: 'decode and resize, fast, → 224²',
    work: () => stagesOf(fast(small)),
    isRight: sized(224, 224, 3),
  },
  resizeStage(large, 'resize, exact, bilinear, → 1024 × 768', sized(1024, 768, 3)),
  resizeStage(
    { ...large, grayscale: true },
    'resize and gray, exact, bilinear, → 1024 × 768',
    ({ width }: Pixels) => width === 1024,
  ),
  resizeStage(small, 'resize, exact, bilinear, → 224²', sized(224, 224, 3)),
  { name: 'grayscale, 1024 × 768', work: () => toLuma(resized), isRight: sized(1024, 768, 1) },
  {
    name: 'encode, 1024 × 768 gray JPEG',
    work: () => encode(gray, 'jpeg', undefined),
    isRight: isEncoded,
  },
  { name: 'encode, 1024 × 768 JPEG', work: () => encode(resized, 'jpeg', undefined), isRight: isEncoded },
  { name: 'encode, 1024 × 768 PNG', work: () => encode(resized, 'png', undefined), isRight: isEncoded },
  { name: 'encode, 1024 × 768 WebP', work: () => encode(resized, 'webp', undefined), isRight: isEncoded },
  {
    name: 'tensor, 224² FP32 NCHW',
    work: () => tensor(thumbnail, tensorPlan),
    isRight: ({ content }: { content: Uint8Array }) => content.length === 224 * 224 * 3 * 4,
  },
];

const measured = stages.map(() => ({ cpu: [] as number[], wall: [] as number[] }));
const workerPids = pool.pids().pixels;
const cpu = () => cpuMs(process.cpuUsage()) + workerPids.reduce((sum, worker) => sum + cpuClockMs(worker), 0);
// In turn, so that a noisy minute is everybody's. The first runs, in which V8 compiles, aren't counted.
for (let run = -4; run < runs; run++) {
  for (const [at, { name, prepare, work, times = 1, isRight }] of stages.entries()) {
    await prepare?.();
    const before = cpu();
    const start = performance.now();
    const result = await work();
    const wall = performance.now() - start;
    const spent = cpu() - before;
    if (!isRight(result as never)) throw new Error(`${name}: a wrong result`);
    if (run < 0) continue;
    measured[at]?.cpu.push(spent / times);
    measured[at]?.wall.push(wall / times);
  }
}
const cell = (values: readonly number[] = []) => median(values).toFixed(median(values) < 0.1 ? 4 : 2);
printTable([
  ['stage', 'CPU ms', 'wall ms'],
  ...stages.map(({ name }, at) => [name, cell(measured[at]?.cpu), cell(measured[at]?.wall)]),
]);
reach('tensorStage', [median(measured.at(-1)?.cpu ?? [])]);
server.close();
server.closeAllConnections();
await pool.close();
await ended(sender);
