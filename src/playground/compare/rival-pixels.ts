import { requestOf } from '../form/request.ts';
import { asPng, initialPage, type Settings } from '../form/settings.ts';
import { callProcess } from '../service/call.ts';
import { withPassword } from '../source/password.ts';
import { blobOf, type ImageSource } from '../source/source.ts';
import { type Bitmap, bitmapOf, croppedBitmap, decodeBitmap, drawnBitmap } from '../view/bitmap.ts';
import type { Geometry, Size } from './geometry.ts';
import { interpolateBilinear } from './interpolate.ts';
import type { RivalName } from './rival-names.ts';

/** A resize for a rival: the service's own resize and crop of a source, in another library. */
export interface Task {
  readonly settings: Settings;
  readonly source: ImageSource;
  readonly geometry: Geometry;
}

/**
 * The pixels that a rival makes.
 *
 * @throws ConnectError, and Error for an image that is too large for a canvas
 */
export async function rivalPixels(name: RivalName, task: Task, signal: AbortSignal): Promise<Bitmap> {
  const { settings, source, geometry } = task;
  if (name === 'fast') return answer(asPng(settings, 'fast'), source, signal);
  const resized = await resizedBy[name](task, signal);
  const { crop } = geometry;
  const bitmap = crop === undefined ? resized : croppedBitmap(resized, crop);
  return settings.recipe === 'own' && settings.grayscale ? grayOf(bitmap) : bitmap;
}

/** Source pixels per output pixel, on each side, from which `fast` resizes by libvips: docs/numerics.md. */
const leastReduction = 1.5;

const resizedBy: Readonly<
  Record<Exclude<RivalName, 'fast'>, (task: Task, signal: AbortSignal) => Promise<Bitmap>>
> = {
  opencv: async ({ settings, source, geometry: { resized } }, signal) =>
    answer(plainResize(settings, resized, 'opencv', 'bilinear'), source, signal),
  async sharp({ settings, source, geometry: { resized } }, signal) {
    // image-processor resizes a PNG with numerics=fast by sharp itself; of a JPEG, TurboJPEG shrinks first.
    const content = await source.decoded(settings, signal);
    const png = await content.arrayBuffer();
    // The sides in IHDR (W3C PNG, 11.2.1).
    const [width, height] = [16, 20].map((at) => new DataView(png).getUint32(at)) as [number, number];
    if (Math.min(width / resized.width, height / resized.height) < leastReduction)
      throw new Error('The service resizes by sharp only if each side becomes smaller by at least a third.');
    const drawn = { case: 'content' as const, value: new Uint8Array(png) };
    const ofPicture = { ...settings, ...initialPage };
    return answer(
      plainResize(ofPicture, resized, 'fast', 'lanczos'),
      { message: async () => drawn, password: undefined },
      signal,
    );
  },
  async canvas({ settings, source, geometry: { resized } }, signal) {
    const decodedHere = source.file && (await decodeBitmap(source.file).catch(() => undefined));
    // The page does not download URLs, and browsers do not decode every format.
    const picture = decodedHere ?? (await decodedPicture(settings, source, signal));
    return drawnBitmap(picture, resized.width, resized.height);
  },
  async interpolate({ settings, source, geometry: { resized } }, signal) {
    const picture = await decodedPicture(settings, source, signal);
    if (picture.width !== picture.original.width)
      throw new Error('The image is too large for this comparison.');
    return bitmapOf(interpolateBilinear(picture.pixels, picture, resized), resized.width, resized.height);
  },
};

async function decodedPicture(settings: Settings, source: ImageSource, signal: AbortSignal): Promise<Bitmap> {
  return decodeBitmap(await source.decoded(settings, signal));
}

async function answer(
  settings: Settings,
  { message, password }: Pick<ImageSource, 'message' | 'password'>,
  signal: AbortSignal,
): Promise<Bitmap> {
  const request = withPassword(requestOf(settings), password);
  return decodeBitmap(blobOf(await callProcess({ ...request, source: await message() }, signal)));
}

/** Settings for only a resize, in colour. */
function plainResize(
  settings: Settings,
  { width, height }: Size,
  numerics: 'opencv' | 'fast',
  filter: 'bilinear' | 'lanczos',
): Settings {
  const { orientation, alpha } = settings;
  return {
    ...asPng(settings, numerics),
    recipe: 'own',
    sizing: 'box',
    width: String(width),
    height: String(height),
    fit: 'fill',
    filter,
    crop_width: '',
    crop_height: '',
    grayscale: false,
    background: settings.recipe === 'own' ? settings.background : '',
    orientation,
    alpha,
  };
}

/** Pillow's luma: (19595 R + 38470 G + 7471 B + 2¹⁵) >> 16. */
function grayOf({ pixels, width, height }: Bitmap): Bitmap {
  const gray = new Uint8ClampedArray(pixels);
  for (let at = 0; at < gray.length; at += 4) {
    const [red = 0, green = 0, blue = 0] = gray.subarray(at, at + 3);
    gray.fill((19_595 * red + 38_470 * green + 7471 * blue + 32_768) >> 16, at, at + 3);
  }
  return bitmapOf(gray, width, height);
}
