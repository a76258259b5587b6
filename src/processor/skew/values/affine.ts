import type { Axes } from '../axes.ts';
import type { GivenTensor } from '../given/given-tensor.ts';
import type { Arithmetic } from './arithmetics.ts';
import type { DistinctValues } from './distinct-values.ts';
import type { Recovered } from './recovered.ts';
import { type Moments, momentsOf, type Reference } from './reference.ts';
import { type ValueMap, valueMap } from './value-map.ts';

/*
 * A scale and an offset that no rule has: per-image normalizations, and a preset's own numbers mistyped. The values of a
 * channel are then equidistant; the step is the scale. The offset is one of some integers; the moments of the expected
 * picture tell which.
 */

/** How far a value may be from its place among the others, in levels. */
const tolerance = 0.02;

/** The number of values in a channel from which on a step can be estimated. */
const minValues = 8;

/**
 * Reads the picture in a tensor with an unknown scale and offset.
 *
 * @returns empty if the values are not equidistant
 */
export function unknownMap(tensor: {
  readonly given: GivenTensor;
  readonly axes: Axes;
  readonly distinct: DistinctValues;
  readonly colours: 1 | 3;
  readonly expected: ValueMap;
  readonly reference: Reference | undefined;
}): readonly Recovered[] {
  const { given, axes, distinct, colours, expected, reference } = tensor;
  const { width, height } = axes;
  const gains = gainsOf(distinct.values);
  if (gains === undefined) return [];
  const moments = momentsOf(given, axes);
  const places = placesOf(distinct.values, gains, moments, reference);
  const data = new Uint8Array(distinct.indexes.length);
  for (const [channel, values] of distinct.values.entries()) {
    const { lowest, level } = places[channel] as Place;
    if (level + (Math.max(...values) - lowest) / (gains[channel] as number) > 255.5) return [];
    const levels = values.map((value) => level + Math.round((value - lowest) / (gains[channel] as number)));
    for (let at = channel; at < data.length; at += colours)
      data[at] = levels[distinct.indexes[at] as number] as number;
  }
  const maps = places.map(({ lowest, level }, channel) => {
    const gain = gains[channel] as number;
    return { gain, bias: lowest - level * gain };
  });
  const words = {
    ...expected.words,
    scale: mapInWords(maps) + origin(distinct.values, moments),
    rounding: 'unknown',
  };
  const map = { ...valueMap(expected.rule, expected.arithmetic as Arithmetic, 'unknown'), words };
  return [{ picture: { data, width, height, channels: colours }, valueMap: map, also: [], isExact: false }];
}

/** The distance of neighbouring levels in each channel; undefined if there is none. */
function gainsOf(values: DistinctValues['values']): readonly number[] | undefined {
  const steps = values.map(stepOf);
  if (!steps.every((step) => step !== undefined)) return undefined;
  const least = Math.min(...steps);
  // A channel with every second level only has the scale of the others.
  return steps.map((step) => (Math.abs(step / least - Math.round(step / least)) < 1e-4 ? least : step));
}

/** The distance of neighbouring levels; undefined if the values are not equidistant. */
function stepOf(values: readonly number[]): number | undefined {
  if (values.length < minValues) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const [lowest = 0] = sorted;
  const range = (sorted.at(-1) ?? 0) - lowest;
  const gaps = sorted.slice(1).map((value, index) => value - (sorted[index] as number));
  const smallest = Math.min(...gaps);
  for (const divisor of [1, 2, 3]) {
    const steps = Math.round((range / smallest) * divisor);
    if (steps > 255) return undefined;
    const step = range / steps;
    const isEquidistant = sorted.every((value) => {
      const place = (value - lowest) / step;
      return Math.abs(place - Math.round(place)) <= tolerance;
    });
    if (isEquidistant) return step;
  }
  return undefined;
}

/** The lowest value of a channel, and its level. */
interface Place {
  readonly lowest: number;
  readonly level: number;
}

function placesOf(
  values: DistinctValues['values'],
  gains: readonly number[],
  own: readonly Moments[],
  reference: Reference | undefined,
): readonly Place[] {
  const theirs = reference?.length === own.length ? nearerOrder(own, gains, reference) : undefined;
  return values.map((list, channel) => {
    const gain = gains[channel] as number;
    const lowest = Math.min(...list);
    const highest = 255 - Math.round((Math.max(...list) - lowest) / gain);
    const above = ((own[channel]?.mean ?? 0) - lowest) / gain;
    const level = Math.round((theirs?.[channel]?.mean ?? above) - above);
    return { lowest, level: Math.min(highest, Math.max(0, level)) };
  });
}

/** The reference, or its channels in reverse, whichever has the deviations of the picture. */
function nearerOrder(own: readonly Moments[], gains: readonly number[], reference: Reference): Reference {
  const distance = (order: Reference) =>
    own.reduce(
      (sum, { deviation }, channel) =>
        sum + Math.abs(deviation / (gains[channel] as number) - (order[channel]?.deviation ?? 0)),
      0,
    );
  const reversed = reference.toReversed();
  return distance(reversed) < distance(reference) ? reversed : reference;
}

/** Deviation of a mean from 0, or of a std from 1, that is rounding or a count less by one. */
const slight = 2e-3;

/** Where a scale and an offset are from that no program has written down: the picture itself. */
function origin(values: DistinctValues['values'], moments: readonly Moments[]): string {
  const isStandard = ({ mean, deviation }: Moments) =>
    Math.abs(mean) < slight && Math.abs(deviation - 1) < slight;
  if (moments.every(isStandard)) return ', by the mean and std of each channel';
  if (isStandard(wholeOf(moments))) return ', by the mean and std of the picture';
  const [least, most] = [Math.min(...values.flat()), Math.max(...values.flat())];
  const isRange = (least === 0 || least === -1) && most === 1;
  return isRange ? ', by the least and largest value of the picture' : '';
}

/** The moments of all channels together. */
function wholeOf(moments: readonly Moments[]): Moments {
  const average = (of: (one: Moments) => number) =>
    moments.reduce((sum, one) => sum + of(one), 0) / moments.length;
  const mean = average((one) => one.mean);
  const square = average((one) => one.deviation ** 2 + one.mean ** 2);
  return { mean, deviation: Math.sqrt(square - mean * mean) };
}

/** `x × 0.01712 − 2.1179`, once if it is the same in all channels. */
function mapInWords(maps: readonly { readonly gain: number; readonly bias: number }[]): string {
  const words = maps.map(({ gain, bias }) => {
    const offset = Number(Math.abs(bias).toPrecision(5));
    return `x × ${Number(gain.toPrecision(4))}${offset === 0 ? '' : ` ${bias < 0 ? '−' : '+'} ${offset}`}`;
  });
  return [...new Set(words)].length === 1 ? (words[0] as string) : words.join('; ');
}
