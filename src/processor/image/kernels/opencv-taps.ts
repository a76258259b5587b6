import { roundHalfToEven } from '../shortest-edge.ts';

/*
 * The source pixels that OpenCV's resize weighs along one axis, and their weights, with the same operations as
 * `hal::resize` in modules/imgproc/src/resize.cpp. Its float is single precision, its double is double precision.
 */

/** Fraction bits of weights: INTER_RESIZE_COEF_BITS. */
const one = 2 ** 11;

const round32 = Math.fround;

/** One axis of a resize, in pixels. */
export interface Axis {
  readonly sourceSize: number;
  /** Of the whole result, in pixels. */
  readonly size: number;
  /** The result pixels to compute: from `from` to before `to`. */
  readonly from: number;
  readonly to: number;
}

/** Neighbouring source pixels of each computed result pixel. */
export interface Taps {
  /** The first of them. It may be beyond the source; the pixel at the edge then counts. */
  readonly starts: Int32Array;
  /** Four for each result pixel, with 11 fraction bits; the last two are 0 if only two pixels count. */
  readonly weights: Int16Array;
}

/** Source pixels per result pixel. OpenCV divides twice, so a whole factor may have a rounding error. */
export function scaleOf({ sourceSize, size }: Axis): number {
  return 1 / (size / sourceSize);
}

/** Whether a scale is less than DBL_EPSILON from a whole number. */
export function isWholeScale(scale: number): boolean {
  return Math.abs(scale - Math.round(scale)) < Number.EPSILON;
}

/**
 * Two pixels each: INTER_LINEAR.
 *
 * @param isAcross - OpenCV limits columns and their weights to the source, but of rows only the index
 */
export function linearTaps(axis: Axis, isAcross: boolean): Taps {
  return tapsOf(axis, isAcross, linearPosition(axis));
}

/** Two pixels each: INTER_AREA when enlarging along either axis. */
export function enlargedAreaTaps(axis: Axis, isAcross: boolean): Taps {
  return tapsOf(axis, isAcross, enlargedAreaPosition(axis));
}

/** The first of two neighbouring source pixels, which may be beyond the source, and the weight of the second. */
export type PositionOf = (result: number) => readonly [start: number, fraction: number];

export function linearPosition(axis: Axis): PositionOf {
  const scale = scaleOf(axis);
  return (i) => {
    const position = round32((i + 0.5) * scale - 0.5);
    const start = Math.floor(position);
    return [start, round32(position - start)];
  };
}

export function enlargedAreaPosition(axis: Axis): PositionOf {
  const scale = scaleOf(axis);
  const inverse = axis.size / axis.sourceSize;
  return (i) => {
    const start = Math.floor(i * scale);
    const position = round32(i + 1 - (start + 1) * inverse);
    return [start, position <= 0 ? 0 : round32(position - Math.floor(position))];
  };
}

function tapsOf({ sourceSize, from, to }: Axis, isAcross: boolean, tapOf: PositionOf): Taps {
  const starts = new Int32Array(to - from);
  const weights = new Int16Array(4 * starts.length);
  for (let i = 0; i < starts.length; i++) {
    const tap = tapOf(from + i);
    const [start, fraction] = isAcross ? limitedTo(sourceSize, tap) : tap;
    starts[i] = start;
    weights[4 * i] = toFixedPoint(round32(1 - fraction));
    weights[4 * i + 1] = toFixedPoint(fraction);
  }
  return { starts, weights };
}

/** A tap whose pixels are within the source. */
export function limitedTo(
  sourceSize: number,
  [start, fraction]: ReturnType<PositionOf>,
): ReturnType<PositionOf> {
  const isWithin = start >= 0 && start < sourceSize - 1;
  return isWithin ? [start, fraction] : [Math.max(0, Math.min(start, sourceSize - 1)), 0];
}

/** Four pixels each, Keys' cubic with a = −0.75: INTER_CUBIC. */
export function cubicTaps(axis: Axis): Taps {
  const scale = scaleOf(axis);
  const starts = new Int32Array(axis.to - axis.from);
  const weights = new Int16Array(4 * starts.length);
  for (let i = 0; i < starts.length; i++) {
    const position = round32((axis.from + i + 0.5) * scale - 0.5);
    const start = Math.floor(position);
    starts[i] = start - 1;
    weights.set(cubicWeights(round32(position - start)).map(toFixedPoint), 4 * i);
  }
  return { starts, weights };
}

/** interpolateCubic, each step in single precision. */
export function cubicWeights(x: number): readonly number[] {
  const x1 = round32(x + 1);
  const far = round32(round32(round32(round32(round32(round32(-0.75 * x1) + 3.75) * x1) - 6) * x1) + 3);
  const near = nearWeight(x);
  const next = nearWeight(round32(1 - x));
  const last = round32(round32(round32(1 - far) - near) - next);
  return [far, near, next, last];
}

function nearWeight(x: number): number {
  return round32(round32(round32(round32(round32(1.25 * x) - 2.25) * x) * x) + 1);
}

function toFixedPoint(weight: number): number {
  return roundHalfToEven(round32(weight * one));
}

/** Weights of the source pixels that a result pixel covers, in proportion to the covered part. */
export interface Cover {
  readonly start: number;
  /** In single precision. */
  readonly weights: readonly number[];
}

/** The pixels that each result pixel covers: computeResizeAreaTab of INTER_AREA. */
export function coversOf(axis: Axis): Cover[] {
  const scale = scaleOf(axis);
  return Array.from({ length: axis.to - axis.from }, (_, i) =>
    coverOf(axis.from + i, scale, axis.sourceSize),
  );
}

/** A part of a pixel smaller than this does not count. */
const leastPart = 1e-3;

function coverOf(result: number, scale: number, sourceSize: number): Cover {
  const begin = result * scale;
  const end = begin + scale;
  const length = Math.min(scale, sourceSize - begin);
  const lastWhole = Math.min(Math.floor(end), sourceSize - 1);
  const firstWhole = Math.min(Math.ceil(begin), lastWhole);
  const hasFirstPart = firstWhole - begin > leastPart;
  const weights: number[] = [];
  if (hasFirstPart) weights.push(round32((firstWhole - begin) / length));
  for (let pixel = firstWhole; pixel < lastWhole; pixel++) weights.push(round32(1 / length));
  if (end - lastWhole > leastPart) {
    weights.push(round32(Math.min(Math.min(end - lastWhole, 1), length) / length));
  }
  return { start: hasFirstPart ? firstWhole - 1 : firstWhole, weights };
}

/** INTER_NEAREST. */
export function nearestPixels(axis: Axis): Int32Array {
  const scale = scaleOf(axis);
  return Int32Array.from({ length: axis.to - axis.from }, (_, i) =>
    Math.min(axis.sourceSize - 1, Math.floor((axis.from + i) * scale)),
  );
}

/** The source pixels of each computed result pixel along one axis, and their weights: `count` of each. */
export interface LimitedTaps<Weights extends Int32Array | Float64Array> {
  readonly count: number;
  /** Limited to the source. */
  readonly pixels: Int32Array;
  readonly weights: Weights;
}

/**
 * Taps of any number of neighbouring source pixels. Beyond the source, the pixel at the edge counts.
 *
 * @param tapOf - the first pixel of a result pixel, which may be beyond the source, and `count` weights
 */
export function limitedTaps<Weights extends Int32Array | Float64Array>(
  { sourceSize, from, to }: Axis,
  count: number,
  arrayType: new (length: number) => Weights,
  tapOf: (result: number) => readonly [start: number, weights: readonly number[]],
): LimitedTaps<Weights> {
  const pixels = new Int32Array((to - from) * count);
  const weights = new arrayType((to - from) * count);
  for (let i = 0; i < to - from; i++) {
    const [start, own] = tapOf(from + i);
    for (let k = 0; k < count; k++) {
      pixels[i * count + k] = Math.max(0, Math.min(start + k, sourceSize - 1));
      weights[i * count + k] = own[k] as number;
    }
  }
  return { count, pixels, weights };
}
