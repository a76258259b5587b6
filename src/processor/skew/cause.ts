import { Failure } from '../../failures.ts';
import type { PlannedImage } from '../image/geometry.ts';
import type { TensorPlan } from '../image/plan.ts';
import { type Axes, readingsOf } from './axes.ts';
import { latticeFor } from './expected.ts';
import type { GivenTensor } from './given/given-tensor.ts';
import {
  dimensions,
  type Hypothesis,
  type SkewSource,
  type StepName,
  stepNames,
  type Words,
  wordsOf,
} from './lattice/hypothesis.ts';
import { createRenderer } from './render.ts';
import { type Found, search } from './search.ts';
import { sentenceOf } from './sentence.ts';
import { type Recovered, recover, valueMapOf } from './values/value-maps.ts';

/** The preprocessing that made a tensor. */
export interface Cause {
  /** Whether it gives every value, to the last bit. */
  readonly exact: boolean;
  /** 0…1. */
  readonly confidence: number;
  readonly sentence: string;
  /** Where it differs from the expected preprocessing, in the order of processing. */
  readonly steps: readonly CauseStep[];
}

export interface CauseStep {
  readonly name: StepName;
  readonly yours: string;
  readonly expected: string;
  /** Other values of `yours` that give the same tensor. */
  readonly also: readonly string[];
}

/**
 * Finds the preprocessing that made a tensor.
 *
 * @param expected - the plan of the expected tensor, with its sizes
 * @throws TENSOR_SHAPE_UNEXPLAINED, TENSOR_UNRELATED
 */
export async function explain(
  source: SkewSource,
  expected: PlannedImage,
  given: GivenTensor,
  expectedTensor: GivenTensor,
): Promise<Cause> {
  const readings = readingsOf(given);
  if (readings.length === 0) throw shapeUnexplained(given);
  const renderer = createRenderer(source);
  const valueMap = valueMapOf(expected.plan.output as TensorPlan, readings[0]?.channels ?? 3);
  let best: { readonly recovered: Recovered; readonly found: Found; readonly axes: Axes } | undefined;
  for (const axes of readings) {
    const lattice = latticeFor(source.header, expected, axes);
    for (const recovered of recover(given, axes, valueMap)) {
      const found = await search(recovered.picture, lattice, renderer);
      if (found !== undefined && found.error < (best?.found.error ?? Number.POSITIVE_INFINITY))
        best = { recovered, found, axes };
    }
  }
  if (best === undefined) throw shapeUnexplained(given);
  const { recovered, found, axes } = best;
  const exact = found.error === 0 && recovered.isExact;
  const yours: Words = {
    ...wordsOf(found.hypothesis),
    ...recovered.valueMap.words,
    layout: axes.layout,
    datatype: given.datatype,
  };
  const theirs = expectedWords(source, expected, expectedTensor);
  const steps = stepNames.flatMap((name): CauseStep[] => {
    const [own, right] = [yours[name] ?? 'none', theirs[name] ?? 'none'];
    return own === right
      ? []
      : [{ name, yours: own, expected: right, also: alsoOf(name, own, found, recovered) }];
  });
  return { exact, confidence: exact ? 1 : 0.5, sentence: sentenceOf(steps, exact), steps };
}

/** The words of the expected tensor. */
function expectedWords({ header }: SkewSource, expected: PlannedImage, tensor: GivenTensor): Words {
  const axes = readingsOf(tensor)[0];
  if (axes === undefined) return {};
  const lattice = latticeFor(header, expected, axes);
  const hypothesis = Object.fromEntries(
    dimensions.map((name) => [name, lattice[name][0]]),
  ) as unknown as Hypothesis;
  const { words } = valueMapOf(expected.plan.output as TensorPlan, axes.channels);
  return { ...wordsOf(hypothesis), ...words, layout: axes.layout, datatype: tensor.datatype };
}

function alsoOf(name: StepName, own: string, { same }: Found, { also }: Recovered): readonly string[] {
  const words = [...same.map(wordsOf), ...also.map((valueMap) => valueMap.words)].flatMap(
    (other) => other[name] ?? [],
  );
  return [...new Set(words)].filter((word) => word !== own);
}

function shapeUnexplained({ shape, datatype }: GivenTensor): Failure {
  return new Failure(
    'TENSOR_SHAPE_UNEXPLAINED',
    `A ${datatype} tensor with the shape ${shape.join(' × ')} is no picture that any known preprocessing makes of this image.`,
    { actual: shape.join(',') },
  );
}
