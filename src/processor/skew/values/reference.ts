import type { Axes } from '../axes.ts';
import type { GivenTensor } from '../given/given-tensor.ts';
import { effectOf, type ValueRule } from './value-rules.ts';

/** The mean and the standard deviation of each channel of the expected picture, in levels. */
export type Reference = readonly Moments[];

export interface Moments {
  readonly mean: number;
  readonly deviation: number;
}

/** The moments of a tensor's levels. @param rule - the one that made its values */
export function referenceOf(tensor: GivenTensor, axes: Axes, rule: ValueRule): Reference {
  return momentsOf(tensor, axes).map(({ mean, deviation }, channel) => {
    const { gain, bias } = effectOf(rule, channel);
    return { mean: (mean - bias) / gain, deviation: deviation / gain };
  });
}

/** The moments of the values of each colour. */
export function momentsOf(
  { values }: GivenTensor,
  { width, height, channels, rowStep, columnStep, channelStep }: Axes,
): readonly Moments[] {
  return Array.from({ length: channels === 1 ? 1 : 3 }, (_, channel) => {
    let sum = 0;
    let squares = 0;
    for (let y = 0; y < height; y++) {
      let at = y * rowStep + channel * channelStep;
      for (let x = 0; x < width; x++, at += columnStep) {
        const value = values[at] as number;
        sum += value;
        squares += value * value;
      }
    }
    const count = width * height;
    const mean = sum / count;
    return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)) };
  });
}
