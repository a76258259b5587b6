import { sizeUpright } from '../codecs/orient.ts';
import { areaOf, type Cutout, cutUpright, intersection, seenFrom, sizeOfCutout, wholeOf } from './cutout.ts';
import type { Colour, Pixels } from './pixels.ts';
import type { Size } from './shortest-edge.ts';
import type { PlacedStep, Placement } from './step.ts';

/** The picture between two steps. */
export interface Picture {
  /** [height, width, channels] uint8 */
  readonly pixels: Pixels;
  /** EXIF's orientation, which the next step that moves pixels has to apply. 1: the pixels are upright. */
  readonly orientation: number;
  /** The part of the upright image that the pixels show, in its coordinates. */
  readonly cutout: Cutout;
}

/** A decoded source: the whole image, as stored. */
export function storedPicture(pixels: Pixels, orientation: number): Picture {
  return { pixels, orientation, cutout: wholeOf(sizeUpright(pixels, orientation)) };
}

/** The pixels of a picture, turned upright. */
export function upright({ pixels, orientation }: Picture): Pixels {
  return cutUpright(pixels, orientation, wholeOf(sizeUpright(pixels, orientation)));
}

/**
 * The cutout of a step's output: the picture at its position, clipped to the cutout. The rest has the colour.
 *
 * @param colour - for an image without alpha. Unset: black, or transparent if there is alpha
 * @returns [height, width, channels] uint8; the picture's own pixels if they are exactly the cutout
 */
export function placeOnCanvas(picture: Picture, { output, cutout }: PlacedStep, colour?: Colour): Pixels {
  const { left = 0, top = 0 } = output;
  const target = seenFrom(cutout, { left, top });
  const visible = intersection(target, picture.cutout);
  const { channels } = picture.pixels;
  if (visible === undefined) return canvasOf(sizeOfCutout(cutout), channels, colour);
  const pixels = cutUpright(picture.pixels, picture.orientation, seenFrom(visible, picture.cutout));
  const size = sizeOfCutout(cutout);
  if (isSameSize(pixels, size)) return pixels;
  const canvas = canvasOf(size, channels, colour);
  const rowBytes = pixels.width * channels;
  for (let y = 0; y < pixels.height; y++) {
    const row = pixels.data.subarray(y * rowBytes, (y + 1) * rowBytes);
    const pixel = (visible.top - target.top + y) * size.width + visible.left - target.left;
    canvas.data.set(row, pixel * channels);
  }
  return canvas;
}

function canvasOf({ width, height }: Size, channels: Pixels['channels'], colour: Colour = [0, 0, 0]): Pixels {
  const data = new Uint8Array(width * height * channels);
  if (colour.some((value) => value !== 0)) {
    data.set(colour);
    // The filled part is copied behind itself: a call for each pixel takes longer than all other steps.
    for (let filled = channels; filled < data.length; filled *= 2) data.copyWithin(filled, 0, filled);
  }
  return { data, width, height, channels };
}

/**
 * The cutout of a step's input for a cutout of its output, if the step places its input on a canvas. If the cutout
 * shows nothing of the input, one pixel of it is used, so that an earlier step never computes an empty image.
 */
export function cutoutUnderCanvas(input: Size, { left = 0, top = 0 }: Placement, cutout: Cutout): Cutout {
  const onePixel = { left: 0, top: 0, right: 1, bottom: 1 };
  return intersection(seenFrom(cutout, { left, top }), wholeOf(input)) ?? onePixel;
}

/** Pixels that {@link placeOnCanvas} allocates: for a part cut from its input, and for a larger canvas. */
export function canvasPixels({ input, available, output, cutout }: PlacedStep): number {
  const shown = sizeOfCutout(cutoutUnderCanvas(input, output, cutout));
  const canvas = sizeOfCutout(cutout);
  const cutPixels = isSameSize(shown, available) ? 0 : areaOf(shown);
  return cutPixels + (isSameSize(shown, canvas) ? 0 : areaOf(canvas));
}

function isSameSize(one: Size, other: Size): boolean {
  return one.width === other.width && one.height === other.height;
}
