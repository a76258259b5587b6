import type { Geometry } from './geometry.ts';
import { resample, resampleToLuma } from './kernels/resample.ts';
import { grayToRgb, type Pixels } from './pixels.ts';
import type { Colour, Plan } from './plan.ts';

/**
 * Gives a decoded image its size, bit for bit as Pillow's `Image.resize` does, and lays it on its canvas.
 * In fast numerics the decoder has resampled already.
 *
 * @param image - [height, width, 1 | 3 | 4] uint8
 */
export function resize(image: Pixels, geometry: Geometry, plan: Plan): Pixels {
  const resampled = plan.numerics === 'exact' && plan.resize ? resampleFor(plan, image, geometry) : image;
  return geometry.canvas === undefined ? resampled : layOnCanvas(resampled, geometry.canvas, plan.background);
}

/** Where gray is asked for and no coloured bars are, luma is taken from each row while it is in the cache. */
function resampleFor(plan: Plan, image: Pixels, { width, height, box, canvas }: Geometry): Pixels {
  const filter = plan.resize?.filter ?? 'bilinear';
  const toLuma = plan.grayscale && image.channels === 3 && canvas === undefined;
  return (toLuma ? resampleToLuma : resample)(image, width, height, filter, box);
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
