import { readFileSync } from 'node:fs';
import { apiEnvironment } from '../../src/api/config.ts';
import { apiBytes } from '../../src/api/memory/held-bytes.ts';
import { readEnvironment } from '../../src/environment.ts';
import { containerMemory } from '../../src/processor/admission/work-memory.ts';
import { processorEnvironment } from '../../src/processor/config.ts';
import { code, table } from './markdown.ts';

/*
 * The tables of docs/capacity.md. CPU comes from the tables of docs/performance.md, memory from the sums by which
 * image-processor limits itself.
 */

const mebibyte = 2 ** 20;

/** Kinds of work of docs/performance.md, and the CPU of image-api in ms: measured per process, rounded up. */
const works: readonly (readonly [work: string, apiMs: number])[] = [
  ['6 MP JPEG → 1024 × 768 gray JPEG, exact', 4],
  ['6 MP JPEG → 224² FP32 NCHW, exact', 5],
  ['2 MP PNG → 1024 × 768 PNG, exact', 9],
];

/** Share of the CPU that is in use when the autoscaler adds pods. */
const utilisation = 0.7;
/** Cores of a node that the kubelet, its daemons and agents take. */
const reservedCores = 0.5;

/** Node sizes: vCPU, pods of each service, workers of each processor, and cores that the pods request. */
const nodes = [
  { cores: 2, pods: 1, workers: 2, apiCores: 0.25 },
  { cores: 4, pods: 1, workers: 3, apiCores: 0.5 },
  { cores: 8, pods: 1, workers: 7, apiCores: 1 },
  // One processor's server is a single thread: two pods of seven workers rather than one of fourteen.
  { cores: 16, pods: 2, workers: 7, apiCores: 1 },
] as const;
type NodeSize = (typeof nodes)[number];

/** CPU of a request with both services in one process, in ms: a miss, and a hit of the cache. */
function cpuOf(work: string): { readonly miss: number; readonly hit: number } {
  const page = readFileSync(new URL('../performance.md', import.meta.url), 'utf8');
  const rows = page.slice(page.indexOf(`| ${work}: way |`)).split('\n');
  const of = (way: string) => Number(rows.find((row) => row.startsWith(`| ${way} |`))?.split('|')[2]);
  const cpu = { miss: of('our service'), hit: of('our service, hot key') };
  if (!page.includes(`| ${work}: way |`) || Number.isNaN(cpu.miss + cpu.hit)) {
    throw new Error(`docs/performance.md has no table of "${work}"`);
  }
  return cpu;
}

export function costTable(): string {
  return table(
    ['work', 'miss', 'hit', 'image-api in pods of its own'],
    works.map(([work, apiMs]) => {
      const { miss, hit } = cpuOf(work);
      return [work, `${miss.toFixed(1)} ms`, `${hit.toFixed(1)} ms`, `${apiMs} ms`];
    }),
  );
}

/** The environment of a processor with so many workers. Each worker has the share that it has in manifests/base. */
export function processorEnvironmentFor(workers: number) {
  return {
    WORKERS: workers,
    DOCUMENT_WORKERS: Math.ceil(workers / 2),
    MAX_WORK_BYTES: workers * 300_000_000,
    MAX_QUEUE: workers * 8,
    MAX_QUEUE_BYTES: workers * 64 * mebibyte,
    MAX_HELD_BYTES: workers * 110 * mebibyte,
    MAX_DOWNLOADS: workers * 4,
    CACHE_MAX_BYTES: workers * 64 * mebibyte,
  };
}

const texts = (values: object) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));

/** The memory limit of a processor with so many workers, in MiB: its worst case, rounded up to a quarter of a GiB. */
export function processorMemory(workers: number): number {
  const config = readEnvironment(
    processorEnvironment,
    texts({ ...processorEnvironmentFor(workers), MAX_ANSWER_BYTES: 128 * mebibyte }),
  );
  return roundedUp(containerMemory(config));
}

/** The memory limit of image-api with the MAX_HELD_BYTES of the chart, in MiB. */
function apiMemory(): number {
  const { MAX_HELD_BYTES = 0 } = readEnvironment(apiEnvironment, texts({ MAX_HELD_BYTES: 512 * mebibyte }));
  return roundedUp(apiBytes + MAX_HELD_BYTES);
}

const roundedUp = (bytes: number) => Math.ceil(bytes / mebibyte / 256) * 256;

/** Cores that a processor requests: an equal part of what the node has left. */
const processorCores = ({ cores, pods, apiCores }: NodeSize) => (cores - reservedCores) / pods - apiCores;

const gibibytes = (mebibytes: number) => `${mebibytes / 1024} GiB`;

export function nodeTable(): string {
  return table(
    [
      'node',
      'memory in use',
      'image-processor',
      'requests, limits',
      'image-api',
      'requests, limits',
      ...works.map(([work]) => work),
    ],
    nodes.map((node) => {
      const { cores, pods, workers, apiCores } = node;
      const memory = processorMemory(workers);
      return [
        `${cores} vCPU`,
        gibibytes(pods * (memory + apiMemory())),
        `${pods} × ${workers} workers`,
        `${processorCores(node)} cores, ${Math.ceil(cores / pods)} cores, ${gibibytes(memory)}`,
        `${pods}`,
        `${apiCores} cores, ${Math.max(1, apiCores)} cores, ${gibibytes(apiMemory())}`,
        ...works.map(([work]) => `${imagesPerSecond(cores, cpuOf(work).miss)}/s`),
      ];
    }),
  );
}

/** Images a second of a node at the load that the autoscaler aims at. */
function imagesPerSecond(cores: number, cpuMs: number): number {
  return Math.floor((utilisation * (cores - reservedCores) * 1000) / cpuMs);
}

export function valueTable(): string {
  const sizes = [...new Set(nodes.map(({ workers }) => workers))].map(processorEnvironmentFor);
  const names = Object.keys(processorEnvironmentFor(1)) as (keyof ReturnType<
    typeof processorEnvironmentFor
  >)[];
  const perWorker = processorEnvironmentFor(1);
  return table(
    ['variable', 'per worker', ...sizes.map(({ WORKERS }) => `${WORKERS} workers`)],
    [
      ...names.map((name) => [
        code(name),
        String(perWorker[name]),
        ...sizes.map((size) => String(size[name])),
      ]),
      ['memory limit', '', ...sizes.map(({ WORKERS }) => `${processorMemory(WORKERS)}Mi`)],
      ['autoscaling.inFlight', '', ...sizes.map(({ WORKERS }) => inFlight(WORKERS).toFixed(1))],
    ],
  );
}

/**
 * Images in workers and queue on average, at the load that the autoscaler aims at: those of an M/M/c queue, by
 * Erlang's C.
 */
export function inFlight(workers: number, load = utilisation): number {
  const offered = workers * load;
  let term = 1;
  let sum = 1;
  for (let served = 1; served < workers; served++) {
    term *= offered / served;
    sum += term;
  }
  const all = (term * offered) / workers / (1 - load);
  const waits = all / (sum + all);
  return offered + (waits * load) / (1 - load);
}

/** Values of the chart for each node size, as YAML. */
export function chartValues(): string {
  return nodes
    .map((node) => {
      const { cores, pods, workers, apiCores } = node;
      const memory = `${processorMemory(workers)}Mi`;
      const environment = Object.entries(processorEnvironmentFor(workers));
      return [
        `**${cores} vCPU**`,
        '',
        '```yaml',
        'api:',
        `  replicas: ${pods}`,
        '  resources:',
        `    requests: { cpu: ${milli(apiCores)}, memory: ${apiMemory()}Mi }`,
        `    limits: { cpu: ${milli(Math.max(1, apiCores))}, memory: ${apiMemory()}Mi }`,
        'processor:',
        `  replicas: ${pods}`,
        '  env:',
        ...environment.map(([name, value]) => `    ${name}: ${value}`),
        '  resources:',
        `    requests: { cpu: ${milli(processorCores(node))}, memory: ${memory} }`,
        `    limits: { cpu: ${milli(Math.ceil(cores / pods))}, memory: ${memory} }`,
        '```',
      ].join('\n');
    })
    .join('\n\n');
}

const milli = (cores: number) => `${cores * 1000}m`;

/** The worked example: processors and APIs for a load of the first work with a share of hits. */
export function example(): string {
  const [[work, apiMs]] = works as [(typeof works)[number]];
  const { miss, hit } = cpuOf(work);
  const [load, hits, cores] = [500, 0.2, 2];
  const mean = (1 - hits) * miss + hits * hit;
  const processors = Math.ceil((load * mean) / 1000 / (cores * utilisation));
  const apis = Math.ceil((load * apiMs) / 1000 / utilisation);
  return (
    `${load} a second of the first kind, one in five a hit, processors of ${cores} cores: ${load} × ${mean.toFixed(1)} ms = ` +
    `${((load * mean) / 1000).toFixed(1)} cores, so **${processors} processors**, ${Math.ceil(processors * 1.5)} with a zone to spare; ` +
    `${load} × ${apiMs} ms = ${((load * apiMs) / 1000).toFixed(1)} cores, so **${apis} APIs**, ${Math.ceil(apis * 1.5)} with a zone to spare.`
  );
}
