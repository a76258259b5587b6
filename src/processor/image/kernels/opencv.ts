import { sizeUpright } from '../../codecs/orient.ts';
import { type Cutout, cutUpright, sizeOfCutout, wholeOf } from '../cutout.ts';
import type { Pixels } from '../pixels.ts';
import type { Size } from '../shortest-edge.ts';
import { averageArea, averageFactors } from './opencv-area.ts';
import { interpolate } from './opencv-interpolate.ts';
import {
  type Axis,
  cubicTaps,
  enlargedAreaTaps,
  isWholeScale,
  linearTaps,
  nearestPixels,
  scaleOf,
} from './opencv-taps.ts';
import { pickPixels } from './pick.ts';
import { checkSide, copyOf, maxSide } from './resample.ts';

/**
 * OpenCV's interpolations by the names of our filters: INTER_LINEAR, INTER_CUBIC, INTER_AREA and INTER_NEAREST.
 * Only area reads more source pixels when reducing.
 */
export type OpenCvFilterName = 'bilinear' | 'bicubic' | 'box' | 'nearest';

/** The target of a resize by OpenCV. */
export interface OpenCvTarget {
  /** Size of the whole result, upright, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly filter: OpenCvFilterName;
  /**
   * The part of the upright source that is resampled, in whole pixels; no pixel outside of it counts. Unset: all of it.
   */
  readonly part?: Cutout | undefined;
  /** The part of the result to compute, with the same pixels as in the whole result. Unset: all of it. */
  readonly cutout?: Cutout | undefined;
}

/**
 * The cutout of `cv2.resize(image[part], (width, height), interpolation=…)` of uint8, byte for byte. Alpha is treated
 * as any other channel.
 *
 * Fails as {@link checkOpenCvWork} does.
 *
 * @param stored - [height, width, 1 | 3 | 4] uint8, as stored
 * @param orientation - EXIF's, 1…8
 * @returns [height, width, 1 | 3 | 4] uint8, upright, in an ArrayBuffer of its own
 */
export function resampleAsOpenCv(stored: Pixels, orientation: number, target: OpenCvTarget): Pixels {
  const size = sizeUpright(stored, orientation);
  const { width, height, filter, part = wholeOf(size), cutout = wholeOf(target) } = target;
  checkOpenCvWork(size, target);
  const source = cutUpright(stored, orientation, part);
  if (source.width === width && source.height === height) {
    return copyOf(cutUpright(source, 1, cutout), stored);
  }
  const across = { sourceSize: source.width, size: width, from: cutout.left, to: cutout.right };
  const down = { sourceSize: source.height, size: height, from: cutout.top, to: cutout.bottom };
  switch (filter) {
    case 'nearest':
      return pickPixels(source, nearestPixels(across), nearestPixels(down), sizeOfCutout(cutout));
    case 'bilinear':
      return interpolate(source, linearTaps(across, true), linearTaps(down, false));
    case 'bicubic':
      return interpolate(source, cubicTaps(across), cubicTaps(down), singlePrecisionValues(source, across));
    case 'box':
      return area(source, across, down);
  }
}

function area(source: Pixels, across: Axis, down: Axis): Pixels {
  if (scaleOf(across) < 1 || scaleOf(down) < 1) {
    return interpolate(source, enlargedAreaTaps(across, true), enlargedAreaTaps(down, false));
  }
  return isWholeScale(scaleOf(across)) && isWholeScale(scaleOf(down))
    ? averageFactors(source, across, down)
    : averageArea(source, across, down);
}

/** Number of values in a computed row that belong to whole vectors of 8, counted from the whole row's first value. */
function singlePrecisionValues({ channels }: Pixels, { size, from, to }: Axis): number {
  const inWhole = Math.floor((size * channels) / 8) * 8;
  return Math.max(0, Math.min(inWhole, to * channels) - from * channels);
}

/**
 * Fails with OUTPUT_PIXELS_OVER_LIMIT if resampling would: the source or the whole result has a side over 2²⁰
 * pixels.
 *
 * @param source - its size, upright
 */
export function checkOpenCvWork(source: Size, { width, height }: Size): void {
  if (source.width === width && source.height === height) return;
  checkSide(Math.max(source.width, source.height, width, height), maxSide);
}
