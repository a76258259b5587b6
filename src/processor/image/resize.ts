import type { Decoded } from '../codecs/decode.ts';
import { sizeUpright } from '../codecs/orient.ts';
import { cutUpright, wholeOf } from './cutout.ts';
import type { Geometry } from './geometry.ts';
import { resampleUpright } from './kernels/resample.ts';
import { grayToRgb, type Pixels } from './pixels.ts';
import type { Colour, Plan } from './plan.ts';

/**
 * Turns a decoded image upright and gives it its size, bit for bit as Pillow's `ImageOps.exif_transpose` and
 * `Image.resize` do, and lays it on its canvas or leaves out what a crop won't keep. In fast numerics the decoder has
 * done all but the canvas.
 *
 * Where gray is asked for and no coloured bars are, luma is taken from each row while it is in the cache.
 *
 * @param decoded - [height, width, 1 | 3 | 4] uint8
 */
export function resize({ pixels, orientation }: Decoded, geometry: Geometry, plan: Plan): Pixels {
  const { canvas } = geometry;
  const resampled = plan.numerics === 'exact' ? resizeExact(pixels, orientation, geometry, plan) : pixels;
  return canvas === undefined ? resampled : layOnCanvas(resampled, canvas, plan.background);
}

function resizeExact(pixels: Pixels, orientation: number, geometry: Geometry, plan: Plan): Pixels {
  if (plan.resize === undefined) {
    return cutUpright(pixels, orientation, geometry.cutout ?? wholeOf(sizeUpright(pixels, orientation)));
  }
  const toLuma = plan.grayscale && pixels.channels === 3 && geometry.canvas === undefined;
  return resampleUpright(pixels, orientation, { ...geometry, filter: plan.resize.filter }, toLuma);
}

/** Puts an image on a canvas: the bars of a letterbox. Without a colour they are black, or transparent where there is alpha. */
function layOnCanvas(
  image: Pixels,
  canvas: NonNullable<Geometry['canvas']>,
  background: Colour | undefined,
): Pixels {
  const laid = background === undefined ? image : grayToRgb(image);
  const { width, height, left, top } = canvas;
  const { channels } = laid;
  const data = new Uint8Array(width * height * channels);
  if (background?.some((value) => value !== 0)) {
    for (let at = 0; at < data.length; at += channels) data.set(background, at);
  }
  const rowBytes = laid.width * channels;
  for (let y = 0; y < laid.height; y++) {
    const row = laid.data.subarray(y * rowBytes, (y + 1) * rowBytes);
    data.set(row, ((top + y) * width + left) * channels);
  }
  return { data, width, height, channels };
}
