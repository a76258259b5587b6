import { Failure } from '../../../failures.ts';
import { orient, sizeUpright } from '../../codecs/orient.ts';
import { type Cutout, cutUpright, sizeOfCutout, wholeOf } from '../cutout.ts';
import type { Pixels } from '../pixels.ts';
import type { Size } from '../shortest-edge.ts';
import { luma } from './luma.ts';
import { nearest } from './nearest.ts';
import { resampleStored } from './upright.ts';
import { type FilterName, isPicking, reachedPixels, type WeighingFilterName } from './weights.ts';

/**
 * Pixels between the two passes. Usual requests stay far below. 1 × 65,000 pixels to 16 million × 1 would be 10¹² and
 * keep a worker busy for an hour.
 */
const maxIntermediatePixels = 2 ** 28;

/** In pixels. Weights and rows of longer sides would take hundreds of megabytes. */
export const maxSide = 2 ** 20;

/** In pixels. Nearest sums its step from the first pixel of the whole result on, whatever part is computed. */
const maxWholeSide = 2 ** 24;

/** A part of an image in pixels, with fractions. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/** The target of a resize. */
export interface Target {
  /** Size of the whole result, upright, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly filter: FilterName;
  /** The part of the upright source that is resampled, within it. Unset: all of it. */
  readonly box?: Box | undefined;
  /** The part of the result to compute, with the same pixels as in the whole result. Unset: all of it. */
  readonly cutout?: Cutout | undefined;
}

/**
 * Versions of Pillow with different pixels, each the last of its kind. They differ in which pass runs first for tall
 * images that become lower, and so in how values are rounded between the passes. Up to 12.1 the horizontal pass always
 * ran first.
 */
export type PillowVersion = '12.1' | '12.3' | '13.0';

/**
 * Pillow's `Image.resize((width, height), filter, box)`, byte for byte: antialiased when reducing, in two passes,
 * rounded to uint8 between them. With 2 and 4 channels, colours are premultiplied by alpha for the passes, as in
 * Pillow's LA and RGBA, except with nearest.
 *
 * Uses memory for a few rows besides source and result. Fails as {@link checkWork} does.
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
  pillow: PillowVersion = '13.0',
): Pixels {
  return resampleTo(source, 1, { width, height, filter, box }, pillow, false);
}

/**
 * `luma(resample(…))` in one operation, byte for byte the same.
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
  pillow: PillowVersion = '13.0',
): Pixels {
  return resampleTo(rgb, 1, { width, height, filter, box }, pillow, true);
}

/**
 * The cutout of `resample(orient(stored, orientation), …)`, or of `resampleToLuma`, byte for byte the same. The windows
 * are transformed to the stored orientation and only the result is turned, because turning a photo of six megapixels
 * takes longer than decoding it.
 *
 * @param stored - [height, width, channels] uint8, as stored
 * @param orientation - EXIF's, 1…8
 */
export function resampleUpright(
  stored: Pixels,
  orientation: number,
  target: Target,
  toLuma: boolean,
  pillow: PillowVersion = '13.0',
): Pixels {
  return resampleTo(stored, orientation, target, pillow, toLuma);
}

/**
 * Fails with OUTPUT_PIXELS_OVER_LIMIT if resampling would: the source or the cutout has a side over 2²⁰ pixels (not
 * with nearest), the whole result has a side over 2²⁴, or there are over 2²⁸ pixels between the passes because the
 * shapes differ too much.
 *
 * @param source - its size, upright
 */
export function checkWork(source: Size, target: Target, pillow: PillowVersion = '13.0'): void {
  const { width, height, filter } = target;
  const box = boxIn(source, target);
  if (keepsAll(source, target, box)) return;
  checkSide(Math.max(width, height), maxWholeSide);
  if (isPicking(filter)) return;
  const cutout = target.cutout ?? wholeOf(target);
  const computed = sizeOfCutout(cutout);
  checkSide(Math.max(source.width, source.height, computed.width, computed.height), maxSide);
  const { across, down } = axesOf(source, target, box, filter, cutout);
  const intermediatePixels = goesVerticalFirst(source, width, height, pillow)
    ? reachedPixels(...across) * computed.height
    : computed.width * reachedPixels(...down);
  checkIntermediate(source, target, intermediatePixels);
}

/** @param actual - pixels between the passes */
export function checkIntermediate(
  source: Size,
  { width, height }: Size,
  actual: number,
  limit = maxIntermediatePixels,
): void {
  if (actual <= limit) return;
  throw new Failure(
    'OUTPUT_PIXELS_OVER_LIMIT',
    `Resampling ${source.width} × ${source.height} to ${width} × ${height} pixels has ${actual} pixels in between; the limit is ${limit}. Ask for a shape nearer to the image's own.`,
    { limit, actual },
  );
}

export function checkSide(side: number, limit: number): void {
  if (side <= limit) return;
  throw new Failure(
    'OUTPUT_PIXELS_OVER_LIMIT',
    `A side of ${side} pixels can't be resampled; the limit is ${limit}.`,
    { limit, actual: side },
  );
}

function resampleTo(
  stored: Pixels,
  orientation: number,
  target: Target,
  pillow: PillowVersion,
  toLuma: boolean,
): Pixels {
  const source = sizeUpright(stored, orientation);
  const { width, height, filter, cutout = wholeOf(target) } = target;
  const box = boxIn(source, target);
  if (keepsAll(source, target, box)) {
    const upright = cutUpright(stored, orientation, cutout);
    return toLuma ? luma(upright) : copyOf(upright, stored);
  }
  checkWork(source, target, pillow);
  if (isPicking(filter)) {
    const picked = nearest(orient(stored, orientation), width, height, box, cutout);
    return toLuma ? luma(picked) : picked;
  }
  const { across, down } = axesOf(source, target, box, filter, cutout);
  // The whole result decides, as when a crop follows.
  const verticalFirst = goesVerticalFirst(source, width, height, pillow);
  return resampleStored(stored, orientation, ['pillow', ...across], ['pillow', ...down], {
    verticalFirst,
    premultiplies: true,
    toLuma,
  });
}

/** Copies pixels that share their ArrayBuffer with another image; other pixels are returned unchanged. */
export function copyOf(image: Pixels, other: Pixels): Pixels {
  return image.data === other.data ? { ...image, data: Uint8Array.from(image.data) } : image;
}

/** Pillow stores boxes as floats. */
function boxIn(source: Size, { box = [0, 0, source.width, source.height] }: Target): Box {
  const [left, top, right, bottom] = box.map(Math.fround) as [number, number, number, number];
  const isInside = 0 <= left && left <= right && right <= source.width;
  if (!isInside || !(0 <= top && top <= bottom && bottom <= source.height)) {
    throw new RangeError(`the box ${box} is not inside of ${source.width} × ${source.height} pixels`);
  }
  return [left, top, right, bottom];
}

/** Whether the whole source becomes a whole result of the same size, which Pillow copies. */
function keepsAll(source: Size, { width, height }: Target, [left, top, right, bottom]: Box): boolean {
  const isWhole = right - left === source.width && bottom - top === source.height;
  return isWhole && width === source.width && height === source.height;
}

/** The parameters of resampling along each axis of the upright source. */
function axesOf(
  source: Size,
  { width, height }: Target,
  [left, top, right, bottom]: Box,
  filter: WeighingFilterName,
  cutout: Cutout,
) {
  return {
    across: [source.width, left, right, width, filter, cutout.left, cutout.right],
    down: [source.height, top, bottom, height, filter, cutout.top, cutout.bottom],
  } as const;
}

/** Pillow's rules. They use the size of the whole source even with a box. */
export function goesVerticalFirst(
  source: Size,
  width: number,
  height: number,
  pillow: PillowVersion,
): boolean {
  const lostRows = source.height - height;
  switch (pillow) {
    case '12.1':
      return false;
    case '12.3':
      return lostRows > 0 && source.height > source.width * 100;
    case '13.0':
      return lostRows > 0 && lostRows > (source.width - width) * 2;
  }
}
