import { existsSync } from 'node:fs';
import process from 'node:process';
import { create } from '@bufbuild/protobuf';
import { Filter, ImageFormat, ProcessRequestSchema } from '../gen/image/v1/processor_pb.ts';
import { createProcessorClient } from '../src/api/upstream/processor-client.ts';
import { startDeadline } from '../src/deadline.ts';
import { nextSerial, sha256, withMark } from './load.ts';
import { benchArguments, inParallel, median, printTable } from './measure.ts';
import { benchPictures } from './pictures.ts';
import { cpuClockMs, memoryOfTree } from './process-tree.ts';
import { startMain, workers } from './services.ts';

/*
 * The effect of malloc's settings on the workers: the same work for a processor of each, in turn. CPU of the workers only,
 * their peaks and what they hold afterwards.
 */

const options = benchArguments();
const rounds = options.quick ? 1 : 3;
const count = options.quick ? 6 : 24;

/** MALLOC_ARENA_MAX is what workers/child.ts sets; null takes it away. */
const settings: Record<string, Readonly<Record<string, string | null>>> = {
  'glibc, its defaults': { MALLOC_ARENA_MAX: null },
  'MALLOC_ARENA_MAX=1': { MALLOC_ARENA_MAX: '1' },
  '**MALLOC_ARENA_MAX=2**, as workers/child.ts has it': {},
  'the same, and MALLOC_TRIM_THRESHOLD_=128 MiB': { MALLOC_TRIM_THRESHOLD_: '134217728' },
  'the same, and MALLOC_MMAP_THRESHOLD_=32 MiB, _TRIM_ 128 MiB': {
    MALLOC_MMAP_THRESHOLD_: '33554432',
    MALLOC_TRIM_THRESHOLD_: '134217728',
  },
  'the same, and MALLOC_MMAP_THRESHOLD_=32 MiB, _TRIM_ 128 MiB, _TOP_PAD_ 16 MiB': {
    MALLOC_MMAP_THRESHOLD_: '33554432',
    MALLOC_TRIM_THRESHOLD_: '134217728',
    MALLOC_TOP_PAD_: '16777216',
  },
};
const jemalloc = [
  '/usr/lib/x86_64-linux-gnu/libjemalloc.so.2',
  '/usr/lib/aarch64-linux-gnu/libjemalloc.so.2',
].find(existsSync);
if (jemalloc !== undefined) settings.jemalloc = { MALLOC_ARENA_MAX: null, LD_PRELOAD: jemalloc };

const pictures = await benchPictures(options.images);
const tasks = [
  { name: 'JPEG', sources: pictures.jpeg, format: ImageFormat.JPEG },
  { name: 'PNG', sources: pictures.png, format: ImageFormat.PNG },
].filter(({ sources }) => sources.length > 0);
const answers = new Map<string, string>();

const processors = await Promise.all(
  Object.entries(settings).map(async ([name, environment]) => {
    const processor = await startMain(
      'processor',
      { WORKERS: String(workers), BENCH_WORKER_ENVIRONMENT: JSON.stringify(environment) },
      [new URL('./worker-environment.ts', import.meta.url).href],
    );
    const client = createProcessorClient(`http://127.0.0.1:${processor.port}`, 256 * 1024 * 1024);
    return { name, processor, client, cpu: tasks.map(() => [] as number[]) };
  }),
);
for (let round = -1; round < rounds; round++) {
  for (const one of processors) {
    for (const [at, task] of tasks.entries()) {
      const before = workersOf(one.processor.pid);
      await inParallel(count, workers * 2, (index) => send(one.client, task, index));
      const after = workersOf(one.processor.pid);
      // A worker that was replaced meanwhile would take its CPU with it.
      if (before.pids.join() !== after.pids.join()) throw new Error(`${one.name}: a worker was replaced`);
      if (round >= 0) one.cpu[at]?.push((after.cpuMs - before.cpuMs) / count);
    }
  }
}
printTable([
  ['the workers’ allocator', ...tasks.map(({ name }) => `${name} CPU ms`), 'peak MB', 'afterwards MB'],
  ...processors.map(({ name, processor, cpu }) => {
    const { uses } = workersOf(processor.pid);
    const sum = (figure: 'peakRssMb' | 'rssMb') => uses.reduce((all, use) => all + use[figure], 0);
    return [
      name,
      ...cpu.map((times) => median(times).toFixed(1)),
      sum('peakRssMb').toFixed(0),
      sum('rssMb').toFixed(0),
    ];
  }),
]);
process.stdout.write(
  `\n6 MP JPEG → 1024 × 768 gray JPEG, and 2 MP PNG → 1024 × 768 gray PNG; CPU of ${workers} workers a picture, memory of both together.${jemalloc === undefined ? ' jemalloc is not installed and left out.' : ''}\n`,
);
for (const { client, processor } of processors) {
  client.close();
  await processor.stop();
}

function workersOf(pid: number) {
  const uses = memoryOfTree([pid]).filter(({ role }) => role === 'worker');
  const pids = uses.map((use) => use.pid);
  return { uses, pids, cpuMs: pids.reduce((sum, worker) => sum + cpuClockMs(worker), 0) };
}

async function send(
  client: ReturnType<typeof createProcessorClient>,
  { name, sources, format }: (typeof tasks)[number],
  index: number,
): Promise<void> {
  const at = index % sources.length;
  using deadline = startDeadline(new AbortController().signal, 60_000);
  const { content } = await client.process(
    create(ProcessRequestSchema, {
      source: { case: 'content', value: withMark(sources[at] as Uint8Array, String(nextSerial())) },
      resize: { width: 1024, height: 768, filter: Filter.BILINEAR },
      grayscale: true,
      output: { case: 'image', value: { format } },
    }),
    deadline,
  );
  const key = `${name} ${at}`;
  const answer = answers.get(key) ?? sha256(content);
  answers.set(key, answer);
  if (answer !== sha256(content)) throw new Error(`${key}: not the others' result`);
}
