import type { ImageHeader } from '../../src/processor/codecs/header.ts';
import { withinLimits } from '../../src/processor/image/limits.ts';
import type { Plan } from '../../src/processor/image/plan.ts';
import {
  type PixelJob,
  type PixelOutcome,
  type PixelResult,
  processPixels,
} from '../../src/processor/image/process-pixels.ts';
import { resultOf } from '../../src/processor/outcome.ts';
import { packFailure } from '../../src/processor/workers/failure.ts';
import type { WorkerPool } from '../../src/processor/workers/pool.ts';
import { plannedImage } from './plans.ts';

/*
 * A worker's job has several plans for one image; most tests have one.
 */

/** One plan, in this process: the limits of its geometry, then its pixels. */
export async function processOnePlan(
  content: Uint8Array,
  header: ImageHeader,
  plan: Plan,
  maxOutputPixels: number,
): Promise<PixelOutcome> {
  const image = plannedImage(header, plan);
  try {
    withinLimits(image, maxOutputPixels);
  } catch (error) {
    return packFailure(error);
  }
  const [outcome] = await processPixels({ content, header, images: [image] });
  if (outcome === undefined) throw new Error('no outcome of a plan');
  return outcome;
}

/** A job with one plan, in a worker. @throws Failure */
export async function runOnePlan(
  pool: WorkerPool,
  job: PixelJob,
  signal?: AbortSignal,
): Promise<PixelResult> {
  const [outcome] = await pool.run(job, signal);
  return resultOf(outcome ?? { error: new Error('no outcome of a plan') });
}
