import { readFile } from 'node:fs/promises';
import { create } from '@bufbuild/protobuf';
import {
  Pixels,
  ProcessRequestSchema,
  TensorContainer,
  TensorOutputSchema,
} from '../gen/image/v1/processor_pb.ts';
import { readHeader } from '../src/processor/codecs/read-header.ts';
import { createPresets } from '../src/processor/presets/presets.ts';
import { planOf } from '../src/processor/rules/rules.ts';
import { startWorkerPool } from '../src/processor/workers/pool.ts';
import { runOnePlan } from '../test/support/one-plan.ts';
import { encoded, photoLike } from '../test/support/pictures.ts';
import { plannedImage } from '../test/support/plans.ts';
import { reach } from './figures.ts';
import { type Cost, costOf, costOfUploads, createSender, sha256, type UploadKind } from './load.ts';
import { benchArguments, inParallel, median, percentile, printTable } from './measure.ts';
import { startPython, startPythonApp } from './python.ts';
import { startServices, workers } from './services.ts';
import { warmUp } from './warm-up.ts';

/*
 * A 720p JPEG to Qwen2.5-VL's uint8 patches: by a worker, by the whole service, by transformers and by transformers in
 * FastAPI.
 */

const options = benchArguments();
const rounds = options.quick ? 2 : 5;
const count = options.quick ? 16 : 32;
const inFlight = 8;
const maxPixels = 2 ** 28;

const source = await encoded(photoLike(1280, 720, 1), 'jpeg', { quality: 85 });
const config = await readFile(new URL('./rivals/qwen2_5_vl.json', import.meta.url), 'utf8');

/** The tensors of a safetensors file by name: type, shape, hash of the values. */
function tensorsOf(content: Uint8Array): string {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> =
    JSON.parse(bytes.toString('utf8', 8, start));
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        return `${name} ${dtype} [${shape}] ${sha256(bytes.subarray(start + from, start + to))}`;
      },
    )
    .sort()
    .join('\n');
}

let expected = '';

/** @throws if a response has other tensors than the first one */
function check(content: Uint8Array): void {
  const tensors = tensorsOf(content);
  expected ||= tensors;
  if (tensors !== expected) throw new Error(`other tensors:\n${tensors}\nexpected:\n${expected}`);
}

/** A way to do the work. */
interface Way {
  measure(count: number): Promise<Cost>;
  stop(): Promise<unknown>;
}

async function worker(): Promise<Way> {
  const pool = await startWorkerPool(workers);
  const tensor = create(TensorOutputSchema, {
    container: TensorContainer.SAFETENSORS,
    pixels: Pixels.UINT8,
  });
  const request = create(ProcessRequestSchema, {
    preprocessorConfig: config,
    output: { case: 'tensor', value: tensor },
  });
  const plan = planOf(request, maxPixels, createPresets({}));
  return {
    measure: (times) =>
      costOf(pool.pids().pixels, () =>
        inParallel(times, inFlight, async () => {
          const header = await readHeader(source, maxPixels);
          const { content } = await runOnePlan(pool, {
            content: source,
            header,
            images: [plannedImage(header, plan)],
          });
          check(content);
        }),
      ),
    stop: pool.close,
  };
}

const sender = createSender(inFlight);

function uploads(pids: readonly number[], url: string, kind: UploadKind, stop: () => Promise<unknown>): Way {
  const load = { pids, sender, sources: [source], kind, inFlight, isMarked: true } as const;
  return {
    measure: (times) =>
      costOfUploads({ ...load, url: () => url, count: times, check: ({ content }) => check(content) }),
    stop,
  };
}

async function service(): Promise<Way> {
  const services = await startServices();
  await warmUp(services, sender);
  const query = new URLSearchParams({
    preprocessor_config: config,
    pixels: 'uint8',
    format: 'safetensors',
  });
  return uploads(services.pids, `${services.url}?${query}`, 'body', services.stop);
}

const modules = 'transformers, torchvision, safetensors, PIL';

async function transformers(): Promise<Way | undefined> {
  const script = new URL('./rivals/python_alone.py', import.meta.url);
  const python = await startPython(options.python, script, modules, ['transformers']);
  if (python === undefined) return undefined;
  await python.ask({ files: [Buffer.from(source).toString('base64')] });
  return {
    async measure(times) {
      const cost = await costOf([python.pid], () => python.ask<number[]>({ work: 'patches', count: times }));
      const [answer = ''] = await python.ask<string[]>({ answers: true });
      check(Buffer.from(answer, 'base64'));
      return cost;
    },
    stop: async () => python.end(),
  };
}

async function fastApi(): Promise<Way | undefined> {
  const script = new URL('./rivals/fastapi_apps.py', import.meta.url);
  const all = `fastapi, uvicorn, python_multipart, ${modules}`;
  const app = await startPythonApp(options.python, script, 'transformers', all);
  if (app === undefined) return undefined;
  return uploads([app.pid], `http://127.0.0.1:${app.port}/patches`, 'multipart', app.stop);
}

const [ours, whole, theirs, theirsWhole] = [
  'our worker',
  'our service',
  'transformers, torch backend, no service',
  'transformers in FastAPI, multipart',
] as const;
const started = {
  [ours]: await worker(),
  [whole]: await service(),
  [theirs]: await transformers(),
  [theirsWhole]: await fastApi(),
};
const ways = new Map(Object.entries(started).flatMap(([name, way]) => (way ? [[name, way] as const] : [])));

const costs = new Map([...ways.keys()].map((name) => [name, [] as Cost[]]));
for (let round = -1; round < rounds; round++) {
  for (const [name, { measure }] of ways) {
    const cost = await measure(round < 0 ? inFlight : count);
    if (round >= 0) costs.get(name)?.push(cost);
  }
}

const figure = (name: string, of: (cost: Cost) => number) => median((costs.get(name) ?? []).map(of));
const cpu = (name: string) => figure(name, ({ cpuMs }) => cpuMs);
printTable([
  ['720p JPEG → Qwen2.5-VL uint8 patches', 'CPU ms', 'images/s', 'p50 ms', 'p99 ms'],
  ...[...costs].map(([name, all]) => {
    const times = all.flatMap((cost) => cost.times);
    return [
      name,
      cpu(name).toFixed(1),
      figure(name, ({ perSecond }) => perSecond).toFixed(1),
      percentile(times, 0.5).toFixed(0),
      percentile(times, 0.99).toFixed(0),
    ];
  }),
]);
process.stdout.write(`\n${inFlight} in flight; transformers without a service has one.\n`);
if (ways.has(theirs)) reach('patchesWorker', [cpu(ours) / cpu(theirs)]);
if (ways.has(theirsWhole)) reach('patchesService', [cpu(whole) / cpu(theirsWhole)]);

await Promise.all(Array.from(ways.values(), ({ stop }) => stop()));
await sender.close();
