/*
 * Runs preprocessing pipelines as other people write them, with their own libraries, on photographs that Python packages
 * ship, and compares their tensors with the expected ones: is the cause named, and is every value explained?
 *
 *   npm run skew:pipelines -- [--python PATH]... [--modules DIR] [--name TEXT]... [--images 2] [--url URL] [--kept] [--results]
 *
 * --python   an interpreter; a pipeline runs in the first one that has its packages. test/skew/make_venvs.sh makes them all
 * --modules  a folder in which @huggingface/transformers is installed
 * --images   of each pipeline
 * --url      compares by a running service
 * --kept     takes tensors that an earlier run made from .parity/skew
 * --results  writes test/skew/results.json, in which pipelines that did not run stay; `npm run docs` then renews
 *            docs/skew-pipelines.md
 *
 * Exits with 1 if less than 95 % of the pipelines whose arithmetic is in the lattice are named exactly, or if a cause is
 * called exact that is none. Pipelines whose library is missing are skipped by name.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { compareBy, compareHere, type Report } from './comparison.ts';
import { type HeldOutImage, type Pipeline, startPipelines } from './pipelines.ts';
import { type Result, type Run, summaryOf } from './results.ts';
import { verdictOf } from './verdict.ts';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', multiple: true, default: [process.env.PYTHON || 'python3'] },
    modules: { type: 'string' },
    name: { type: 'string', multiple: true, default: [''] },
    images: { type: 'string', default: '2' },
    url: { type: 'string' },
    kept: { type: 'boolean', default: false },
    results: { type: 'boolean', default: false },
  },
});

/** Images of the kind of a pipeline; pipelines of one kind get different ones. */
function imagesFor({ kind }: Pipeline, images: readonly HeldOutImage[], index: number): HeldOutImage[] {
  const kinds = kind.split(' ');
  const fitting = images.filter((image) => kinds.every((word) => image.kind.split(' ').includes(word)));
  const count = Math.min(fitting.length, Number(options.images));
  return Array.from({ length: count }, (_, at) => fitting[(index * count + at) % fitting.length]).flatMap(
    (image) => image ?? [],
  );
}

function print(name: string, image: HeldOutImage, result: Result, { cause }: Report): void {
  const { isRight, isExact, problem, seconds } = result;
  const state = isRight ? 'right' : 'WRONG';
  console.log(
    `${state}  ${isExact ? 'exact    ' : 'not exact'}  ${seconds.toFixed(2)} s  ${name} (${image.name})`,
  );
  if (!isRight) console.log(`       ${problem}${cause ? `\n       ${cause.sentence}` : ''}`);
}

/** Results of earlier runs stay for the pipelines that did not run. */
function writeResults(versions: Run['versions'], results: readonly Result[]): void {
  const url = new URL('results.json', import.meta.url);
  const known = existsSync(url) ? (JSON.parse(readFileSync(url, 'utf8')) as Run) : undefined;
  const names = new Set(results.map(({ name }) => name));
  const kept = known?.results.filter(({ name }) => !names.has(name)) ?? [];
  const run: Run = {
    date: new Date().toISOString().slice(0, 10),
    versions: { ...known?.versions, ...versions },
    results: [...kept, ...results].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
  writeFileSync(url, `${JSON.stringify(run, null, 2)}\n`);
}

async function main(): Promise<void> {
  const compare = options.url === undefined ? compareHere : compareBy(options.url);
  const { pipelines, images, versions, end } = await startPipelines(
    options.python,
    options.modules,
    options.kept,
  );
  const results: Result[] = [];
  for (const [index, pipeline] of pipelines.entries()) {
    const { name, preset, expected, missing } = pipeline;
    if (!options.name.some((part) => name.toLowerCase().includes(part.toLowerCase()))) continue;
    if (missing !== undefined) {
      console.log(`skipped, ${missing} is not installed: ${name}`);
      continue;
    }
    for (const image of imagesFor(pipeline, images, index)) {
      try {
        const tensor = await pipeline.run(image);
        const report = await compare({ image: image.content, tensor, meant: { preset } });
        const verdict = verdictOf(expected, report);
        const result = {
          name,
          image: image.name,
          inLattice: expected !== null,
          ...verdict,
          seconds: report.seconds,
        };
        results.push(result);
        print(name, image, result, report);
      } catch (error) {
        console.log(`FAILED ${name} (${image.name}): ${String(error)}`);
        process.exitCode = 1;
      }
    }
  }
  end();
  const { lines, isAccepted } = summaryOf(results);
  console.log(`\n${lines.join('\n')}`);
  if (options.results) writeResults(versions, results);
  if (!isAccepted) process.exitCode = 1;
}

await main();
