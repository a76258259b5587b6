import { type Bitmap, bitmapOf } from '../view/bitmap.ts';
import { type Planes, type ReadValue, valueReaders } from '../view/tensor.ts';
import type { TensorFile } from './tensor-file.ts';
import type { ValueRange } from './value-range.ts';

/** Larger tensors are not drawn. In bytes and in pixels of one side. */
const maxBytes = 64 * 1024 * 1024;
const maxSide = 4096;
/** Values between two pauses, in which the browser reacts to the visitor. */
const valuesPerTurn = 1 << 19;

/** The values of one picture, and where each of them is. */
export interface PictureValues {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly read: ReadValue;
  readonly view: DataView;
  readonly rowStep: number;
  readonly columnStep: number;
  readonly channelStep: number;
}

/**
 * Reads a tensor as a picture. Of a batch it is the first.
 *
 * @param layout - `NCHW`, `HWC`, … ; others are read from the shape
 * @returns undefined for a shape that is no picture, and for one that is too large to draw
 */
export async function readPicture(
  { datatype, shape, values }: TensorFile,
  layout: string | undefined,
): Promise<PictureValues | undefined> {
  const reader = valueReaders[datatype];
  const axes = shape.length === 4 ? shape.slice(1) : shape;
  if (reader === undefined || values.size > maxBytes) return undefined;
  const [first = 0, second = 0, third = 1] = axes;
  const isPlanes = axes.length === 3 && first <= 4 && !/HWC$/.test(layout ?? '');
  const [channels, height, width] = isPlanes ? [first, second, third] : [third, first, second];
  const count = channels * height * width;
  if (channels > 4 || channels < 1 || Math.max(width, height) > maxSide || count === 0) return undefined;
  const view = new DataView(await values.slice(0, count * reader.bytes).arrayBuffer());
  if (view.byteLength < count * reader.bytes) return undefined;
  const steps = isPlanes
    ? { rowStep: width, columnStep: 1, channelStep: width * height }
    : { rowStep: width * channels, columnStep: channels, channelStep: 1 };
  return { width, height, channels, read: reader.read, view, ...steps };
}

/** The least and the greatest value. */
export async function extremesOf(picture: PictureValues): Promise<{ min: number; max: number }> {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  const { width, height, channels, read, view } = picture;
  await inTurns(width * height * channels, (at) => {
    const value = read(view, at);
    if (value < min) min = value;
    if (value > max) max = value;
  });
  return { min, max };
}

/** The largest distance of a pixel's channels from those of the expected tensor, in its units. */
export function distanceAt(
  { channels, read, view, rowStep, columnStep, channelStep }: PictureValues,
  expected: Planes,
  x: number,
  y: number,
): number {
  const start = y * rowStep + x * columnStep;
  const distances = Array.from({ length: channels }, (_, channel) =>
    Math.abs(
      read(view, start + channel * channelStep) - (expected.channels[channel]?.[y * expected.width + x] ?? 0),
    ),
  );
  return Math.max(...distances);
}

/** Draws a tensor's values. Levels outside 0…255 are clamped. */
export async function drawPicture(picture: PictureValues, range: ValueRange): Promise<Bitmap> {
  const { width, height, channels, read, view, rowStep, columnStep, channelStep } = picture;
  const pixels = new Uint8ClampedArray(4 * width * height);
  const colours = channels < 3 ? 1 : 3;
  await inTurns(width * height, (pixel) => {
    const start = Math.floor(pixel / width) * rowStep + (pixel % width) * columnStep;
    for (let channel = 0; channel < 3; channel++) {
      const from = Math.min(channel, colours - 1);
      const { factor, offset } = range.channels[from] ?? { factor: 1, offset: 0 };
      pixels[4 * pixel + channel] = read(view, start + from * channelStep) * factor + offset;
    }
    pixels[4 * pixel + 3] = 255;
  });
  return bitmapOf(pixels, width, height);
}

/** Calls a function for each index, with pauses: a page that computes for long does not react. */
async function inTurns(count: number, act: (index: number) => void): Promise<void> {
  for (let from = 0; from < count; from += valuesPerTurn) {
    if (from > 0) await new Promise((resolve) => setTimeout(resolve));
    const to = Math.min(count, from + valuesPerTurn);
    for (let index = from; index < to; index++) act(index);
  }
}
