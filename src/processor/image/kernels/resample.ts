import type { Pixels } from '../pixels.ts';
import { luma } from './luma.ts';
import { nearest } from './nearest.ts';
import { resampleInTwoPasses } from './two-passes.ts';
import { horizontalTable, verticalTable } from './weight-tables.ts';
import type { FilterName } from './weights.ts';

export { luma } from './luma.ts';

/** A part of an image in its pixels; fractions are allowed. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/**
 * Pillow's `Image.resize((width, height), filter, box)`, byte for byte: antialiased where it makes smaller,
 * the horizontal pass first, rounded to uint8 between the passes. With 2 and 4 channels colours are
 * premultiplied by alpha on the way, as Pillow's LA and RGBA are, but for nearest.
 *
 * Memory beside source and result is a few rows. Fails with OUTPUT_PIXELS_OVER_LIMIT where even those
 * would be gigabytes: a source side of tens of millions of pixels.
 *
 * @param source - [height, width, channels] uint8
 * @param box - the part of the source to resample, within it. Unset: all of it
 * @returns [height, width, channels] uint8, in an ArrayBuffer of its own
 */
export function resample(
  source: Pixels,
  width: number,
  height: number,
  filter: FilterName,
  box: Box = [0, 0, source.width, source.height],
): Pixels {
  return resampleTo(source, width, height, filter, box, false);
}

/**
 * `luma(resample(…))` in one go, byte for byte the same.
 *
 * @param rgb - [height, width, 3] uint8
 * @returns [height, width, 1] uint8, in an ArrayBuffer of its own
 */
export function resampleToLuma(
  rgb: Pixels,
  width: number,
  height: number,
  filter: FilterName,
  box: Box = [0, 0, rgb.width, rgb.height],
): Pixels {
  return resampleTo(rgb, width, height, filter, box, true);
}

function resampleTo(
  source: Pixels,
  width: number,
  height: number,
  filter: FilterName,
  box: Box,
  toLuma: boolean,
): Pixels {
  // Pillow holds boxes as floats.
  const [left, top, right, bottom] = box.map(Math.fround) as [number, number, number, number];
  if (
    !(
      0 <= left &&
      left <= right &&
      right <= source.width &&
      0 <= top &&
      top <= bottom &&
      bottom <= source.height
    )
  ) {
    throw new RangeError(`the box ${box} is not inside of ${source.width} × ${source.height} pixels`);
  }
  const isWhole = right - left === source.width && bottom - top === source.height;
  if (isWhole && width === source.width && height === source.height) {
    return toLuma ? luma(source) : { ...source, data: Uint8Array.from(source.data) };
  }
  if (filter === 'nearest') {
    const picked = nearest(source, width, height, [left, top, right, bottom]);
    return toLuma ? luma(picked) : picked;
  }
  const horizontal = horizontalTable(source.width, left, right, width, filter);
  const vertical = verticalTable(source.height, top, bottom, height, filter);
  if (source.channels === 2) {
    return fromRgba(resampleInTwoPasses(toRgba(source), width, height, horizontal, vertical, false));
  }
  return resampleInTwoPasses(source, width, height, horizontal, vertical, toLuma);
}

/** Gray and alpha as R = G = B and alpha: how Pillow holds LA. */
function toRgba({ data, width, height }: Pixels): Pixels {
  const rgba = new Uint8Array(data.length * 2);
  for (let from = 0, to = 0; from < data.length; from += 2, to += 4) {
    const gray = data[from] as number;
    rgba[to] = gray;
    rgba[to + 1] = gray;
    rgba[to + 2] = gray;
    rgba[to + 3] = data[from + 1] as number;
  }
  return { data: rgba, width, height, channels: 4 };
}

function fromRgba({ data, width, height }: Pixels): Pixels {
  const grayAlpha = new Uint8Array(data.length / 2);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 2) {
    grayAlpha[to] = data[from] as number;
    grayAlpha[to + 1] = data[from + 3] as number;
  }
  return { data: grayAlpha, width, height, channels: 2 };
}
