import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { figureRows, type Reached } from './figures.ts';
import { benchArguments, printTable } from './measure.ts';
import { endWithUs } from './services.ts';

/*
 * All tables of docs/performance.md in one run, as Markdown:
 *
 *   npm run bench -- [--python PATH] [--imgproxy PATH] [--images DIR] [--quick | --write]
 *
 * --write puts them into docs/performance.md as well, each between its markers. --quick prints only the first table, of the
 * overhead, in two minutes. Each part can be run by itself with the same arguments, a shorter one with --quick:
 * node bench/stages.ts
 */

const options = benchArguments();
if (options.quick && options.write) throw new Error('--write needs a full run, without --quick');

const parts = {
  overhead: 'Overhead',
  stages: 'Stages',
  encoders: 'Encoders’ settings',
  resample: 'The resampler beside Pillow’s',
  'event-loop': 'The processor’s event loop',
  transport: 'Transport',
  'all-but-pixels': 'All but pixels',
  service: 'The whole service',
  variants: 'One image, three outputs',
  patches: 'Patches of a vision-language model',
  'url-source': 'A URL source',
  mixed: 'A mixed load',
  memory: 'Memory',
  'at-rest': 'Memory at rest',
  start: 'Start',
  allocator: 'The workers’ allocator',
};
const reached: Reached[] = [];
const sections = new Map<string, string>();
/** Parts that ended with an error: --write leaves their tables as they are. */
const failed = new Set<string>();
/**
 * Flags of the parts, which send the requests: they collect their garbage rarely and in one thread. Four threads of the
 * sender's collector took both cores for 20 ms at a time, for which every program that was measured had to wait.
 */
const senderFlags = ['--single-threaded-gc', '--max-semi-space-size=64'];
/** A part that takes longer hangs. */
const partMs = 600_000;

await section('run', 'This run', async () => {
  const pictures = options.images === undefined ? 'photo-like ones made in code' : 'a folder of photographs';
  process.stdout.write(
    `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.versions.node}, sharp ${sharp.versions.sharp} with libvips ${sharp.versions.vips}; ${options.quick ? 'a quick run' : 'a full run'}; pictures: ${pictures}.\n`,
  );
});
for (const [name, title] of Object.entries(parts).slice(0, options.quick ? 1 : undefined)) {
  await section(name, title, async () => {
    const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
    const part = spawn(process.execPath, [...senderFlags, script, ...process.argv.slice(2)], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    endWithUs(part);
    part.on('message', (message) => reached.push(message as Reached));
    const slow = setTimeout(() => part.kill('SIGKILL'), partMs);
    await passOn(part).finally(() => clearTimeout(slow));
    if (process.exitCode === 1 && part.exitCode !== 0) failed.add(name);
  });
}
if (!options.quick) await section('figures', 'Targets', async () => printTable(figureRows(reached)));
if (options.write) await write();

/** Everything that is printed meanwhile belongs to the section. */
async function section(name: string, title: string, print: () => Promise<void>): Promise<void> {
  process.stdout.write(`\n## ${title}\n\n`);
  const chunks: string[] = [];
  const original = process.stdout.write.bind(process.stdout);
  process.stdout.write = ((chunk: string) => {
    chunks.push(chunk);
    return original(chunk);
  }) as typeof process.stdout.write;
  try {
    await print();
  } finally {
    process.stdout.write = original;
  }
  sections.set(name, chunks.join('').trim());
}

/** Prints what a part prints. One that fails fails the run, and the others go on. */
async function passOn(part: ChildProcess): Promise<void> {
  const out = part.stdout as Readable;
  out.setEncoding('utf8').on('data', (text: string) => process.stdout.write(text));
  const [code] = (await once(part, 'close')) as [number | null];
  if (code !== 0) process.exitCode = 1;
}

/** Replaces what stands between `<!-- bench: name -->` and `<!-- /bench -->`. */
async function write(): Promise<void> {
  const page = new URL('../docs/performance.md', import.meta.url);
  const text = await readFile(page, 'utf8');
  const missing = [...sections.keys()].filter((name) => !text.includes(`<!-- bench: ${name} -->`));
  if (missing.length > 0) throw new Error(`docs/performance.md has no place for ${missing.join(', ')}`);
  const written = text.replace(
    /(<!-- bench: (\S+) -->\n).*?(<!-- \/bench -->)/gs,
    (whole, start: string, name: string, end: string) => {
      const made = sections.get(name);
      return made === undefined || made === '' || failed.has(name) ? whole : `${start}\n${made}\n\n${end}`;
    },
  );
  await writeFile(page, written);
}
