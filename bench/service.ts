import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { Agent, request } from 'undici';
import type { Plan } from '../src/processor/image/plan.ts';
import {
  asked,
  benchArguments,
  benchPictures,
  endWithUs,
  inParallel,
  median,
  percentile,
  printTable,
  startMain,
  startPython,
  withMark,
} from './measure.ts';
import type { Done, Work } from './rival.ts';

/*
 * The whole service over HTTP, both processes real, beside the same work with no service around it. In turn, so
 * that the ratios hold on a noisy machine. CPU is user + sys of the processes that do the work, not of the one
 * that sends. Every answer is compared with the floor's, whose stages the tests hold to Pillow's pixels.
 */

const options = benchArguments();
const rounds = options.quick ? 1 : 3;
const count = options.quick ? 16 : 24;
const inFlight = 8;

const pictures = await benchPictures(options.images);
const processor = await startMain('processor', { METRICS_PORT: '0', WORKERS: '2' });
const api = await startMain('api', { PROCESSOR_URL: `http://127.0.0.1:${processor.port}` });
const rival = fork(new URL('./rival.ts', import.meta.url), {
  env: { ...process.env, UV_THREADPOOL_SIZE: '6' },
});
endWithUs(rival);
await once(rival, 'message');
const python = await startPython(
  options.python,
  `
import base64, io, json, sys, time
import numpy as np
from PIL import Image, ImageOps
mean = np.full((3, 1, 1), 0.5, np.float32)
for line in iter(sys.stdin.buffer.readline, b""):
    work = json.loads(line)
    sources = [base64.b64decode(file) for file in work["files"]]
    cpu, wall, times = time.process_time(), time.perf_counter(), []
    for index in range(work["count"]):
        start = time.perf_counter()
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(sources[index % len(sources)]))).convert("RGB")
        image = image.resize(work["size"], Image.Resampling.BILINEAR)
        if work["format"] == "raw":
            values = np.asarray(image, np.float32).transpose(2, 0, 1) * np.float32(1 / 255)
            answer = np.ascontiguousarray((values - mean) / mean).tobytes()
        else:
            out = io.BytesIO()
            options = {"quality": 90} if work["format"] == "jpeg" else {}
            (image.convert("L") if work["grayscale"] else image).save(out, work["format"], **options)
            answer = out.getvalue()
        assert len(answer) > 1000
        times.append((time.perf_counter() - start) * 1000)
    print(json.dumps({"cpuMs": (time.process_time() - cpu) * 1000, "wallMs": (time.perf_counter() - wall) * 1000,
                      "times": times, "answers": []}), flush=True)
`,
  'PIL, numpy',
);
const agent = new Agent({ connections: inFlight });

const to = (width: number, height: number, numerics: Plan['numerics'], output: Plan['output']): Plan => ({
  resize: { filter: 'bilinear', fit: 'fill', width, height },
  grayscale: output.kind === 'image' && output.format === 'jpeg',
  numerics,
  background: undefined,
  output,
});
const image = (format: 'jpeg' | 'png') => ({ kind: 'image', format, quality: undefined }) as const;
const tensor = {
  kind: 'tensor',
  datatype: 'FP32',
  layout: 'NCHW',
  rescaleFactor: 1 / 255,
  mean: [0.5],
  std: [0.5],
  channelOrder: 'RGB',
  container: 'raw',
} as const;
const cases: readonly [name: string, plan: Plan, sources: readonly Uint8Array[]][] = [
  ['6 MP JPEG → 1024 × 768 gray JPEG, exact', to(1024, 768, 'exact', image('jpeg')), pictures.jpeg],
  ['6 MP JPEG → 1024 × 768 gray JPEG, fast', to(1024, 768, 'fast', image('jpeg')), pictures.jpeg],
  ['6 MP JPEG → 224² FP32 NCHW, exact', to(224, 224, 'exact', tensor), pictures.jpeg],
  ['2 MP PNG → 1024 × 768 PNG, exact', to(1024, 768, 'exact', image('png')), pictures.png],
];

let rows = [['work', 'way', 'CPU ms', '× floor', 'images/s', 'p50 ms', 'p99 ms']];
let serial = 0;
for (const [name, plan, sources] of cases) {
  if (sources.length === 0) continue;
  const files = sources.map((source) => Buffer.from(source).toString('base64'));
  const work = (way: Work['way']) => asked<Done>(rival, { way, files, plan, count, inFlight } satisfies Work);
  const { answers } = await work('floor');
  const ways = new Map<string, () => Promise<Done>>([
    ['the floor: our stages alone', () => work('floor')],
    ['whole service', () => viaService(plan, sources, answers, 'miss')],
    ['whole service, hot key', () => viaService(plan, sources, answers, 'hit')],
    ['sharp’s obvious chain alone', () => work('sharp')],
  ]);
  if (python)
    ways.set('Pillow + numpy alone, one thread', () =>
      python.ask<Done>({ ...pythonWork(plan), files, count }),
    );
  const runs = new Map([...ways.keys()].map((way) => [way, [] as Done[]]));
  for (let round = -1; round < rounds; round++) {
    for (const [way, run] of ways) {
      const done = await run();
      if (round >= 0) runs.get(way)?.push(done);
    }
  }
  const floorMs = median((runs.get('the floor: our stages alone') ?? []).map((done) => done.cpuMs / count));
  for (const [way, all] of runs) {
    const cpu = median(all.map((done) => done.cpuMs / count));
    const times = all.flatMap((done) => done.times);
    rows.push([
      name,
      way,
      cpu.toFixed(1),
      (cpu / floorMs).toFixed(2),
      median(all.map((done) => (count / done.wallMs) * 1000)).toFixed(1),
      percentile(times, 0.5).toFixed(0),
      percentile(times, 0.99).toFixed(0),
    ]);
  }
  // A table a piece of work: what is done is seen while the rest runs.
  printTable(rows);
  process.stdout.write('\n');
  rows = rows.slice(0, 1);
}
const [apiUsage, processorUsage] = [await api.usage(), await processor.usage()];
process.stdout.write(
  `\n${inFlight} in flight (Python: one). Peak RSS: image-api ${apiUsage.peakRssMb.toFixed(0)} MB, image-processor ${processorUsage.peakRssMb.toFixed(0)} MB.\n`,
);
python?.end();
rival.disconnect();
await agent.close();
await api.stop();
await processor.stop();

function pythonWork({ resize, output, grayscale }: Plan) {
  if (resize?.fit !== 'fill') throw new Error('only fill');
  const format = output.kind === 'tensor' ? 'raw' : output.format;
  return { size: [resize.width, resize.height], grayscale, format };
}

async function viaService(
  plan: Plan,
  sources: readonly Uint8Array[],
  answers: readonly string[],
  cache: 'hit' | 'miss',
): Promise<Done> {
  const { size, grayscale, format } = pythonWork(plan);
  const query = `width=${size[0]}&height=${size[1]}&filter=bilinear&grayscale=${grayscale}&numerics=${plan.numerics}&format=${format}`;
  const url = `http://127.0.0.1:${api.port}/v1/images?${query}${format === 'raw' ? '&mean=0.5&std=0.5' : ''}`;
  const send = async (index: number, mark: string, expected: 'hit' | 'miss' | undefined) => {
    const at = index % sources.length;
    const { statusCode, headers, body } = await request(url, {
      method: 'POST',
      body: withMark(sources[at] as Uint8Array, mark),
      headers: { 'content-type': 'application/octet-stream' },
      dispatcher: agent,
    });
    const answer = Buffer.from(await body.arrayBuffer());
    if (statusCode !== 200) throw new Error(`${statusCode} ${answer}`);
    const state = String(headers['cache-status']).includes('hit') ? 'hit' : 'miss';
    if (expected !== undefined && state !== expected) throw new Error(`a cache ${state}, not ${expected}`);
    const hash = createHash('sha256').update(answer).digest('hex');
    if (hash !== answers[at]) throw new Error(`${query}: not the floor's answer`);
  };
  const mark = (index: number) => (cache === 'hit' ? 'hot' : `serial ${serial++} of ${index}`);
  if (cache === 'hit') {
    for (const index of sources.keys()) await send(index, 'hot', undefined);
  }
  const used = async () => (await api.usage()).cpuMs + (await processor.usage()).cpuMs;
  const before = await used();
  const start = performance.now();
  const times = await inParallel(count, inFlight, (index) => send(index, mark(index), cache));
  const wallMs = performance.now() - start;
  return { cpuMs: (await used()) - before, wallMs, times, answers };
}
