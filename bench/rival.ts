import process from 'node:process';
import { runOnePlan } from '../test/support/one-plan.ts';
import { planFrom, plannedImage } from '../test/support/plans.ts';
import { sha256 } from './load.ts';
import { inParallel } from './measure.ts';
import type { BenchPlan } from './work.ts';

/*
 * The same work with no service around it, in a process of its own that has the pictures already: by our stages and
 * workers (`floor`), or by the sharp chain that one would write, with sharp's own settings (`sharp`).
 */

/** The jobs, in turn. */
export interface Work {
  readonly sources: readonly Uint8Array[];
  readonly plans: readonly BenchPlan[];
  /** Which source and which plan. */
  readonly jobs: readonly (readonly [source: number, plan: number])[];
}

export type Question =
  | ({ readonly kind: 'prepare' } & Work)
  | { readonly kind: 'run'; readonly count: number; readonly inFlight: number }
  /** Of the last run. */
  | { readonly kind: 'answers' };

type Make = (content: Uint8Array, plan: BenchPlan) => Promise<Uint8Array>;

const make = process.argv[2] === 'floor' ? await ourStages(Number(process.argv[3])) : await sharpChain();
let work: Work = { sources: [], plans: [], jobs: [] };
let answers: [job: number, content: Uint8Array][] = [];

process.on('disconnect', () => process.exit());
process.on('message', async (question: Question) => {
  switch (question.kind) {
    case 'prepare':
      work = question;
      process.send?.('prepared');
      break;
    case 'run':
      process.send?.(await run(question.count, question.inFlight));
      break;
    case 'answers':
      process.send?.(checkedAnswers());
      break;
  }
});
process.send?.('ready');

/** Results are kept and checked later: that is not part of the work. */
async function run(count: number, inFlight: number): Promise<number[]> {
  answers = [];
  return inParallel(count, inFlight, async (index) => {
    const job = index % work.jobs.length;
    const [source, plan] = work.jobs[job] as (typeof work.jobs)[number];
    answers.push([job, await make(work.sources[source] as Uint8Array, work.plans[plan] as BenchPlan)]);
  });
}

/** One result of each job, in their order. */
function checkedAnswers(): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const [job, content] of answers) {
    const first = found[job];
    if (first !== undefined && sha256(first) !== sha256(content)) throw new Error('two results of one job');
    found[job] = content;
  }
  return found;
}

async function ourStages(workers: number): Promise<Make> {
  const [{ readHeader }, { startWorkerPool }] = await Promise.all([
    import('../src/processor/codecs/read-header.ts'),
    import('../src/processor/workers/pool.ts'),
  ]);
  const pool = await startWorkerPool(workers);
  return async (content, plan) => {
    const header = await readHeader(content, 2 ** 31);
    const images = [plannedImage(header, planFrom(plan))];
    return (await runOnePlan(pool, { content, header, images })).content;
  };
}

/** sharp's own settings: threads, cache, quality. */
async function sharpChain(): Promise<Make> {
  const { grayJpeg, png, tensor } = await import('./rivals/sharp-chain.ts');
  return (content, { output }) => {
    if (output.kind === 'tensor') return tensor(content);
    return output.format === 'png' ? png(content) : grayJpeg(content);
  };
}
