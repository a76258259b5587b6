import type { DatatypeName } from '../../../datatypes.ts';
import type { Axes } from '../axes.ts';
import type { GivenTensor } from '../given/given-tensor.ts';
import { unknownMap } from './affine.ts';
import { type Arithmetic, arithmetics } from './arithmetics.ts';
import { type DistinctValues, distinctValuesOf, precisionOf } from './distinct-values.ts';
import { type Round, roundTo } from './floats.ts';
import { fractionsOf } from './fractions.ts';
import { withoutPadding } from './padding.ts';
import type { Recovered, RecoveredPicture } from './recovered.ts';
import type { Reference } from './reference.ts';
import { type ValueMap, valueMap } from './value-map.ts';
import {
  effectOf,
  keyOfEffect,
  mistakenRules,
  ruleInWords,
  usualRules,
  type ValueRule,
} from './value-rules.ts';

/*
 * From a tensor's values back to levels 0…255. A sample has 256 possible values if the picture was uint8 before it was
 * rescaled and normalized, so a rule and an arithmetic are right if they give every value of the tensor.
 */

/** Pictures that are searched; each takes a search. */
const maxPictures = 3;

/** Arithmetics that are named where several give the same values. */
const maxAlso = 4;

/** A value this near to a level, in levels, is taken for it even if no arithmetic gives it. */
const nearby = 0.02;

/**
 * Reads the picture in a tensor.
 *
 * @param expected - the value map that is tried first
 * @param reference - the levels of the expected tensor; unset if it is no picture
 * @returns one picture for each value map that fits, the most likely first; empty if none does
 */
export function recover(
  given: GivenTensor,
  axes: Axes,
  expected: ValueMap,
  reference: Reference | undefined,
): readonly Recovered[] {
  const colours = axes.channels === 1 ? 1 : 3;
  const distinct = distinctValuesOf(given.values, axes, colours);
  if (distinct === undefined) return fractionsOf({ given, axes, expected, reference });
  const tensor: Tensor = {
    given,
    axes,
    distinct,
    precision: precisionOf(distinct.values, given.datatype),
    colours,
  };
  const rules = nearestFirst([...usualRules(expected.rule), ...mistakenRules(expected.rule)], expected.rule);
  const exact = exactPictures(tensor, rules, expected.arithmetic);
  if (exact.length > 0) return exact;
  const padded = paddedPictures(tensor, rules, expected.arithmetic);
  if (padded.length > 0) return padded;
  const near = nearPictures(tensor, rules);
  if (near.length > 0) return near;
  const unknown = unknownMap({ ...tensor, expected, reference });
  return unknown.length > 0 ? unknown : fractionsOf({ given, axes, expected, reference });
}

/** A tensor whose channels have at most 256 values. */
interface Tensor {
  readonly given: GivenTensor;
  readonly axes: Axes;
  readonly distinct: DistinctValues;
  readonly precision: DatatypeName;
  readonly colours: 1 | 3;
}

/** Of rules with one effect, that which differs from the expected one in the fewest words is found first. */
function nearestFirst(rules: readonly ValueRule[], expected: ValueRule): readonly ValueRule[] {
  const right = ruleInWords(expected);
  const departures = rules.map((rule) => {
    const { scale, mean, std } = ruleInWords(rule);
    return Number(scale !== right.scale) + Number(mean !== right.mean) + Number(std !== right.std);
  });
  return rules
    .map((_, index) => index)
    .sort((a, b) => (departures[a] as number) - (departures[b] as number) || a - b)
    .map((index) => rules[index] as ValueRule);
}

function exactPictures(tensor: Tensor, rules: readonly ValueRule[], usual: Arithmetic): readonly Recovered[] {
  const found: Recovered[] = [];
  // Numbers in other roles, such as x / 127.5 − 1 and (x / 255 − 0.5) / 0.5, are one cause.
  const effects = new Set<string>();
  const tolerance = tolerances[tensor.precision] ?? nearby;
  const extremes = extremesOf(tensor.distinct.values);
  for (const rule of rules) {
    if (!fits(rule, extremes, tolerance)) continue;
    if (residualOf(rule, tensor.distinct.values, tolerance) === undefined) continue;
    const effect = keyOfEffect(rule, tensor.colours);
    if (effects.has(effect)) continue;
    const recovered = exactPicture(tensor, rule, usual);
    if (recovered === undefined) continue;
    found.push(recovered);
    effects.add(effect);
    if (found.length === maxPictures) break;
  }
  return found;
}

/** Pictures that were padded with zeros after the normalization. Their padding is black. */
function paddedPictures(
  tensor: Tensor,
  rules: readonly ValueRule[],
  usual: Arithmetic,
): readonly Recovered[] {
  const distinct = withoutPadding(tensor.distinct, tensor.axes);
  if (distinct === undefined) return [];
  return exactPictures({ ...tensor, distinct }, rules, usual).map((recovered) => {
    const { words, ...map } = recovered.valueMap;
    return { ...recovered, valueMap: { ...map, words: { ...words, pad: 'zeros after the normalization' } } };
  });
}

interface Extremes {
  readonly least: number;
  readonly most: number;
  /** Different values. */
  readonly count: number;
}

function extremesOf(values: DistinctValues['values']): readonly Extremes[] {
  return values.map((list) => ({
    least: list.reduce((one, other) => Math.min(one, other)),
    most: list.reduce((one, other) => Math.max(one, other)),
    count: list.length,
  }));
}

/** Whether the least and the largest value can be levels, and far enough apart for the ones between. */
function fits(rule: ValueRule, extremes: readonly Extremes[], tolerance: number): boolean {
  return extremes.every(({ least, most, count }, channel) => {
    const { gain, bias } = effectOf(rule, channel);
    const [lowest, highest] = [(least - bias) / gain, (most - bias) / gain];
    return (
      // False also for NaN.
      lowest >= -tolerance &&
      highest <= 255 + tolerance &&
      // Of coarse values, several levels have one.
      highest - lowest + 2 * tolerance >= count - 1 &&
      Math.abs(lowest - Math.round(lowest)) <= tolerance &&
      Math.abs(highest - Math.round(highest)) <= tolerance
    );
  });
}

/**
 * How far values may be from those of unrounded arithmetic, in levels: the rounding of each step counts, in units of a std
 * of 0.22. An integer or FP32 is nearer than `nearby`.
 */
const tolerances: Readonly<Partial<Record<DatatypeName, number>>> = { FP16: 0.4, BF16: 2.5 };

/** The largest distance of a value from a level, in levels; undefined if it is larger than the tolerance. */
function residualOf(
  rule: ValueRule,
  values: DistinctValues['values'],
  tolerance: number,
): number | undefined {
  let largest = 0;
  for (const [channel, list] of values.entries()) {
    const { gain, bias } = effectOf(rule, channel);
    for (const value of list) {
      const level = (value - bias) / gain;
      const residual = Math.abs(level - Math.round(level));
      if (residual > tolerance) return undefined;
      largest = Math.max(largest, residual);
    }
  }
  return largest;
}

function exactPicture(tensor: Tensor, rule: ValueRule, usual: Arithmetic): Recovered | undefined {
  const { given, precision } = tensor;
  const own = roundTo[given.datatype];
  const ways = [
    { suffix: '', round: own },
    ...(precision === given.datatype
      ? []
      : [{ suffix: `, then rounded to ${precision}`, round: roundTo[precision] }]),
  ];
  const maps: ValueMap[] = [];
  let first: RecoveredPicture | undefined;
  let isOpaque = true;
  for (const arithmetic of [usual, ...arithmetics.filter((other) => other !== usual)]) {
    for (const { suffix, round } of ways) {
      const levels = levelsOf(tensor, rule, arithmetic, round);
      if (levels === undefined) continue;
      if (first === undefined) {
        first = pictureOf(tensor, levels);
        isOpaque = hasOpaqueAlpha(tensor, rule, arithmetic, round);
      }
      maps.push(valueMap(rule, arithmetic, arithmetic.words + suffix));
      break;
    }
    if (maps.length > maxAlso) break;
  }
  const [map, ...also] = maps;
  if (map === undefined || first === undefined) return undefined;
  return { picture: first, valueMap: map, also, isExact: isOpaque };
}

interface ChannelLevels {
  /** For each of the channel's values. */
  readonly levels: readonly number[];
  /** For each level, the lowest one with the same value. Unset: each level has its own. */
  readonly lowest: Uint8Array | undefined;
}

/** The levels that an arithmetic turns into a tensor's values; undefined if it does not give one of them. */
function levelsOf(
  { distinct, precision }: Tensor,
  rule: ValueRule,
  arithmetic: Arithmetic,
  round: Round,
): readonly ChannelLevels[] | undefined {
  const isCoarse = precision === 'FP16' || precision === 'BF16';
  const found: ChannelLevels[] = [];
  for (const [channel, values] of distinct.values.entries()) {
    const value = arithmetic.of(rule, channel);
    if (value === undefined) return undefined;
    const { gain, bias } = effectOf(rule, channel);
    const levels: number[] = [];
    for (const given of values) {
      const level = levelOf(given, (given - bias) / gain, (x) => round(value(x)), isCoarse ? 3 : 0);
      if (level === undefined) return undefined;
      levels.push(level);
    }
    const lowest = isCoarse ? lowestOf((x) => round(value(x))) : undefined;
    found.push({ levels: levels.map((level) => lowest?.[level] ?? level), lowest });
  }
  return found;
}

function levelOf(value: number, near: number, toValue: Round, reach: number): number | undefined {
  const middle = Math.round(near);
  for (let distance = 0; distance <= reach; distance++) {
    for (const level of distance === 0 ? [middle] : [middle - distance, middle + distance]) {
      if (level >= 0 && level <= 255 && toValue(level) === value) return level;
    }
  }
  return undefined;
}

/** @returns undefined if every level has its own value */
function lowestOf(toValue: Round): Uint8Array | undefined {
  const lowest = new Uint8Array(256);
  for (let level = 1; level < 256; level++) {
    lowest[level] = toValue(level) === toValue(level - 1) ? (lowest[level - 1] as number) : level;
  }
  return lowest.every((low, level) => low === level) ? undefined : lowest;
}

function pictureOf({ axes, distinct, colours }: Tensor, found: readonly ChannelLevels[]): RecoveredPicture {
  const { width, height } = axes;
  const { indexes } = distinct;
  const data = new Uint8Array(indexes.length);
  for (const [channel, { levels }] of found.entries()) {
    for (let at = channel; at < data.length; at += colours) data[at] = levels[indexes[at] as number] ?? 0;
  }
  const picture = { data, width, height, channels: colours };
  if (found.every(({ lowest }) => lowest === undefined)) return picture;
  return {
    ...picture,
    distance: (own, rendered, channel) => Math.abs(own - (found[channel]?.lowest?.[rendered] ?? rendered)),
  };
}

/** Whether the fourth channel, if there is one, is that of an opaque picture everywhere. */
function hasOpaqueAlpha(
  { given, axes }: Tensor,
  rule: ValueRule,
  arithmetic: Arithmetic,
  round: Round,
): boolean {
  if (axes.channels !== 4) return true;
  const alpha = distinctValuesOf(given.values, { ...axes, channelStep: 3 * axes.channelStep }, 2)?.values[1];
  const [value, ...others] = alpha ?? [];
  if (value === undefined || others.length > 0) return false;
  const unnormalized = { ...rule, normalizations: [{ mean: [0], std: [1] }] };
  return [rule, unnormalized].some((own) => {
    const opaque = arithmetic.of(own, 0);
    return opaque !== undefined && round(opaque(255)) === value;
  });
}

/** Pictures whose pixels are certain, although no known arithmetic gives the values. */
function nearPictures(tensor: Tensor, rules: readonly ValueRule[]): readonly Recovered[] {
  if (tensor.precision === 'FP16' || tensor.precision === 'BF16') return [];
  const { distinct, given } = tensor;
  const extremes = extremesOf(distinct.values);
  const fitting = rules.flatMap((rule) => {
    if (!fits(rule, extremes, nearby)) return [];
    const residual = residualOf(rule, distinct.values, nearby);
    return residual === undefined ? [] : [{ rule, residual }];
  });
  return fitting
    .sort((a, b) => a.residual - b.residual)
    .slice(0, 2)
    .map(({ rule }) => {
      const found = distinct.values.map((values, channel) => {
        const { gain, bias } = effectOf(rule, channel);
        return { levels: values.map((value) => Math.round((value - bias) / gain)), lowest: undefined };
      });
      const arithmetic = arithmetics[0] as Arithmetic;
      return {
        picture: pictureOf(tensor, found),
        valueMap: valueMap(rule, arithmetic, `unknown, in ${given.datatype}`),
        also: [],
        isExact: false,
      };
    });
}
