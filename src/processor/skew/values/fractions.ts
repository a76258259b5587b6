import type { Axes } from '../axes.ts';
import type { GivenTensor } from '../given/given-tensor.ts';
import type { Levels } from '../lattice/hypothesis.ts';
import { arithmetics } from './arithmetics.ts';
import { roundTo } from './floats.ts';
import type { Recovered, RecoveredPicture } from './recovered.ts';
import { type Moments, momentsOf, type Reference } from './reference.ts';
import { type ValueMap, valueMap } from './value-map.ts';
import { effectOf, keyOfEffect, mistakenRules, usualRules, type ValueRule } from './value-rules.ts';

/*
 * Pictures that were resized as floats: their levels are fractions, so no table contains their values. The rule is
 * chosen by the moments of the expected picture, and an arithmetic is proved on a rendered picture.
 */

/** Rules that are searched. */
const maxRules = 2;

/** Levels may lie outside 0…255 by the overshoot of a cubic. */
const lowest = -60;
const highest = 315;

/** Distance of moments, in levels, from which on the usual rules are doubted. */
const doubtful = 12;

interface Tensor {
  readonly given: GivenTensor;
  readonly axes: Axes;
  readonly expected: ValueMap;
  readonly reference: Reference | undefined;
}

/** Reads a picture of fractions, with the rules that fit best. */
export function fractionsOf(tensor: Tensor): readonly Recovered[] {
  const { rule: expected } = tensor.expected;
  const moments = momentsOf(tensor.given, tensor.axes);
  const usual = fitting(usualRules(expected), moments, tensor);
  const mistaken = fitting(mistakenRules(expected), moments, tensor);
  const isUsual = (usual[0]?.distance ?? Number.POSITIVE_INFINITY) < doubtful;
  const ordered = isUsual ? [...usual, ...mistaken] : [...mistaken.slice(0, 1), ...usual];
  const whole = [...usual, ...mistaken].find(({ rule }) => areLevels(rule, moments, tensor));
  if (whole !== undefined) return [nearby(whole.rule, tensor)];
  const clearest = (ordered[0]?.distance ?? 0) + clearly;
  return ordered
    .slice(0, maxRules)
    .filter(({ distance }) => distance <= clearest)
    .map(({ rule }) => recoveredBy(rule, tensor));
}

/** Moments that are farther from those of the expected picture by this much, in levels, are another rule's. */
const clearly = 3;

/** A value this near to a level, in levels, is taken for it. */
const tolerated = 0.02;

/** Whether all values are near to levels: those of uint8 pixels with a little noise. */
function areLevels(rule: ValueRule, moments: readonly Moments[], { given, axes }: Tensor): boolean {
  const { width, height, rowStep, columnStep, channelStep } = axes;
  for (const [channel, { deviation }] of moments.entries()) {
    const { gain, bias } = effectOf(rule, channel);
    // With a scale that is too large, everything is near to one level.
    if (deviation < gain) return false;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const value = given.values[y * rowStep + x * columnStep + channel * channelStep] as number;
        const level = (value - bias) / gain;
        if (Math.abs(level - Math.round(level)) > tolerated || level < -1 || level > 256) return false;
      }
    }
  }
  return true;
}

function nearby(rule: ValueRule, tensor: Tensor): Recovered {
  const { picture, valueMap, also, isExact } = recoveredBy(rule, tensor);
  const { width, height, channels } = picture;
  const data = Uint8Array.from(picture.data, Math.round);
  return { picture: { data, width, height, channels }, valueMap, also, isExact };
}

/** The rules whose levels lie in range, those with the moments of the expected picture first. */
function fitting(
  rules: Iterable<ValueRule>,
  moments: readonly Moments[],
  { given, reference }: Tensor,
): readonly { readonly rule: ValueRule; readonly distance: number }[] {
  const extremes = extremesOf(given);
  const seen = new Set<string>();
  const found: { readonly rule: ValueRule; readonly distance: number }[] = [];
  for (const rule of rules) {
    if (!isInRange(rule, extremes, moments.length)) continue;
    // Rules of one effect give one picture.
    const key = keyOfEffect(rule, moments.length);
    if (seen.has(key)) continue;
    seen.add(key);
    found.push({ rule, distance: distanceOf(rule, moments, reference) });
  }
  return found.sort((a, b) => a.distance - b.distance);
}

function extremesOf({ values }: GivenTensor): { readonly least: number; readonly most: number } {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
}

function isInRange(
  rule: ValueRule,
  { least, most }: { readonly least: number; readonly most: number },
  channels: number,
): boolean {
  // The extremes are of some channel.
  const effects = Array.from({ length: channels }, (_, channel) => effectOf(rule, channel));
  return (
    effects.some(({ gain, bias }) => (least - bias) / gain >= lowest) &&
    effects.some(({ gain, bias }) => (most - bias) / gain <= highest)
  );
}

/** How far the moments of the levels are from those of the expected picture, per channel, in levels. */
function distanceOf(rule: ValueRule, moments: readonly Moments[], reference: Reference | undefined): number {
  if (reference === undefined || reference.length !== moments.length) return 0;
  const levels = moments.map(({ mean, deviation }, channel) => {
    const { gain, bias } = effectOf(rule, channel);
    return { mean: (mean - bias) / gain, deviation: deviation / gain };
  });
  const distance = (order: Reference) =>
    levels.reduce(
      (sum, { mean, deviation }, channel) =>
        sum +
        Math.abs(mean - (order[channel]?.mean ?? 0)) +
        Math.abs(deviation - (order[channel]?.deviation ?? 0)),
      0,
    ) / levels.length;
  return Math.min(distance(reference), distance(reference.toReversed()));
}

function recoveredBy(rule: ValueRule, tensor: Tensor): Recovered {
  const { given } = tensor;
  return {
    picture: pictureOf(rule, tensor),
    valueMap: valueMap(rule, tensor.expected.arithmetic, `unknown, in ${given.datatype}`),
    also: [],
    isExact: false,
    prove: (rendered) => provedBy(rule, tensor, rendered),
  };
}

function pictureOf(rule: ValueRule, { given, axes }: Tensor): RecoveredPicture {
  const { width, height, rowStep, columnStep, channelStep } = axes;
  const channels = axes.channels === 1 ? 1 : 3;
  const data = new Float32Array(width * height * channels);
  let tolerance = 0;
  for (let channel = 0; channel < channels; channel++) {
    const { gain, bias } = effectOf(rule, channel);
    tolerance = Math.max(
      tolerance,
      ((relativeError[given.datatype as 'FP16'] ?? 2 ** -20) * (1 + Math.abs(bias))) / gain,
    );
    let to = channel;
    for (let y = 0; y < height; y++) {
      let from = y * rowStep + channel * channelStep;
      for (let x = 0; x < width; x++, from += columnStep, to += channels)
        data[to] = ((given.values[from] as number) - bias) / gain;
    }
  }
  return {
    data,
    width,
    height,
    channels,
    distance: (own, rendered) => {
      const difference = Math.abs(own - rendered);
      return difference <= tolerance ? 0 : difference;
    },
  };
}

/** Rounding of a value of about 1 or 2, some times. */
const relativeError = { FP16: 2 ** -10, BF16: 2 ** -7 } as const;

/** The value map that gives every value of a tensor from a rendered picture. */
function provedBy(rule: ValueRule, tensor: Tensor, rendered: Levels): ValueMap | undefined {
  const { expected } = tensor;
  const after = rendered.white === 1 ? afterScaling(rule) : rule;
  if (after === undefined) return undefined;
  const ordered = [expected.arithmetic, ...arithmetics.filter((other) => other !== expected.arithmetic)];
  const pictures = rendered.data instanceof Float64Array ? [rendered, inSingle(rendered)] : [rendered];
  const arithmetic = ordered.find((own) => {
    const functions = Array.from({ length: rendered.channels }, (_, channel) => own.of(after, channel));
    return (
      functions.every((of) => of !== undefined) &&
      pictures.some((picture) => gives(functions, tensor, picture))
    );
  });
  return arithmetic && valueMap(rule, arithmetic, arithmetic.words);
}

/** The rest of a rule for pixels that were divided by 255 before. */
/** A picture that was resized in double and converted to FP32 before the other operations. */
function inSingle(picture: Levels): Levels {
  return { ...picture, data: Float32Array.from(picture.data) };
}

function afterScaling({ factors, normalizations }: ValueRule): ValueRule | undefined {
  const [first, ...others] = factors;
  return first === 1 / 255 ? { factors: others, normalizations } : undefined;
}

function gives(
  functions: readonly ((level: number) => number)[],
  { given, axes }: Tensor,
  { data, width, height, channels }: Levels,
): boolean {
  if (width !== axes.width || height !== axes.height || channels !== Math.min(3, axes.channels)) return false;
  const round = roundTo[given.datatype];
  let from = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < channels; channel++, from++) {
        const value = functions[channel]?.(data[from] as number) ?? Number.NaN;
        const at = y * axes.rowStep + x * axes.columnStep + channel * axes.channelStep;
        if (round(value) !== given.values[at]) return false;
      }
    }
  }
  return true;
}
