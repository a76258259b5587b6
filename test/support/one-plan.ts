import type { ImageHeader } from '../../src/processor/codecs/header.ts';
import type { Plan } from '../../src/processor/image/plan.ts';
import {
  type PixelAnswer,
  type PixelJob,
  type PixelResult,
  processPixels,
} from '../../src/processor/image/process-pixels.ts';
import type { WorkerPool } from '../../src/processor/workers/pool.ts';

/*
 * Workers take several plans for one image; most who call them directly have one.
 */

/** One plan, in this process. */
export async function processOnePlan(
  content: Uint8Array,
  header: ImageHeader,
  plan: Plan,
  maxOutputPixels: number,
): Promise<PixelAnswer> {
  const [answer] = await processPixels({ content, header, plans: [plan], maxOutputPixels });
  if (answer === undefined) throw new Error('no answer to a plan');
  return answer;
}

/** A job of one plan, in a worker. @throws Failure what its stages threw, too */
export async function runOnePlan(
  pool: WorkerPool,
  job: PixelJob,
  signal?: AbortSignal,
): Promise<PixelResult> {
  const [result] = await pool.run(job, signal);
  if (result === undefined || result instanceof Error) throw result ?? new Error('no answer to a plan');
  return result;
}
