import { layingOf, orient, sizeUpright } from '../codecs/orient.ts';
import type { Pixels } from './pixels.ts';
import type { Size } from './shortest-edge.ts';

/** A part of an image in whole pixels: from `left` and `top` to before `right` and `bottom`. */
export interface Cutout {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** All of an image. */
export function wholeOf({ width, height }: Size): Cutout {
  return { left: 0, top: 0, right: width, bottom: height };
}

/** In pixels. */
export function sizeOfCutout({ left, top, right, bottom }: Cutout): Size {
  return { width: right - left, height: bottom - top };
}

/** Number of pixels. */
export function areaOf({ width, height }: Size): number {
  return width * height;
}

/** The same cutout, relative to the pixel (left, top). */
export function seenFrom(
  { left, top, right, bottom }: Cutout,
  origin: { left: number; top: number },
): Cutout {
  return {
    left: left - origin.left,
    top: top - origin.top,
    right: right - origin.left,
    bottom: bottom - origin.top,
  };
}

/** The intersection of two cutouts. Unset: it is empty. */
export function intersection(one: Cutout, other: Cutout): Cutout | undefined {
  const left = Math.max(one.left, other.left);
  const top = Math.max(one.top, other.top);
  const right = Math.min(one.right, other.right);
  const bottom = Math.min(one.bottom, other.bottom);
  return left < right && top < bottom ? { left, top, right, bottom } : undefined;
}

/**
 * Cuts a part of the upright image. The part is cut from the stored pixels and then turned: turning a whole photo takes
 * longer than decoding it.
 *
 * @param stored - [height, width, channels] uint8, as stored
 * @param orientation - EXIF's, 1…8
 * @param cutout - in pixels of the upright image, within it
 * @returns the same pixels if the cutout is the whole of an upright image, else pixels in new memory
 */
export function cutUpright(stored: Pixels, orientation: number, cutout: Cutout): Pixels {
  return orient(cut(stored, asStored(cutout, sizeUpright(stored, orientation), orientation)), orientation);
}

/** Where a cutout of the upright image is in the stored pixels. */
function asStored(cutout: Cutout, upright: Size, orientation: number): Cutout {
  const { isTransposed, fromRight, fromBottom } = layingOf(orientation);
  const across = [cutout.left, cutout.right, upright.width] as const;
  const down = [cutout.top, cutout.bottom, upright.height] as const;
  const [left, right] = fromEnd(fromRight, ...(isTransposed ? down : across));
  const [top, bottom] = fromEnd(fromBottom, ...(isTransposed ? across : down));
  return { left, top, right, bottom };
}

function fromEnd(isMirrored: boolean, from: number, to: number, side: number): readonly [number, number] {
  return isMirrored ? [side - to, side - from] : [from, to];
}

function cut(image: Pixels, cutout: Cutout): Pixels {
  const { width, height } = sizeOfCutout(cutout);
  if (width === image.width && height === image.height) return image;
  const { channels } = image;
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const from = ((cutout.top + y) * image.width + cutout.left) * channels;
    data.set(image.data.subarray(from, from + width * channels), y * width * channels);
  }
  return { data, width, height, channels };
}
