import { type Axes, readingsOf } from './axes.ts';
import type { GivenTensor } from './given/given-tensor.ts';

/*
 * Which readings of a tensor are worth a search: its thumbnail tells whether rows and columns are exchanged, without
 * anything being known of its values.
 */

/** Cells of a thumbnail, along each side. */
const cells = 12;

/** Correlations that differ by less do not decide. */
const margin = 0.25;

/** Correlation from which on a reading shows the expected picture. */
const alike = 0.5;

/**
 * The readings of a tensor as a picture, the most usual first. Those that are clearly not the expected picture because
 * another one is come last, or not at all if rows and columns are exchanged in them. A picture that is turned, because EXIF
 * was ignored, looks exchanged and is not.
 */
export function likelyReadings(given: GivenTensor, expected: GivenTensor): readonly Axes[] {
  const readings = readingsOf(given);
  const [theirs] = readingsOf(expected);
  if (theirs === undefined || readings.length < 2) return readings;
  const own = thumbnailOf(expected, theirs);
  const correlations = readings.map((axes) => correlationOf(thumbnailOf(given, axes), own));
  const best = Math.max(...correlations);
  if (best < alike) return readings;
  const isLikely = (_: Axes, index: number) => (correlations[index] as number) > best - margin;
  const isExchanged = ({ layout }: Axes) => layout.indexOf('W') < layout.indexOf('H');
  const others = readings.filter((axes, index) => !isLikely(axes, index) && !isExchanged(axes));
  return [...readings.filter(isLikely), ...others];
}

/** Mean values of the cells of a picture; of colours, the sum. */
function thumbnailOf({ values }: GivenTensor, axes: Axes): Float64Array {
  const { width, height, channels, rowStep, columnStep, channelStep } = axes;
  const sums = new Float64Array(cells * cells);
  const counts = new Float64Array(cells * cells);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * cells) / height) * cells;
    for (let x = 0; x < width; x++) {
      const cell = row + Math.floor((x * cells) / width);
      const at = y * rowStep + x * columnStep;
      for (let channel = 0; channel < Math.min(3, channels); channel++)
        sums[cell] = (sums[cell] as number) + (values[at + channel * channelStep] as number);
      counts[cell] = (counts[cell] as number) + 1;
    }
  }
  return sums.map((sum, cell) => sum / Math.max(1, counts[cell] as number));
}

/** Pearson's; 0 if one has no contrast. */
function correlationOf(one: Float64Array, other: Float64Array): number {
  const [a, b] = [centred(one), centred(other)];
  const product = dot(a, b);
  const length = Math.sqrt(dot(a, a) * dot(b, b));
  return length === 0 ? 0 : product / length;
}

function centred(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}

function dot(one: Float64Array, other: Float64Array): number {
  return one.reduce((sum, value, index) => sum + value * (other[index] as number), 0);
}
