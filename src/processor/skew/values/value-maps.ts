import type { TensorPlan } from '../../image/plan.ts';
import { channelTables, type Rounding } from '../../image/value-table.ts';
import type { Axes } from '../axes.ts';
import type { GivenTensor } from '../given/given-tensor.ts';
import type { Levels, Words } from '../lattice/hypothesis.ts';

/*
 * From a tensor's values back to levels 0…255. A sample has 256 possible values if the picture was uint8 before it was
 * rescaled and normalized, so a scale, a mean and a std are right if their table contains every value of the tensor.
 */

/** A scale, a mean and a std, with their rounding. */
export interface ValueMap {
  readonly id: string;
  readonly words: Words;
  /** The value of each level, for each channel. */
  readonly tables: readonly ArrayLike<number>[];
}

/** The picture in a tensor, read with one value map. */
export interface Recovered {
  readonly axes: Axes;
  readonly picture: Levels;
  readonly valueMap: ValueMap;
  /** Other value maps that give the same values. */
  readonly also: readonly ValueMap[];
  /** Whether the value map gives every value of the tensor, to the last bit. */
  readonly isExact: boolean;
}

const roundings: Readonly<Record<Rounding, string>> = {
  stepwise: 'each operation in FP32',
  fused: 'rescaling and normalization fused, in FP32',
  affine: 'one product and one sum, in FP32',
  bfloat16: 'each operation in BF16',
};

/** Means and stds that are in use, in units of the rescaled values. */
const normalizations = [
  { mean: [0], std: [1], words: { mean: '0', std: '1' } },
  { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], words: { mean: 'ImageNet', std: 'ImageNet' } },
  {
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
    words: { mean: 'CLIP', std: 'CLIP' },
  },
  { mean: [0.5], std: [0.5], words: { mean: '0.5', std: '0.5' } },
] as const;

const scales = [
  { factor: 1 / 255, words: '1/255' },
  { factor: 1, words: '1' },
  { factor: 1 / 256, words: '1/256' },
] as const;

/** The value map of a plan. */
export function valueMapOf(plan: TensorPlan, channels: number): ValueMap {
  const { rescaleFactor, mean, std, rounding = 'stepwise' } = plan;
  const divisor = Math.round(1 / rescaleFactor);
  return mapOf(
    { ...plan, datatype: 'FP32', channelOrder: 'RGB' },
    {
      scale: rescaleFactor === 1 / divisor && divisor > 1 ? `1/${divisor}` : String(rescaleFactor),
      mean: mean.join(', '),
      std: std.join(', '),
      rounding: roundings[rounding],
    },
    channels,
  );
}

/**
 * Reads the picture in a tensor.
 *
 * @param expected - the value map that is tried first
 * @returns one picture for each value map that fits, the most likely first; empty if none does
 */
export function recover(given: GivenTensor, axes: Axes, expected: ValueMap): readonly Recovered[] {
  const found: Recovered[] = [];
  for (const valueMap of [expected, ...valueMaps(axes.channels)]) {
    const picture = exactLevels(given, axes, valueMap);
    if (picture === undefined) continue;
    const same = found.findIndex((other) => isSame(other.picture, picture));
    const other = found[same];
    if (other === undefined) found.push({ axes, picture, valueMap, also: [], isExact: true });
    else found[same] = { ...other, also: [...other.also, valueMap] };
  }
  return found;
}

function* valueMaps(channels: number): Generator<ValueMap> {
  for (const { factor, words: scale } of scales) {
    for (const { mean, std, words } of normalizations) {
      for (const rounding of ['stepwise', 'fused', 'affine'] as const) {
        const plan = {
          datatype: 'FP32',
          rescaleFactor: factor,
          mean,
          std,
          rounding,
          channelOrder: 'RGB',
        } as const;
        yield mapOf(plan, { scale, ...words, rounding: roundings[rounding] }, channels);
      }
    }
  }
}

function mapOf(plan: Parameters<typeof channelTables>[0], words: Words, channels: number): ValueMap {
  const tables = channelTables(plan, channels).map(({ table }) => table);
  return { id: JSON.stringify(words), words, tables };
}

function exactLevels({ values }: GivenTensor, axes: Axes, { tables }: ValueMap): Levels | undefined {
  const { width, height, channels, rowStep, columnStep, channelStep } = axes;
  if (channels === 4) return undefined;
  const data = new Uint8Array(width * height * channels);
  for (let channel = 0; channel < channels; channel++) {
    const table = tables[channel] ?? [];
    const levels = new Map(Array.from(table, (value, level) => [value, level]));
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const level = levels.get(values[y * rowStep + x * columnStep + channel * channelStep] as number);
        if (level === undefined) return undefined;
        data[(y * width + x) * channels + channel] = level;
      }
    }
  }
  return { data, width, height, channels };
}

function isSame(one: Levels, other: Levels): boolean {
  return one.data.every((level, index) => level === other.data[index]);
}
