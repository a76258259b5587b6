import { encode } from '../codecs/encode.ts';
import { type Axes, readingsOf } from './axes.ts';
import type { GivenTensor } from './given/given-tensor.ts';
import { type Percentile, percentilesOf } from './percentiles.ts';

/** How two tensors of one size differ. Values are compared as numbers, whatever their datatypes are. */
export interface Difference {
  /** Whether shape, datatype and all values are equal. */
  readonly isEqual: boolean;
  /** 0…1. */
  readonly differingShare: number;
  /** In the units of the expected tensor, as are the next ones. */
  readonly meanAbs: number;
  readonly maxAbs: number;
  readonly percentiles: readonly Percentile[];
}

const percents = [50, 90, 99, 99.9] as const;

/**
 * The difference of two tensors. If they differ only in the order of their axes, or in axes of length 1, values of the same
 * pixel and channel are compared.
 *
 * @returns undefined if they differ in size
 */
export function differenceOf(given: GivenTensor, expected: GivenTensor): Difference | undefined {
  const differences = differencesOf(given, expected);
  if (differences === undefined) return undefined;
  let differing = 0;
  let sum = 0;
  let maxAbs = 0;
  for (let at = 0; at < differences.length; at++) {
    const difference = differences[at] as number;
    if (difference !== 0) differing += 1;
    if (difference > maxAbs) maxAbs = difference;
    sum += difference;
  }
  const count = Math.max(1, differences.length);
  const sameForm = given.datatype === expected.datatype && isSameShape(given.shape, expected.shape);
  return {
    isEqual: sameForm && differing === 0,
    differingShare: differing / count,
    meanAbs: sum / count,
    maxAbs,
    percentiles: percentilesOf(differences, percents),
  };
}

/** The percentile of the pixels that is white in the map, so that single pixels do not darken the others. */
const whitePercent = 99.9;

/**
 * A picture of the absolute differences. A pixel shows the largest one of its channels: its brightness is the square root
 * of the difference, from black for none to white for that of the 99.9th percentile of the pixels, and above.
 *
 * @returns a PNG of the expected tensor's size; undefined if the tensors are no pictures or differ in size
 */
export async function mapOf(given: GivenTensor, expected: GivenTensor): Promise<Uint8Array | undefined> {
  const pair = axesOfBoth(given, expected);
  if (pair === undefined) return undefined;
  const [, { width, height }] = pair;
  const values = new Float64Array(width * height);
  eachValue(pair, (from, to, pixel) => {
    const difference = Math.abs((given.values[from] as number) - (expected.values[to] as number));
    if (difference > (values[pixel] as number)) values[pixel] = difference;
  });
  const [percentile, largest] = percentilesOf(values, [whitePercent, 100]).map(({ value }) => value);
  const white = percentile || largest || 1;
  const data = Uint8Array.from(values, (value) => Math.ceil(Math.sqrt(Math.min(1, value / white)) * 255));
  const { content } = await encode({ data, width, height, channels: 1 }, 'png', undefined);
  return content;
}

function differencesOf(given: GivenTensor, expected: GivenTensor): Float64Array | undefined {
  const differences = new Float64Array(expected.values.length);
  if (isSameShape(given.shape, expected.shape)) {
    for (let at = 0; at < differences.length; at++)
      differences[at] = Math.abs((given.values[at] as number) - (expected.values[at] as number));
    return differences;
  }
  const pair = axesOfBoth(given, expected);
  if (pair === undefined) return undefined;
  let index = 0;
  eachValue(pair, (from, to) => {
    differences[index++] = Math.abs((given.values[from] as number) - (expected.values[to] as number));
  });
  return differences;
}

/** The readings of both tensors as pictures of one size. */
function axesOfBoth(given: GivenTensor, expected: GivenTensor): readonly [Axes, Axes] | undefined {
  const [theirs] = readingsOf(expected);
  const own = theirs && readingsOf(given).find((axes) => isSameSize(axes, theirs));
  return theirs && own && [own, theirs];
}

function isSameSize(one: Axes, other: Axes): boolean {
  return one.width === other.width && one.height === other.height && one.channels === other.channels;
}

function isSameShape(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((length, axis) => length === other[axis]);
}

function eachValue(
  [own, theirs]: readonly [Axes, Axes],
  visit: (from: number, to: number, pixel: number) => void,
): void {
  for (let y = 0; y < own.height; y++) {
    for (let x = 0; x < own.width; x++) {
      for (let channel = 0; channel < own.channels; channel++) {
        visit(
          y * own.rowStep + x * own.columnStep + channel * own.channelStep,
          y * theirs.rowStep + x * theirs.columnStep + channel * theirs.channelStep,
          y * own.width + x,
        );
      }
    }
  }
}
