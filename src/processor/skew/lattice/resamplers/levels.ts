import { type Cutout, cutUpright } from '../../../image/cutout.ts';
import type { FloatPicture } from '../../../image/kernels/samples.ts';
import type { Pixels } from '../../../image/pixels.ts';
import type { Size } from '../../../image/shortest-edge.ts';
import type { Framing, Levels } from '../hypothesis.ts';

/** @param pixels - of 1 or 3 channels */
export function levelsOf(pixels: Pixels): Levels {
  return { ...pixels, channels: pixels.channels as Levels['channels'] };
}

/** The cutout of a whole result. */
export function cutOf(whole: Pixels, cutout: Cutout): Pixels {
  return cutUpright(whole, 1, cutout);
}

/** Whether a box covers the whole source. */
export function isWholeBox({ width, height }: Size, [left, top, right, bottom]: Framing['box']): boolean {
  return left === 0 && top === 0 && right === width && bottom === height;
}

const reciprocal = Math.fround(1 / 255);

const levels = Float64Array.from({ length: 256 }, (_, level) => level);

/** The conversions of levels to floats before a resize. */
export const floatRanges = {
  float: { words: 'float32', values: Float32Array.from(levels), white: 255 },
  unit: { words: 'float32 in 0…1', values: Float32Array.from(levels, (level) => level / 255), white: 1 },
  scaled: {
    words: 'float32 times 1/255',
    values: Float32Array.from(levels, (level) => level * reciprocal),
    white: 1,
  },
  double: { words: 'float64 in 0…1', values: levels.map((level) => level / 255), white: 1 },
} as const;

export type FloatRange = keyof typeof floatRanges;

export function floatLevels(picture: FloatPicture, range: FloatRange): Levels {
  return { ...picture, channels: picture.channels as Levels['channels'], white: floatRanges[range].white };
}
