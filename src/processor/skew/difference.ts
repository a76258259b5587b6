import { encode } from '../codecs/encode.ts';
import { type Axes, readingsOf } from './axes.ts';
import type { GivenTensor } from './given/given-tensor.ts';

/** How two tensors of one size differ. */
export interface Difference {
  /** Whether shape, datatype and all values are equal. */
  readonly isEqual: boolean;
  /** 0…1. */
  readonly differingShare: number;
  /** In the units of the expected tensor, as are the next ones. */
  readonly meanAbs: number;
  readonly maxAbs: number;
  readonly percentiles: readonly { readonly percent: number; readonly value: number }[];
}

const percents = [50, 90, 99, 99.9] as const;

/**
 * The difference of two tensors. If they differ only in the order of their axes, values of the same pixel and channel are
 * compared.
 *
 * @returns undefined if they differ in size
 */
export function differenceOf(given: GivenTensor, expected: GivenTensor): Difference | undefined {
  const differences = differencesOf(given, expected);
  if (differences === undefined) return undefined;
  const count = differences.length;
  const differing = differences.reduce((sum, difference) => sum + Number(difference !== 0), 0);
  const meanAbs = differences.reduce((sum, difference) => sum + difference, 0) / Math.max(1, count);
  differences.sort();
  const at = (percent: number) => differences[Math.max(0, Math.ceil((percent / 100) * count) - 1)] ?? 0;
  const sameForm = given.datatype === expected.datatype && isSameShape(given.shape, expected.shape);
  return {
    isEqual: sameForm && differing === 0,
    differingShare: differing / Math.max(1, count),
    meanAbs,
    maxAbs: at(100),
    percentiles: percents.map((percent) => ({ percent, value: at(percent) })),
  };
}

/**
 * A picture of the absolute differences, the largest of a pixel's channels, from black for none to white for the largest.
 *
 * @returns a PNG; undefined if the tensors differ in size
 */
export async function mapOf(given: GivenTensor, expected: GivenTensor): Promise<Uint8Array | undefined> {
  const pair = axesOfBoth(given, expected);
  if (pair === undefined) return undefined;
  const [own] = pair;
  const { width, height, channels } = own;
  const values = new Float64Array(width * height);
  eachValue(pair, (from, to, pixel) => {
    const difference = Math.abs((given.values[from] as number) - (expected.values[to] as number));
    values[pixel] = Math.max(values[pixel] as number, difference);
  });
  void channels;
  const largest = values.reduce((one, other) => Math.max(one, other), 0) || 1;
  const data = Uint8Array.from(values, (value) => Math.ceil((value / largest) * 255));
  const { content } = await encode({ data, width, height, channels: 1 }, 'png', undefined);
  return content;
}

function differencesOf(given: GivenTensor, expected: GivenTensor): Float64Array | undefined {
  if (isSameShape(given.shape, expected.shape)) {
    return Float64Array.from(given.values, (value, index) =>
      Math.abs(value - (expected.values[index] as number)),
    );
  }
  const pair = axesOfBoth(given, expected);
  if (pair === undefined) return undefined;
  const differences = new Float64Array(given.values.length);
  let index = 0;
  eachValue(pair, (from, to) => {
    differences[index++] = Math.abs((given.values[from] as number) - (expected.values[to] as number));
  });
  return differences;
}

/** The readings of both tensors as pictures of one size. */
function axesOfBoth(given: GivenTensor, expected: GivenTensor): readonly [Axes, Axes] | undefined {
  for (const theirs of readingsOf(expected)) {
    const own = readingsOf(given).find((axes) => isSameSize(axes, theirs));
    if (own !== undefined) return [own, theirs];
  }
  return undefined;
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
