import { lanczos4Weights } from './opencv-exact.ts';
import { averageAreaOfFloats, averageFactorsOfFloats } from './opencv-float-area.ts';
import {
  type Axis,
  cubicWeights,
  enlargedAreaPosition,
  isWholeScale,
  type LimitedTaps,
  limitedTaps,
  limitedTo,
  linearPosition,
  type PositionOf,
  scaleOf,
} from './opencv-taps.ts';
import { type FloatPicture, floatsLike, roundingOf, type Samples } from './samples.ts';

/*
 * OpenCV's resize of float32 and float64, with the same operations as in modules/imgproc/src/resize.cpp. Weights are
 * in single precision for both.
 */

/** OpenCV's interpolations by the names of our filters. `bilinear ipp` is INTER_LINEAR with Intel's IPP. */
export type OpenCvFloatFilter = 'bilinear' | 'bilinear ipp' | 'bicubic' | 'lanczos' | 'box';

type Taps = LimitedTaps<Float64Array>;

type Round = (value: number) => number;

/**
 * `cv2.resize(image, …, interpolation)` of floats.
 *
 * @returns the cutout that the axes name, in the samples' precision
 */
export function resampleFloatsAsOpenCv(
  source: Samples,
  across: Axis,
  down: Axis,
  filter: OpenCvFloatFilter,
): FloatPicture {
  const round = roundingOf(source);
  switch (filter) {
    case 'bilinear':
      return weigh(
        source,
        twoTaps(across, linearPosition(across), true),
        twoTaps(down, linearPosition(down)),
        round,
        {},
      );
    case 'bilinear ipp':
      return weigh(
        source,
        twoTaps(across, ippPosition(across, round), true),
        twoTaps(down, ippPosition(down, round), true),
        round,
        { isIpp: true },
      );
    case 'bicubic':
      return more(source, across, down, 4, cubicWeights, round);
    case 'lanczos':
      return more(source, across, down, 8, lanczos4Weights, round);
    case 'box':
      return area(source, across, down, round);
  }
}

function more(
  source: Samples,
  across: Axis,
  down: Axis,
  count: 4 | 8,
  weightsOf: (fraction: number) => readonly number[],
  round: Round,
): FloatPicture {
  const columns = moreTaps(across, count, weightsOf);
  return weigh(source, columns, moreTaps(down, count, weightsOf), round, {
    vectors: vectorsIn(source, across),
  });
}

function area(source: Samples, across: Axis, down: Axis, round: Round): FloatPicture {
  const [scaleAcross, scaleDown] = [scaleOf(across), scaleOf(down)];
  if (scaleAcross < 1 || scaleDown < 1) {
    const columns = twoTaps(across, enlargedAreaPosition(across), true);
    return weigh(source, columns, twoTaps(down, enlargedAreaPosition(down)), round, {});
  }
  return isWholeScale(scaleAcross) && isWholeScale(scaleDown)
    ? averageFactorsOfFloats(source, across, down, round)
    : averageAreaOfFloats(source, across, down, round);
}

/** Intel's IPP computes positions in double, with one rounding, and rounds weights to the precision of the samples. */
function ippPosition({ sourceSize, size }: Axis, round: Round): PositionOf {
  const scale = sourceSize / size;
  return (i) => {
    const position = fused(i + 0.5, scale, -0.5);
    const start = Math.floor(position);
    return [start, round(position - start)];
  };
}

function twoTaps(axis: Axis, positionOf: PositionOf, isLimited = false): Taps {
  return limitedTaps(axis, 2, Float64Array, (i) => {
    const tap = positionOf(i);
    const [start, fraction] = isLimited ? limitedTo(axis.sourceSize, tap) : tap;
    return [start, [Math.fround(1 - fraction), fraction]];
  });
}

function moreTaps(axis: Axis, count: 4 | 8, weightsOf: (fraction: number) => readonly number[]): Taps {
  const positionOf = linearPosition(axis);
  return limitedTaps(axis, count, Float64Array, (i) => {
    const [start, fraction] = positionOf(i);
    return [start + 1 - count / 2, weightsOf(fraction)];
  });
}

/** Values of a row whose columns OpenCV weighs at once, in FP32. */
const vectorLength = 4;

/**
 * Weighs rows, then columns. Each product and each sum is rounded; with IPP, `a + (b − a) · weight` is rounded twice.
 *
 * @param vectors - number of values of a computed row that belong to whole vectors, counted from the whole row's first
 */
function weigh(
  source: Samples,
  across: Taps,
  down: Taps,
  round: Round,
  { vectors = 0, isIpp = false }: { readonly vectors?: number; readonly isIpp?: boolean },
): FloatPicture {
  const { channels } = source.pixels;
  const [width, height] = [across.pixels.length / across.count, down.pixels.length / down.count];
  const values = width * channels;
  const data = floatsLike(source, values * height);
  const rows = new Map<number, Float64Array>();
  const taps = Array.from({ length: down.count }, () => 0);
  for (let y = 0; y < height; y++) {
    const first = y * down.count;
    const needed = down.pixels.subarray(first, first + down.count);
    for (const row of rows.keys()) if (row < (needed[0] as number)) rows.delete(row);
    const weighed = Array.from(needed, (row) => {
      const known = rows.get(row) ?? weighRow(source, row, across, round, isIpp);
      rows.set(row, known);
      return known;
    });
    for (let x = 0; x < values; x++) {
      for (let k = 0; k < taps.length; k++) taps[k] = (weighed[k] as Float64Array)[x] as number;
      const combined = isIpp ? between : x < vectors ? summedFromLast : summed;
      data[y * values + x] = combined(taps, down.weights, first, round);
    }
  }
  return { data, width, height, channels };
}

/** FP32 values in vectors: OpenCV weighs the rest of a row in another order. */
function vectorsIn({ pixels: { channels }, values }: Samples, { size, from, to }: Axis): number {
  if (values instanceof Float64Array) return 0;
  const inWhole = Math.floor((size * channels) / vectorLength) * vectorLength;
  return Math.max(0, Math.min(inWhole, to * channels) - from * channels);
}

function weighRow(
  { pixels: { data, width, channels }, values }: Samples,
  row: number,
  { count, pixels, weights }: Taps,
  round: Round,
  isIpp: boolean,
): Float64Array {
  const columns = pixels.length / count;
  const result = new Float64Array(columns * channels);
  const start = row * width * channels;
  const taps = Array.from({ length: count }, () => 0);
  for (let x = 0, to = 0; x < columns; x++) {
    for (let channel = 0; channel < channels; channel++, to++) {
      for (let k = 0; k < count; k++) {
        const at = start + (pixels[x * count + k] as number) * channels + channel;
        taps[k] = values[data[at] as number] as number;
      }
      const combined = isIpp ? between : summed;
      result[to] = combined(taps, weights, x * count, round);
    }
  }
  return result;
}

function summed(taps: readonly number[], weights: Float64Array, first: number, round: Round): number {
  let sum = round((taps[0] as number) * (weights[first] as number));
  for (let k = 1; k < taps.length; k++) {
    sum = round(sum + round((taps[k] as number) * (weights[first + k] as number)));
  }
  return sum;
}

/** The vertical sums of OpenCV's vectors start with the last row. */
function summedFromLast(taps: readonly number[], weights: Float64Array, first: number, round: Round): number {
  const last = taps.length - 1;
  let sum = round((taps[last] as number) * (weights[first + last] as number));
  for (let k = last - 1; k >= 0; k--) {
    sum = round(sum + round((taps[k] as number) * (weights[first + k] as number)));
  }
  return sum;
}

/** `a + (b − a) · weight` with one rounding of the product and the sum, as IPP's fused instruction. */
function between([a, b]: readonly number[], weights: Float64Array, first: number, round: Round): number {
  const [start = 0, difference, weight = 0] = [a, round((b as number) - (a as number)), weights[first + 1]];
  // The product of two FP32 numbers is exact in double.
  return round === Math.fround ? round(start + difference * weight) : fused(difference, weight, start);
}

/** x·y + z in double with one rounding, from exact products and sums of two doubles (Dekker, Knuth). */
function fused(x: number, y: number, z: number): number {
  const product = x * y;
  const [xHigh, yHigh] = [highHalf(x), highHalf(y)];
  const [xLow, yLow] = [x - xHigh, y - yHigh];
  const productError = xLow * yLow - (product - xHigh * yHigh - xLow * yHigh - xHigh * yLow);
  const sum = product + z;
  const zPart = sum - product;
  const sumError = product - (sum - zPart) + (z - zPart);
  return sum + (sumError + productError);
}

function highHalf(x: number): number {
  const scaled = (2 ** 27 + 1) * x;
  return scaled - (scaled - x);
}
