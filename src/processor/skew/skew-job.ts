import type { Tolerance } from '../../options/tolerance.ts';
import type { ImageHeader } from '../codecs/header.ts';
import type { PlannedImage } from '../image/geometry.ts';
import { processPixels } from '../image/process-pixels.ts';
import { type TensorDescription, valuesIn } from '../image/tensor-container.ts';
import { createStopwatch, type Stage } from '../stopwatch.ts';
import { packFailure, unpackFailure, type WorkerFailure } from '../workers/failure.ts';
import { outOfScratch } from '../workers/scratch.ts';
import { picturesOf } from './arranged.ts';
import { type Cause, explain } from './cause.ts';
import { type Difference, differenceOf, mapOf } from './difference.ts';
import type { GivenFile } from './given/given-file.ts';
import { type GivenTensor, valuesOf } from './given/given-tensor.ts';
import { readGiven } from './given/read-given.ts';
import { isWithin } from './tolerance.ts';

/*
 * The code that runs in a worker process for a comparison: the expected tensor, the given one, and the search for what
 * made the difference.
 */

/** The job to compare one pair in a worker. All of it can be cloned between processes. */
export interface SkewJob {
  readonly content: Uint8Array;
  readonly header: ImageHeader;
  /** The plan of the expected tensor, in a container of any number of tensors. */
  readonly expected: PlannedImage;
  readonly given: GivenFile;
  readonly wantsMap: boolean;
  /** The name of the expected tensor: `resnet50's own tensor`. */
  readonly subject: string;
  /** The differences that pass. Unset: only equal tensors do. */
  readonly tolerance?: Tolerance;
}

/** The result of a comparison. */
export interface SkewReport {
  readonly equal: boolean;
  /** Unset if the two tensors differ in size. */
  readonly difference: Difference | undefined;
  /** Unset without a tolerance. */
  readonly isWithinTolerance: boolean | undefined;
  /** Unset if the tensors are equal or within the tolerance. */
  readonly cause: Cause | undefined;
  /** A PNG. Unset: not asked for, or the sizes differ. */
  readonly map: Uint8Array | undefined;
  readonly given: TensorDescription;
  readonly expected: TensorDescription;
  readonly stages: readonly Stage[];
}

export type SkewOutcome = { readonly report: SkewReport } | { readonly failure: WorkerFailure };

/** The worker's entry point. */
export async function runSkewJob(job: SkewJob): Promise<SkewOutcome> {
  return await compare(job).then((report) => ({ report }), packFailure);
}

async function compare(job: SkewJob): Promise<SkewReport> {
  const { time: stage, stages } = createStopwatch(undefined, performance.now());
  const { content, header, wantsMap, tolerance } = job;
  const expected = await stage('expected', () => expectedTensor(job));
  const given = await stage('given', () => readGiven(job.given, expected, job.expected.plan));
  const difference = differenceOf(given, expected);
  const equal = difference?.isEqual ?? false;
  const isWithinTolerance =
    tolerance === undefined ? undefined : equal || isWithin(difference, given, expected, tolerance);
  const passes = equal || isWithinTolerance === true;
  const pictures = passes && !wantsMap ? undefined : picturesOf(given, expected, job.expected);
  const cause = passes
    ? undefined
    : await stage('search', () =>
        explain({
          source: { content, header },
          plan: job.expected,
          given,
          expected,
          pictures,
          difference,
          subject: job.subject,
        }),
      );
  const map =
    wantsMap && pictures ? await stage('map', () => mapOf(pictures.given, pictures.expected)) : undefined;
  return {
    equal,
    isWithinTolerance,
    difference,
    cause,
    map,
    given: descriptionOf(given),
    expected: descriptionOf(expected),
    stages,
  };
}

/** The tensor that contains the pixels, as Process makes it. */
async function expectedTensor({ content, header, expected }: SkewJob): Promise<GivenTensor> {
  const [outcome] = await processPixels({ content, header, images: [expected] });
  if (outcome === undefined || 'failure' in outcome) {
    throw outcome === undefined ? new Error('no outcome') : unpackFailure(outcome.failure);
  }
  const { tensors, content: bytes } = outcome.result;
  const [description] = tensors;
  const [values] = valuesIn(outOfScratch(bytes), tensors);
  if (description === undefined || values === undefined) throw new Error('a plan without a tensor');
  return { ...description, values: valuesOf(description.datatype, values) };
}

function descriptionOf({ name, datatype, shape }: GivenTensor): TensorDescription {
  return { name, datatype, shape };
}
