import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { create } from '@bufbuild/protobuf';
import {
  Numerics,
  ProcessRequestSchema,
  TensorContainer,
  TensorOutputSchema,
} from '../gen/image/v1/processor_pb.ts';
import { readHeader } from '../src/processor/codecs/read-header.ts';
import { geometryOf } from '../src/processor/image/geometry.ts';
import { processPixels, warmUp } from '../src/processor/image/process-pixels.ts';
import { createPresets } from '../src/processor/presets/presets.ts';
import { planOf } from '../src/processor/rules/rules.ts';
import { priceOfSkew } from '../src/processor/skew/price.ts';
import { runSkewJob, type SkewJob } from '../src/processor/skew/skew-job.ts';
import { encoded, photoLike } from '../test/support/pictures.ts';
import { printTable } from './measure.ts';

/*
 * The cost of a comparison in a fresh worker, beside the price by which it is admitted: the growth of the process's peak
 * (VmHWM) and its CPU. `node bench/skew.ts` prints the table; its figures are in src/processor/skew/price.ts.
 */

const preset = 'openai/clip-vit-base-patch32';
const maxPixels = 2 ** 27;
const presets = createPresets({});
const sources = [
  { width: 3000, height: 2000, format: 'jpeg' },
  { width: 6000, height: 4000, format: 'jpeg' },
  { width: 8000, height: 6000, format: 'jpeg' },
  { width: 6000, height: 4000, format: 'png' },
] as const;
/** The given tensors: a wrong resize, and values of another image, for which the search takes all its trials. */
const kinds = ['wrong resize', 'another image'] as const;

const [imagePath, tensorPath] = process.argv.slice(2);
if (imagePath === undefined || tensorPath === undefined) await measureAll();
else process.stdout.write(JSON.stringify(await measure(imagePath, tensorPath)));

async function measureAll(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-skew-'));
  const [image, tensor] = [join(folder, 'image'), join(folder, 'tensor')];
  const program = fileURLToPath(import.meta.url);
  const other = await encoded(photoLike(640, 480, 7), 'png');
  const rows = [['source', 'tensor', 'peak MB', 'priced MB', 'CPU ms', 'priced ms']];
  try {
    for (const { width, height, format } of sources) {
      const source = await encoded(photoLike(width, height), format);
      writeFileSync(image, source);
      for (const kind of kinds) {
        writeFileSync(tensor, await wrongTensorOf(kind === 'another image' ? other : source));
        const text = execFileSync(process.execPath, ['--expose-gc', program, image, tensor]);
        const { peakBytes, cpuMs, price } = JSON.parse(text.toString()) as Awaited<
          ReturnType<typeof measure>
        >;
        const megapixels = `${(width * height) / 1e6} MP ${format.toUpperCase()}`;
        const memory = [peakBytes, price.memoryBytes].map((bytes) => (bytes / 1e6).toFixed(0));
        rows.push([megapixels, kind, ...memory, cpuMs.toFixed(0), price.workMs.toFixed(0)]);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  printTable(rows);
}

/** Compares in this process, which has done nothing else. */
async function measure(image: string, tensor: string) {
  await warmUp();
  const content = readFileSync(image);
  const job: SkewJob = {
    ...(await plannedImage(content, {})),
    given: {
      kind: 'tensor',
      content: readFileSync(tensor),
      container: 'raw',
      shape: [1, 3, 224, 224],
      datatype: 'FP32',
      name: '',
    },
    wantsMap: true,
    subject: 'the expected tensor',
  };
  const before = peakOfThis();
  const start = process.cpuUsage();
  await runSkewJob(job);
  const { user, system } = process.cpuUsage(start);
  return { peakBytes: peakOfThis() - before, cpuMs: (user + system) / 1000, price: priceOfSkew(job) };
}

/** Without antialiasing, by libvips. */
async function wrongTensorOf(content: Uint8Array): Promise<Uint8Array> {
  const { header, expected } = await plannedImage(content, { numerics: Numerics.FAST });
  const [outcome] = await processPixels({ content, header, images: [expected] });
  if (outcome === undefined || 'failure' in outcome) throw new Error('no tensor');
  return Uint8Array.from(outcome.result.content);
}

async function plannedImage(content: Uint8Array, options: { readonly numerics?: Numerics }) {
  const header = await readHeader(content, maxPixels);
  const value = create(TensorOutputSchema, { container: TensorContainer.RAW });
  const request = create(ProcessRequestSchema, { ...options, preset, output: { case: 'tensor', value } });
  const plan = planOf(request, maxPixels, presets);
  return { content, header, expected: { plan, geometry: geometryOf(header, plan) } };
}

/** Of the resident memory of this process so far, in bytes. */
function peakOfThis(): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
  return Number(kilobytes) * 1024;
}
