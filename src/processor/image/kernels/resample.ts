import { Failure } from '../../../failures.ts';
import { orient, sizeUpright } from '../../codecs/orient.ts';
import { type Cutout, cutUpright, sizeOfCutout, wholeOf } from '../cutout.ts';
import type { Pixels } from '../pixels.ts';
import type { Size } from '../shortest-edge.ts';
import { luma } from './luma.ts';
import { nearest } from './nearest.ts';
import { resampleStored } from './upright.ts';
import { type FilterName, reachedPixels, type WeighingFilterName } from './weights.ts';

/**
 * Pixels between the two passes. Sane requests stay far below; 1 × 65,000 pixels to 16 million × 1 would be a
 * million million and keep a worker busy for an hour.
 */
const maxIntermediatePixels = 2 ** 28;

/** Pixels; weights and rows of longer sides would take hundreds of megabytes. */
export const maxSide = 2 ** 20;

/** Pixels; nearest adds its step up from the first pixel of the whole on, whatever is made of it. */
const maxWholeSide = 2 ** 24;

/** A part of an image in its pixels; fractions are allowed. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/** What an image is resampled to. */
export interface Target {
  /** Size of the whole result, upright, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly filter: FilterName;
  /** The part of the upright source that is resampled, within it. Unset: all of it. */
  readonly box?: Box | undefined;
  /** The part of the result that is made, with the pixels that it has in the whole. Unset: all of it. */
  readonly cutout?: Cutout | undefined;
}

/**
 * Versions of Pillow whose pixels differ, each the last of its kind. They differ in which pass goes first for tall
 * images that become lower, and thus in how values are rounded in between: up to 12.1 the horizontal pass always
 * did.
 */
export type PillowVersion = '12.1' | '12.3' | '13.0';

/**
 * Pillow's `Image.resize((width, height), filter, box)`, byte for byte: antialiased where it makes smaller, in two
 * passes, rounded to uint8 between them. With 2 and 4 channels colours are premultiplied by alpha on the way,
 * as Pillow's LA and RGBA are, but for nearest.
 *
 * Memory beside source and result is a few rows. Fails as {@link checkWork} does.
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
  pillow: PillowVersion = '13.0',
): Pixels {
  return resampleTo(rgb, 1, { width, height, filter, box }, pillow, true);
}

/**
 * `resample(orient(stored, orientation), …)`, or `resampleToLuma` of it, byte for byte the same, and of that the
 * cutout. The windows are laid over the source as it lies, and only the result is turned: to turn a photo of six
 * megapixels takes longer than to decode it.
 *
 * @param stored - [height, width, channels] uint8, as stored
 * @param orientation - EXIF's, 1…8
 */
export function resampleUpright(
  stored: Pixels,
  orientation: number,
  target: Target,
  toLuma: boolean,
): Pixels {
  return resampleTo(stored, orientation, target, '13.0', toLuma);
}

/**
 * Fails with OUTPUT_PIXELS_OVER_LIMIT where resampling would: where the source or what is made has a side over 2²⁰
 * pixels (for nearest they may), where what that is cut out of has one over 2²⁴, or where the shapes are so far apart
 * that there are over 2²⁸ pixels between the passes.
 *
 * @param source - its size, upright
 */
export function checkWork(source: Size, target: Target, pillow: PillowVersion = '13.0'): void {
  const { width, height, filter } = target;
  const box = boxIn(source, target);
  if (keepsAll(source, target, box)) return;
  checkSide(Math.max(width, height), maxWholeSide);
  if (filter === 'nearest') return;
  const cutout = target.cutout ?? wholeOf(target);
  const made = sizeOfCutout(cutout);
  checkSide(Math.max(source.width, source.height, made.width, made.height), maxSide);
  const { across, down } = axesOf(source, target, box, filter, cutout);
  const intermediatePixels = goesVerticalFirst(source, width, height, pillow)
    ? reachedPixels(...across) * made.height
    : made.width * reachedPixels(...down);
  checkIntermediate(source, target, intermediatePixels);
}

/** @param actual - pixels between the passes */
export function checkIntermediate(source: Size, { width, height }: Size, actual: number): void {
  const limit = maxIntermediatePixels;
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
  if (filter === 'nearest') {
    const picked = nearest(orient(stored, orientation), width, height, box, cutout);
    return toLuma ? luma(picked) : picked;
  }
  const { across, down } = axesOf(source, target, box, filter, cutout);
  // The whole decides, as it does where a crop comes after it.
  const verticalFirst = goesVerticalFirst(source, width, height, pillow);
  return resampleStored(stored, orientation, ['pillow', ...across], ['pillow', ...down], {
    verticalFirst,
    premultiplies: true,
    toLuma,
  });
}

/** The same pixels in an ArrayBuffer of their own; as they are where they are not another image's. */
export function copyOf(image: Pixels, other: Pixels): Pixels {
  return image.data === other.data ? { ...image, data: Uint8Array.from(image.data) } : image;
}

/** Pillow holds boxes as floats. */
function boxIn(source: Size, { box = [0, 0, source.width, source.height] }: Target): Box {
  const [left, top, right, bottom] = box.map(Math.fround) as [number, number, number, number];
  const isInside = 0 <= left && left <= right && right <= source.width;
  if (!isInside || !(0 <= top && top <= bottom && bottom <= source.height)) {
    throw new RangeError(`the box ${box} is not inside of ${source.width} × ${source.height} pixels`);
  }
  return [left, top, right, bottom];
}

/** Whether the whole source becomes a whole of the same size: Pillow copies there. */
function keepsAll(source: Size, { width, height }: Target, [left, top, right, bottom]: Box): boolean {
  const isWhole = right - left === source.width && bottom - top === source.height;
  return isWhole && width === source.width && height === source.height;
}

/** What is resampled along each axis of the upright source. */
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

/** Pillow's rules, which look at the whole source even where there is a box. */
function goesVerticalFirst(source: Size, width: number, height: number, pillow: PillowVersion): boolean {
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
