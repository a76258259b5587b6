import type { Cutout } from './cutout.ts';
import type { Pixels } from './pixels.ts';
import type { CropOrigin, CropPlan } from './plan.ts';
import { roundHalfToEven, type Size } from './shortest-edge.ts';

/**
 * Where a crop begins along one axis, in pixels of the image. Below 0 the crop is larger than the image, and
 * so many pixels of padding come before it.
 */
export function cropStart(imageSide: number, cropSide: number, origin: CropOrigin): number {
  const surplus = imageSide - cropSide;
  if (surplus >= 0) return origin === 'torchvision' ? roundHalfToEven(surplus / 2) : Math.floor(surplus / 2);
  // + 0, so that one missing pixel gives 0 and not −0.
  return origin === 'transformers' ? -Math.ceil(-surplus / 2) : -Math.floor(-surplus / 2) + 0;
}

/** What of an image a crop keeps: there is no need to make more. Padding, where it is the larger one, is not in it. */
export function cutoutOf(image: Size, { width, height, origin }: CropPlan): Cutout {
  const left = Math.max(0, cropStart(image.width, width, origin));
  const top = Math.max(0, cropStart(image.height, height, origin));
  return {
    left,
    top,
    right: left + Math.min(image.width, width),
    bottom: top + Math.min(image.height, height),
  };
}

/**
 * Cuts width × height pixels out of the middle. Where the image is smaller than that, the rest is 0: black,
 * and transparent where there is alpha. What {@link cutoutOf} says is left of an image stands for all of it.
 *
 * @param image - [height, width, channels] uint8
 * @returns [crop.height, crop.width, channels] uint8; the image itself where it has that size
 */
export function centerCrop(image: Pixels, crop: Size, origin: CropOrigin): Pixels {
  if (image.width === crop.width && image.height === crop.height) return image;
  const { channels } = image;
  const left = cropStart(image.width, crop.width, origin);
  const top = cropStart(image.height, crop.height, origin);
  const data = new Uint8Array(crop.width * crop.height * channels);
  const columns = Math.min(image.width, crop.width);
  const rows = Math.min(image.height, crop.height);
  const fromColumn = Math.max(0, left);
  const toColumn = Math.max(0, -left);
  for (let row = 0; row < rows; row++) {
    const from = ((Math.max(0, top) + row) * image.width + fromColumn) * channels;
    const to = ((Math.max(0, -top) + row) * crop.width + toColumn) * channels;
    data.set(image.data.subarray(from, from + columns * channels), to);
  }
  return { data, width: crop.width, height: crop.height, channels };
}
