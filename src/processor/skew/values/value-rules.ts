import type { TensorPlan } from '../../image/plan.ts';
import type { Words } from '../lattice/hypothesis.ts';
import { meanInWords, namedStatistics, scaleInWords, stdInWords } from './statistics.ts';

/*
 * The arithmetic from a level x to a value: a program multiplies by factors, and then subtracts means and divides by stds. The
 * rounding of these operations is in arithmetics.ts.
 */

/** A mean and a std: one value, or one per channel, in the order of the tensor's channels. */
export interface Normalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

export interface ValueRule {
  /** One after another. */
  readonly factors: readonly number[];
  /** One after another, after the factors. */
  readonly normalizations: readonly Normalization[];
}

/** A rule in the words of our options. */
export function ruleInWords({ factors, normalizations }: ValueRule): Pick<Words, 'scale' | 'mean' | 'std'> {
  const [factor = 1] = factors;
  const [{ mean, std } = none] = normalizations;
  const again = normalizations.length > 1 ? ' twice' : '';
  return {
    scale: `${scaleInWords(factor)}${factors.length > 1 ? ' twice' : ''}`,
    mean: `${meanInWords(mean)}${again}`,
    std: `${stdInWords(std)}${again}`,
  };
}

const none: Normalization = { mean: [0], std: [1] };

/** The rule of a plan. */
export function ruleOf({ datatype, rescaleFactor, mean, std, offset, secondStd }: TensorPlan): ValueRule {
  // Values of UINT8 are the levels.
  if (datatype === 'UINT8') return rule(1, none);
  return {
    factors: [rescaleFactor],
    normalizations: [
      ...(offset === undefined ? [] : [{ ...none, mean: [offset] }]),
      { mean, std },
      ...(secondStd === undefined ? [] : [{ ...none, std: secondStd }]),
    ],
  };
}

/** The value of a level x in a channel is gain · x + bias. */
export function effectOf(
  { factors, normalizations }: ValueRule,
  channel: number,
): { readonly gain: number; readonly bias: number } {
  let gain = factors.reduce((product, factor) => product * factor, 1);
  let bias = 0;
  for (const { mean, std } of normalizations) {
    const divisor = inChannel(std, channel);
    bias = (bias - inChannel(mean, channel)) / divisor;
    gain /= divisor;
  }
  return { gain, bias };
}

/** Equal for rules with one effect. @param channels - of the tensor */
export function keyOfEffect(rule: ValueRule, channels: number): string {
  return Array.from({ length: channels }, (_, channel) => {
    const { gain, bias } = effectOf(rule, channel);
    return `${gain.toPrecision(6)} ${(bias / gain).toFixed(3)}`;
  }).join();
}

/** The value for a channel of a list with one value, or one per channel. */
export function inChannel(values: readonly number[], channel: number): number {
  return values[values.length === 1 ? 0 : channel] ?? Number.NaN;
}

/** x / 255, as it is, x / 256, x / 127.5, x / 128, and 255 · x. */
const usualFactors = [1 / 255, 1, 1 / 256, 1 / 127.5, 1 / 128, 255] as const;

/**
 * The rules in use, the most usual first.
 *
 * @param expected - comes first, and its numbers appear in every role
 */
export function* usualRules(expected: ValueRule): Generator<ValueRule> {
  yield expected;
  for (const factor of factorsOf(expected)) {
    yield rule(factor, none);
    for (const normalization of normalizationsOf(expected)) yield rule(factor, normalization);
  }
}

/** The usual mistakes with the rules in use. */
export function* mistakenRules(expected: ValueRule): Generator<ValueRule> {
  const known = normalizationsOf(expected);
  const [own = 1] = expected.factors;
  for (const normalization of [none, ...known]) {
    yield { factors: [own, own], normalizations: [normalization] };
    yield { factors: [own], normalizations: [normalization, normalization] };
  }
  for (const factor of factorsOf(expected)) {
    for (const normalization of known) yield* mistakes(factor, normalization);
  }
  // A mean of one and a std of another.
  for (const factor of factorsOf(expected)) {
    for (const { mean } of known) for (const { std } of known) yield rule(factor, { mean, std });
  }
}

function factorsOf({ factors: [own = 1] }: ValueRule): ReadonlySet<number> {
  return new Set([own, ...usualFactors]);
}

function normalizationsOf({ normalizations }: ValueRule): readonly Normalization[] {
  return [...normalizations, ...namedStatistics];
}

/** One mistake with a mean and a std. */
function* mistakes(factor: number, { mean, std }: Normalization): Generator<ValueRule> {
  const levelMean = mean.map((value) => value * 255);
  const levelStd = std.map((value) => value * 255);
  yield rule(factor, { mean, std: none.std });
  yield rule(factor, { mean: none.mean, std });
  yield rule(factor, { mean: mean.toReversed(), std: std.toReversed() });
  // Means of levels are not taken for stds.
  if (mean.every((value) => value < 1)) yield rule(factor, { mean: std, std: mean });
  yield rule(factor, { mean: levelMean, std: levelStd });
  yield rule(factor, { mean: levelMean, std: none.std });
  yield rule(factor, { mean: levelMean, std });
  yield rule(factor, { mean: mean.toReversed(), std: none.std });
  yield rule(factor, { mean: mean.toReversed(), std });
  yield rule(factor, { mean: levelMean.toReversed(), std: levelStd.toReversed() });
}

function rule(factor: number, { mean, std }: Normalization): ValueRule {
  return { factors: [factor], normalizations: [{ mean, std }] };
}
