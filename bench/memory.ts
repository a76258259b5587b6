import process from 'node:process';
import sharp from 'sharp';
import { costOfUploads, createSender, HttpError, sha256, uploadOf } from './load.ts';
import { benchArguments, printTable } from './measure.ts';
import { referenceOf, startRival } from './peers.ts';
import { benchPictures } from './pictures.ts';
import { memoryOfTree, type Role, watchPeaks } from './process-tree.ts';
import { type Services, startServices } from './services.ts';
import { jpegOutput, optionsOf, planTo } from './work.ts';

/*
 * Peaks of resident memory by requests in flight, with fresh services for each picture: what runs at once is bounded
 * by the workers, waiting images hold only their bytes. And a JPEG that is small as a file and huge in memory, against
 * the limit that is set for it.
 */

const options = benchArguments();
const inFlights = options.quick ? [1, 2, 8] : [1, 2, 4, 8];
const roles: readonly Role[] = ['services', 'worker', 'header worker'];
const plan = planTo(1024, 768, jpegOutput, { grayscale: true });
const query = new URLSearchParams(optionsOf(plan));

const pictures = await benchPictures(options.images);
const sender = createSender(8);

const rows = [
  ['picture', 'in flight', ...roles.map((role) => `${role} MB`), 'all MB', 'above rest, each request MB'],
];
await ofPicture('6 MP JPEG', pictures.jpeg.slice(0, 1));
await ofPicture('2 MP PNG', pictures.png.slice(0, 1));
printTable(rows);
process.stdout.write(
  '\nPeaks so far of processes that go on; both workers added up. Shared memory (above all Node’s own code) counts for each process. The row without a request is the memory at rest.\n\n',
);
await ofGiant();
await sender.close();

async function ofPicture(name: string, sources: readonly Uint8Array[]): Promise<void> {
  if (sources.length === 0) return;
  const floor = await startRival('floor');
  const { hashes } = await referenceOf(floor, sources, plan);
  await floor.stop();
  const services = await startServices();
  const atRest = sums(memoryOfTree(services.pids), 'rssMb');
  rows.push([name, 'none', ...cellsOf(atRest), '']);
  for (const inFlight of inFlights) {
    using watch = watchPeaks(services.pids);
    await costOfUploads({
      pids: services.pids,
      sender,
      url: () => `${services.url}?${query}`,
      sources,
      kind: 'body',
      count: inFlight * (options.quick ? 2 : 4),
      inFlight,
      isMarked: true,
      check({ content }, source) {
        if (sha256(content) !== hashes[source]) throw new Error("not the floor's result");
      },
    });
    const peaks = sums(watch.peaks(), 'peakRssMb');
    const each = (total(peaks) - total(atRest)) / inFlight;
    rows.push([name, String(inFlight), ...cellsOf(peaks), each.toFixed(0)]);
  }
  await services.stop();
}

/** Progressive, 12000 × 12000, of one colour: about a megabyte, and 864 MB of coefficients and pixels. */
async function ofGiant(): Promise<void> {
  const side = 12_000;
  const create = { width: side, height: side, channels: 3, background: '#804020' } as const;
  const giant = await sharp({ create, limitInputPixels: false })
    .jpeg({ progressive: true, quality: 80 })
    .toBuffer();
  const megabytes = (giant.length / 1e6).toFixed(1);
  const table = [
    [
      'MAX_WORK_BYTES',
      'in flight',
      'processed',
      'refused',
      ...roles.map((role) => `${role} MB`),
      'one worker MB',
    ],
  ];
  for (const [limitMb, inFlight] of [
    [512, 2],
    [1800, 1],
    [1800, 2],
  ] as const) {
    const services = await startServices({
      MAX_SOURCE_PIXELS: String(2 ** 28),
      MAX_WORK_BYTES: String(limitMb * 1_000_000),
    });
    using watch = watchPeaks(services.pids);
    const [answered, refused] = await sendGiant(services, giant, inFlight);
    const peaks = watch.peaks();
    const one = Math.max(...peaks.filter(({ role }) => role === 'worker').map(({ peakRssMb }) => peakRssMb));
    const cells = cellsOf(sums(peaks, 'peakRssMb')).slice(0, roles.length);
    table.push([`${limitMb} MB`, String(inFlight), answered, refused, ...cells, one.toFixed(0)]);
    await services.stop();
  }
  process.stdout.write(`A progressive JPEG of ${side} × ${side} pixels and ${megabytes} MB:\n\n`);
  printTable(table);
  process.stdout.write(
    '\nRefused is SOURCE_MEMORY_OVER_LIMIT, from the header only. A worker with much memory is replaced afterwards; its peak counts.\n',
  );
}

async function sendGiant(services: Services, giant: Uint8Array, inFlight: number): Promise<[string, string]> {
  let [answered, refused] = [0, 0];
  await Promise.all(
    Array.from({ length: inFlight }, async (_, lane) => {
      const upload = uploadOf(giant, 'body');
      upload.mark(lane);
      try {
        const { content } = await sender.ask(`${services.url}?${query}`, upload);
        const { dominant } = await sharp(content).stats();
        const { width, height } = await sharp(content).metadata();
        // 19595·128 + 38470·64 + 7471·32, in 65536ths: 79. The histogram of `stats` has steps of 16.
        if (width !== 1024 || height !== 768 || Math.abs(dominant.r - 79) > 8)
          throw new Error('a wrong result');
        answered++;
      } catch (error) {
        if (!(error instanceof HttpError && error.message.includes('SOURCE_MEMORY_OVER_LIMIT'))) throw error;
        refused++;
      }
    }),
  );
  return [String(answered), String(refused)];
}

function sums(processes: ReturnType<typeof memoryOfTree>, figure: 'rssMb' | 'peakRssMb'): readonly number[] {
  return roles.map((role) =>
    processes.filter((one) => one.role === role).reduce((sum, one) => sum + one[figure], 0),
  );
}

function total(figures: readonly number[]): number {
  return figures.reduce((sum, figure) => sum + figure, 0);
}

function cellsOf(figures: readonly number[]): string[] {
  return [...figures, total(figures)].map((figure) => figure.toFixed(0));
}
