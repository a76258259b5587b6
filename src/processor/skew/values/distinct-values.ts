import type { DatatypeName } from '../../../datatypes.ts';
import type { Axes } from '../axes.ts';
import type { TensorValues } from '../given/given-tensor.ts';
import { roundTo } from './floats.ts';

/** The different values of each channel of a tensor. */
export interface DistinctValues {
  /** For each channel, in the order of their first occurrence. */
  readonly values: readonly (readonly number[])[];
  /** [height, width, channels]: the position of each value in its channel's list. */
  readonly indexes: Uint16Array;
}

/** A channel of levels has 256; one more may be that of a padding. */
const maxValues = 257;

/** Slots of a hash table; a power of two, so that at most a quarter is in use. */
const slots = 2048;

/**
 * Lists the different values of each channel.
 *
 * @param channels - the first ones that are looked at
 * @returns undefined if a channel has more than 257
 */
export function distinctValuesOf(
  tensor: TensorValues,
  { width, height, rowStep, columnStep, channelStep }: Axes,
  channels: number,
): DistinctValues | undefined {
  const indexes = new Uint16Array(width * height * channels);
  const values: number[][] = [];
  for (let channel = 0; channel < channels; channel++) {
    const list: number[] = [];
    // The index of a value, counted from 1; 0 is free.
    const table = new Uint16Array(slots);
    let to = channel;
    for (let y = 0; y < height; y++) {
      let from = y * rowStep + channel * channelStep;
      for (let x = 0; x < width; x++, from += columnStep, to += channels) {
        const value = tensor[from] as number;
        let slot = slotOf(value);
        let index = table[slot] as number;
        while (index !== 0 && list[index - 1] !== value) {
          slot = (slot + 1) & (slots - 1);
          index = table[slot] as number;
        }
        if (index === 0) {
          if (list.length === maxValues) return undefined;
          list.push(value);
          index = list.length;
          table[slot] = index;
        }
        indexes[to] = index - 1;
      }
    }
    values.push(list);
  }
  return { values, indexes };
}

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

function slotOf(value: number): number {
  // −0 is 0.
  double[0] = value + 0;
  const mixed = Math.imul((halves[0] as number) ^ Math.imul(halves[1] as number, 0x9e3779b1), 0x85ebca6b);
  return (mixed >>> 16) & (slots - 1);
}

/** The narrowest datatype that contains all values: those of an FP32 tensor may have been rounded to FP16 or BF16. */
export function precisionOf(values: readonly (readonly number[])[], datatype: DatatypeName): DatatypeName {
  const narrower =
    ({ FP32: ['BF16', 'FP16'], FP64: ['BF16', 'FP16', 'FP32'] } as const)[datatype as 'FP32' | 'FP64'] ?? [];
  return (
    narrower.find((name) => values.every((list) => list.every((value) => roundTo[name](value) === value))) ??
    datatype
  );
}
