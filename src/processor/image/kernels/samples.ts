import type { Pixels } from '../pixels.ts';

/** A picture that was converted to floats before it is resized. Its floats are never all in memory. */
export interface Samples {
  /** [height, width, channels] uint8 */
  readonly pixels: Pixels;
  /** The value of each of the 256 levels. Its precision is that of the resize. */
  readonly values: Float32Array | Float64Array;
}

/** A picture of floats: [height, width, channels] in row order. */
export interface FloatPicture {
  readonly data: Float32Array | Float64Array;
  readonly width: number;
  readonly height: number;
  readonly channels: Pixels['channels'];
}

/** An array of the precision of samples. */
export function floatsLike({ values }: Samples, length: number): FloatPicture['data'] {
  return values instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
}

/** The samples themselves, as floats. */
export function floatsOf(samples: Samples): FloatPicture {
  const { pixels, values } = samples;
  const data = floatsLike(samples, pixels.data.length);
  for (let at = 0; at < data.length; at++) data[at] = values[pixels.data[at] as number] as number;
  return { ...pixels, data };
}

/** Rounds to the precision of samples. */
export function roundingOf({ values }: Samples): (value: number) => number {
  return values instanceof Float32Array ? Math.fround : (value) => value;
}
