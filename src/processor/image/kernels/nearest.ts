import { type Cutout, sizeOfCutout } from '../cutout.ts';
import type { Pixels } from '../pixels.ts';
import { pickPixels } from './pick.ts';

/**
 * Pillow's resize by NEAREST: ImagingScaleAffine, which sums the step in double, including rounding errors. Pixels
 * outside of the source stay 0.
 *
 * @param source - [height, width, channels] uint8
 * @param width - of the whole result; likewise `height`
 * @param box - within the source
 * @param cutout - the part of the result to compute
 * @returns the cutout: [height, width, channels] uint8
 */
export function nearest(
  source: Pixels,
  width: number,
  height: number,
  [left, top, right, bottom]: readonly [left: number, top: number, right: number, bottom: number],
  cutout: Cutout,
): Pixels {
  const columns = nearestPixels(source.width, left, right, width, cutout.left, cutout.right);
  const rows = nearestPixels(source.height, top, bottom, height, cutout.top, cutout.bottom);
  return pickPixels(source, columns, rows, sizeOfCutout(cutout));
}

/**
 * The source pixel of each result pixel from `firstResult` to before `endResult`, up to the first one beyond the end of
 * the source.
 */
function nearestPixels(
  sourceSize: number,
  from: number,
  to: number,
  size: number,
  firstResult: number,
  endResult: number,
): Int32Array {
  const pixels = new Int32Array(endResult - firstResult);
  const step = Math.fround(to - from) / size;
  let position = from + step * 0.5;
  // The sum starts at pixel 0, before the first: a product would have other rounding errors.
  for (let i = 0; i < firstResult; i++) position += step;
  for (let i = 0; i < pixels.length; i++) {
    const pixel = Math.trunc(position);
    if (pixel >= sourceSize) return pixels.subarray(0, i);
    pixels[i] = pixel;
    position += step;
  }
  return pixels;
}
