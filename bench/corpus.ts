import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildOnce } from '../src/start/build-once.js';
import { printTable } from './measure.ts';
import { cpuMsOfTree } from './process-tree.ts';
import { pythonHas } from './python.ts';
import { asked, ended, startMain, startPart, workers } from './services.ts';

/*
 * `image-client corpus`, with a processor and with `--local`, beside img2dataset: the same URLs of an origin of which a fifth fails, the same timeout, the same
 * concurrency, the same resize by OpenCV's INTER_AREA to JPEGs of quality 95 in tar files.
 *
 *   node bench/corpus.ts --python PYTHON_WITH_IMG2DATASET [--rows 10000] [--rounds 1] [--ours]
 *
 * `--ours` leaves img2dataset out, and needs any Python.
 */

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    rows: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '1' },
    ours: { type: 'boolean', default: false },
  },
});
const rows = Number(values.rows);
const timeoutSeconds = 2;
const inFlight = 64;
const side = 256;
const rowsPerShard = 1000;

interface Usage {
  readonly status: number;
  readonly seconds: number;
  readonly cpu_seconds: number;
  readonly peak_mb: number;
}

/** One run of a way: its time, and what it stored. */
interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** The part of the programs that read the list and write the shards. */
  readonly clientSeconds?: number;
  readonly stored: number;
  /** Requests to the address that nobody should visit. */
  readonly visits: number;
}

if (!values.ours && !(await pythonHas(values.python, 'img2dataset'))) {
  throw new Error('--python has no img2dataset');
}
// As users start it: built into one file.
if ((await buildOnce()) !== 0) throw new Error('the programs cannot be built');
const folder = await mkdtemp(join(tmpdir(), 'bench-corpus-'));
let measurements = 0;
const { child: origin, hello: url } = await startPart<string>('./corpus-origin.ts', []);
const list = join(folder, 'list.txt');
await writeFile(list, Array.from({ length: rows }, (_, row) => `${url}/${row}.jpg\n`).join(''));
const environment = {
  URL_ALLOWED_HOSTS: new URL(url).host,
  // One host gets half of the downloads.
  MAX_DOWNLOADS: String(4 * inFlight),
  MAX_QUEUE: String(4 * inFlight),
  // A response has half of it to begin.
  DOWNLOAD_TIMEOUT_MS: String(2 * timeoutSeconds * 1000),
};
const processor = await startMain('processor', {
  ...environment,
  WORKERS: String(workers),
  LOG_LEVEL: 'info',
});
const ways = {
  'image-client corpus --local': (out: string) => ours(out, ['--local']),
  'image-client corpus': (out: string) => ours(out, [`--processor=127.0.0.1:${processor.port}`]),
  ...(!values.ours && { img2dataset: theirs }),
};
const runs = new Map(Object.keys(ways).map((name) => [name, [] as Run[]]));
try {
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, run] of Object.entries(ways)) {
      const before = await asked<number>(origin, 'visits');
      const result = await run(join(folder, `${name}-${round}`));
      const visits = (await asked<number>(origin, 'visits')) - before;
      runs.get(name)?.push({ ...result, visits });
    }
  }
} finally {
  await Promise.all([processor.stop(), ended(origin)]);
  await rm(folder, { recursive: true });
}
print();

async function ours(out: string, connection: readonly string[]): Promise<Omit<Run, 'visits'>> {
  const client = (...words: string[]) => [
    process.execPath,
    fileURLToPath(new URL('../dist/image-client.js', import.meta.url)),
    'corpus',
    ...words,
    `--out=${out}`,
    '--quiet',
    ...connection,
  ];
  const size = [`--width=${side}`, `--height=${side}`, '--fit=contain', '--background=#ffffff'];
  const pixels = ['--numerics=opencv', '--filter=box', '--no-grayscale', '--format=jpeg', '--quality=95'];
  await measured(client('plan', list, ...size, ...pixels, `--rows-per-shard=${rowsPerShard}`));
  const before = cpuMsOfTree([processor.pid]);
  const shards = Math.ceil(rows / rowsPerShard);
  const each = inFlight / workers;
  const limits = [`--in-flight=${each}`, `--per-host=${each}`, '--tries=1'];
  // As many processes as img2dataset has, each with a part of the shards.
  const usages = await Promise.all(
    Array.from({ length: Math.min(workers, shards) }, (_, part) => {
      const [first, end] = [part, part + 1].map((at) =>
        Math.floor((at * shards) / Math.min(workers, shards)),
      );
      return measured(client('work', `--shard=${first}-${(end as number) - 1}`, ...limits));
    }),
  );
  // With `--local`, of everything.
  const cpuOfClients = usages.reduce((sum, usage) => sum + usage.cpu_seconds, 0);
  const cpuSeconds = cpuOfClients + (cpuMsOfTree([processor.pid]) - before) / 1000;
  const indexes = await Promise.all(
    (await readdir(join(out, 'index'))).map((name) => readFile(join(out, 'index', name), 'utf8')),
  );
  const stored = indexes.join('').split('"outcome":"stored"').length - 1;
  const seconds = Math.max(...usages.map((usage) => usage.seconds));
  return { seconds, cpuSeconds, clientSeconds: cpuOfClients, stored };
}

async function theirs(out: string): Promise<Omit<Run, 'visits'>> {
  const usage = await measured([
    values.python,
    '-m',
    'img2dataset.main',
    ...[`--url_list=${list}`, '--input_format=txt', `--output_folder=${out}`, '--output_format=webdataset'],
    ...[`--image_size=${side}`, '--resize_mode=border', '--encode_quality=95', '--retries=0'],
    ...[`--number_sample_per_shard=${rowsPerShard}`, `--timeout=${timeoutSeconds}`],
    ...[`--processes_count=${workers}`, `--thread_count=${inFlight / workers}`],
  ]);
  const stats = (await readdir(out)).filter((name) => name.endsWith('_stats.json'));
  const counts = await Promise.all(
    stats.map(async (name) => JSON.parse(await readFile(join(out, name), 'utf8')).successes as number),
  );
  return {
    seconds: usage.seconds,
    cpuSeconds: usage.cpu_seconds,
    stored: counts.reduce((sum, count) => sum + count, 0),
  };
}

/** Runs a command to its end, and measures it and all its children. */
async function measured([program = '', ...args]: readonly string[]): Promise<Usage> {
  const file = join(folder, `usage-${measurements++}.json`);
  const script = fileURLToPath(new URL('./rivals/child_usage.py', import.meta.url));
  const child = spawn(values.python, [script, file, program, ...args], {
    // For processors of `--local`, one of which each process of ours has, with a part of the cores.
    env: {
      ...process.env,
      ...environment,
      LOG_LEVEL: 'error',
      WORKERS: '1',
      CACHE_MAX_BYTES: '0',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await once(child, 'exit');
  const usage: Usage = JSON.parse(await readFile(file, 'utf8'));
  if (usage.status !== 0) throw new Error(`${args[1]} ended with ${usage.status}`);
  return usage;
}

function print(): void {
  const number = (value: number, digits = 0) => value.toFixed(digits);
  const all = [...runs].flatMap(([name, list]) => list.map((run) => ({ name, ...run })));
  printTable([
    [
      'way',
      'stored',
      'seconds',
      'CPU seconds',
      'of the client',
      'images/s',
      'images/s of one core',
      'forbidden visits',
    ],
    ...all.map(({ name, stored, seconds, cpuSeconds, clientSeconds, visits }) => [
      name,
      `${stored} of ${rows}`,
      number(seconds),
      number(cpuSeconds),
      clientSeconds === undefined ? '' : number(clientSeconds, 1),
      number(stored / seconds),
      number(stored / cpuSeconds),
      String(visits),
    ]),
  ]);
}
