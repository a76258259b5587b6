import { Failure } from '../../failures.ts';
import { wholeOf } from '../image/cutout.ts';
import type { PlacedBranch, PlannedImage } from '../image/geometry.ts';
import type { TensorPlan } from '../image/plan.ts';
import type { PicturePair } from './arranged.ts';
import { type Axes, readingsOf, shapeUnexplained } from './axes.ts';
import type { Difference } from './difference.ts';
import { latticeFor } from './expected.ts';
import type { GivenTensor } from './given/given-tensor.ts';
import {
  expectedOf,
  type Hypothesis,
  type Levels,
  type SkewSource,
  type StepName,
  stepNames,
  type Words,
  wordsOf,
} from './lattice/hypothesis.ts';
import { likelyReadings } from './readings.ts';
import { createRenderer, type Renderer } from './render.ts';
import { type Found, search } from './search.ts';
import { sentenceOf } from './sentence.ts';
import { recover } from './values/recover.ts';
import type { Recovered } from './values/recovered.ts';
import { referenceOf } from './values/reference.ts';
import { type ValueMap, valueMapOf } from './values/value-map.ts';

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

/** A pair of tensors, and what is known about it. */
export interface Pair {
  readonly source: SkewSource;
  /** The plan of the expected tensor, with its sizes. */
  readonly plan: PlannedImage;
  readonly given: GivenTensor;
  readonly expected: GivenTensor;
  /** The pictures in both. Unset: the given tensor has no picture in the arrangement of the expected one. */
  readonly pictures: PicturePair | undefined;
  readonly difference: Difference | undefined;
  /** The name of the expected tensor: `resnet50's own tensor`. */
  readonly subject: string;
}

interface Explanation {
  readonly axes: Axes;
  readonly recovered: Recovered;
  readonly found: Found;
}

/**
 * A picture that differs from every hypothesis by more than this share of its own contrast shows something else. Two
 * pictures of different things differ by about 1.4 of it.
 */
const unrelatedShare = 0.75;

/**
 * Finds the preprocessing that made a tensor.
 *
 * @throws TENSOR_SHAPE_UNEXPLAINED, TENSOR_UNRELATED
 */
export async function explain(pair: Pair): Promise<Cause> {
  // Mere padding gives a picture of one colour, whatever the source.
  if (hasContrast(pair.expected) && !hasContrast(pair.given)) throw uniform(pair);
  const renderer = createRenderer(pair.source);
  const best = await bestExplanation(pair, renderer);
  if (best === undefined) {
    // Its shape is right, so its values are what no hypothesis gives.
    if (pair.difference !== undefined) return unknownCause(pair);
    throw shapeUnexplained(pair.given);
  }
  const { recovered, found, axes } = best;
  const contrast = contrastOf(recovered.picture);
  if (found.error > unrelatedShare * contrast && contrast > 0) throw unrelated(pair, found.error, contrast);
  const exact = found.error === 0 && recovered.isExact;
  const steps = stepsOf(pair, best);
  const confidence = exact ? 1 : await confidenceOf(pair, axes, best, renderer);
  return { exact, confidence, steps, sentence: sentenceOf({ steps, exact, confidence, ...pair }) };
}

function unknownCause(pair: Pair): Cause {
  const unknown = { exact: false, confidence: 0, steps: [] };
  return { ...unknown, sentence: sentenceOf({ ...unknown, ...pair }) };
}

function hasContrast({ values }: GivenTensor): boolean {
  return values.some((value) => value !== values[0]);
}

async function bestExplanation(pair: Pair, renderer: Renderer): Promise<Explanation | undefined> {
  const { source, plan, pictures } = pair;
  if (pictures === undefined) return undefined;
  const { given, expected, branch } = pictures;
  const valueMap = valueMapOf(plan.plan.output as TensorPlan);
  const [expectedAxes] = readingsOf(expected);
  const reference = expectedAxes && referenceOf(expected, expectedAxes, valueMap.rule);
  let best: Explanation | undefined;
  for (const axes of likelyReadings(given, expected)) {
    for (const recovered of recover(given, axes, valueMap, reference)) {
      const lattice = latticeFor(source.header, plan, branch, recovered.picture);
      const found = await search(recovered.picture, lattice, renderer);
      if (found === undefined || found.error >= (best?.found.error ?? Number.POSITIVE_INFINITY)) continue;
      best = { axes, recovered, found };
      if (found.error === 0) return await withOthers(pair, await proved(best, renderer), renderer);
    }
  }
  return best;
}

/** An explanation that is exact only if it gives the other pictures of the tensor too. */
async function withOthers(
  { source, plan, pictures }: Pair,
  explanation: Explanation,
  renderer: Renderer,
): Promise<Explanation> {
  const { recovered, found } = explanation;
  const inexact = { ...explanation, recovered: { ...recovered, isExact: false } };
  for (const { given, branch } of pictures?.others() ?? []) {
    const [axes] = given === undefined ? [] : readingsOf(given);
    if (given === undefined || axes === undefined) return inexact;
    const own = recover(given, axes, recovered.valueMap, undefined).find(({ isExact }) => isExact);
    if (own === undefined) return inexact;
    const [framing] = latticeFor(source.header, plan, branch, own.picture).framing(found.hypothesis.turn);
    const rendered =
      framing && (await renderer.render({ ...found.hypothesis, framing }, wholeOf(own.picture)));
    if (rendered === undefined || meanDifference(own.picture.data, rendered.data) > 0) return inexact;
  }
  return explanation;
}

/**
 * Of values that no step has rounded to levels: the hypotheses whose rendered pictures prove a value map, to the last bit.
 * Others are as near as the tensor can tell.
 */
async function proved(explanation: Explanation, renderer: Renderer): Promise<Explanation> {
  const { recovered, found } = explanation;
  if (recovered.prove === undefined) return explanation;
  const proofs: { readonly hypothesis: Hypothesis; readonly valueMap: ValueMap }[] = [];
  for (const hypothesis of [found.hypothesis, ...found.same]) {
    const rendered = await renderer.render(hypothesis, wholeOf(recovered.picture));
    const valueMap = rendered && recovered.prove(rendered);
    if (valueMap !== undefined) proofs.push({ hypothesis, valueMap });
  }
  const [first, ...others] = proofs;
  if (first === undefined) return explanation;
  return {
    ...explanation,
    recovered: { ...recovered, valueMap: first.valueMap, isExact: true },
    found: { ...found, hypothesis: first.hypothesis, same: others.map(({ hypothesis }) => hypothesis) },
  };
}

/** Where the words of the explanation differ from those of the expected tensor. */
function stepsOf(pair: Pair, { axes, recovered, found }: Explanation): readonly CauseStep[] {
  const yours: Words = {
    ...wordsOf(found.hypothesis),
    ...recovered.valueMap.words,
    ...axes.words,
    layout: pair.pictures?.arrangement ?? axes.layout,
    datatype: pair.given.datatype,
  };
  const theirs = expectedWords(pair);
  return stepNames.flatMap((name): CauseStep[] => {
    const [own, right] = [yours[name] ?? 'none', theirs[name] ?? 'none'];
    const also = alsoOf(name, own, found, recovered);
    if (own === right || also.includes(right)) return [];
    return [{ name, yours: own, expected: right, also }];
  });
}

function expectedWords(pair: Pair): Words {
  const { plan, pictures } = pair;
  const [axes] = pictures === undefined ? [] : readingsOf(pictures.expected);
  if (pictures === undefined || axes === undefined) return {};
  const { words } = valueMapOf(plan.plan.output as TensorPlan);
  return {
    ...wordsOf(expectedHypothesis(pair, axes)),
    ...words,
    layout: pictures.arrangement ?? axes.layout,
    datatype: pair.expected.datatype,
  };
}

function expectedHypothesis({ source, plan, pictures }: Pair, axes: Axes): Hypothesis {
  const { width, height, channels } = axes;
  const data = new Uint8Array(width * height * channels);
  const picture: Levels = { data, width, height, channels: channels === 1 ? 1 : 3 };
  const branch = pictures?.branch ?? (plan.geometry.branches[0] as PlacedBranch);
  return expectedOf(latticeFor(source.header, plan, branch, picture));
}

function alsoOf(name: StepName, own: string, { same }: Found, { also }: Recovered): readonly string[] {
  const words = [...same.map(wordsOf), ...also.map((valueMap) => valueMap.words)];
  const others = words.flatMap((other) => other[name] ?? []);
  return [...new Set(others)].filter((word) => word !== own);
}

/** The share of the difference between the given picture and the expected one that the explanation explains, below 1. */
async function confidenceOf(
  pair: Pair,
  axes: Axes,
  { recovered, found }: Explanation,
  renderer: Renderer,
): Promise<number> {
  const { picture } = recovered;
  const expected = expectedHypothesis(pair, axes);
  const { width, height } = expected.framing.shown;
  const rendered =
    width === picture.width && height === picture.height
      ? await renderer.render(expected, { left: 0, top: 0, right: width, bottom: height })
      : undefined;
  const whole =
    rendered?.data.length === picture.data.length
      ? meanDifference(picture.data, rendered.data)
      : contrastOf(picture);
  if (whole === 0) return 0;
  return Math.min(0.99, Math.max(0, 1 - found.error / whole));
}

function meanDifference(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < one.length; at++) sum += Math.abs((one[at] as number) - (other[at] as number));
  return sum / Math.max(1, one.length);
}

/** Mean absolute deviation of a picture's levels from their mean. */
function contrastOf({ data }: Levels): number {
  let sum = 0;
  for (const level of data) sum += level;
  const mean = sum / Math.max(1, data.length);
  let deviation = 0;
  for (const level of data) deviation += Math.abs(level - mean);
  return deviation / Math.max(1, data.length);
}

function uniform({ given, subject }: Pair): Failure {
  const actual = String(given.values[0]);
  return new Failure(
    'TENSOR_UNRELATED',
    `The tensor shows nothing: all its pixels are equal, and those of ${subject} are not. Its first value is ${actual}. Send the tensor that was made of the image.`,
    { actual },
  );
}

function unrelated({ subject }: Pair, error: number, contrast: number): Failure {
  const [limit, actual] = [unrelatedShare * contrast, error].map((level) => level.toFixed(1)) as [
    string,
    string,
  ];
  return new Failure(
    'TENSOR_UNRELATED',
    `The tensor does not look like this image: with the preprocessing that comes nearest, its pixels differ from those of ${subject} by ${actual} of 255 levels on average; at most ${limit} are taken for the same image. Send the image that the tensor was made of.`,
    { limit, actual },
  );
}
