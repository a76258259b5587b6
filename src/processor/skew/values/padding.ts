import type { Axes } from '../axes.ts';
import type { DistinctValues } from './distinct-values.ts';

/**
 * Takes the padding out of a tensor's values: pixels whose values are 0 in all channels, around a rectangle of others.
 * Programs that pad after the normalization write such pixels; 0 is then no level's value.
 *
 * @returns the values of the others; the indexes of the padding are beyond its lists. Undefined if there is no padding
 */
export function withoutPadding(
  { values, indexes }: DistinctValues,
  { width, height }: Axes,
): DistinctValues | undefined {
  const zeros = values.map((list) => list.indexOf(0));
  if (zeros.includes(-1)) return undefined;
  const channels = values.length;
  const isPadding = (pixel: number) =>
    zeros.every((zero, channel) => indexes[pixel * channels + channel] === zero);
  let [left, top, right, bottom] = [width, height, 0, 0];
  let count = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (isPadding(y * width + x)) continue;
      count += 1;
      [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
      [top, bottom] = [Math.min(top, y), y + 1];
    }
  }
  const area = Math.max(0, right - left) * Math.max(0, bottom - top);
  if (count !== area || count === width * height || count === 0) return undefined;
  return renumbered({ values, indexes }, (at) => isPadding(Math.floor(at / channels)));
}

/** The values that are left, in lists without the others. */
function renumbered({ values, indexes }: DistinctValues, isOut: (at: number) => boolean): DistinctValues {
  const channels = values.length;
  const lists = values.map((): number[] => []);
  const numbers = values.map(() => new Map<number, number>());
  const renumberedIndexes = new Uint16Array(indexes.length).fill(outside);
  for (let at = 0; at < indexes.length; at++) {
    if (isOut(at)) continue;
    const channel = at % channels;
    const index = indexes[at] as number;
    const [list, known] = [lists[channel] as number[], numbers[channel] as Map<number, number>];
    let number = known.get(index);
    if (number === undefined) {
      number = list.push(values[channel]?.[index] as number) - 1;
      known.set(index, number);
    }
    renumberedIndexes[at] = number;
  }
  return { values: lists, indexes: renumberedIndexes };
}

/** The index of padding. */
const outside = 0xff_ff;
