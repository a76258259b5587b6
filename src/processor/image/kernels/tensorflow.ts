import type { Cutout } from '../cutout.ts';
import type { Pixels } from '../pixels.ts';
import type { Size } from '../shortest-edge.ts';
import { pickPixels } from './pick.ts';
import type { FloatPicture } from './samples.ts';

const round32 = Math.fround;

/**
 * `tf.image.resize(image, (height, width), 'bilinear')` of uint8 without antialiasing, to the last bit: FP32, each
 * operation rounded (tensorflow/core/kernels/image/resize_bilinear_op.cc, with half_pixel_centers).
 *
 * @param source - [height, width, channels] uint8
 * @param cutout - of the result
 */
export function bilinearAsTensorFlow(source: Pixels, size: Size, cutout: Cutout): FloatPicture {
  const { data, channels } = source;
  const across = tapsOf(source.width, size.width, cutout.left, cutout.right);
  const down = tapsOf(source.height, size.height, cutout.top, cutout.bottom);
  const result = new Float32Array(across.length * down.length * channels);
  let to = 0;
  for (const { first: top, second: bottom, share: low } of down) {
    for (const { first: left, second: right, share: far } of across) {
      for (let channel = 0; channel < channels; channel++) {
        const at = (x: number, y: number) => data[(y * source.width + x) * channels + channel] as number;
        const upper = between(at(left, top), at(right, top), far);
        const lower = between(at(left, bottom), at(right, bottom), far);
        result[to++] = between(upper, lower, low);
      }
    }
  }
  return { data: result, width: across.length, height: down.length, channels };
}

/** `tf.image.resize(image, (height, width), 'nearest')` of uint8: the pixel at the centre, in FP32. */
export function nearestAsTensorFlow(source: Pixels, size: Size, cutout: Cutout): Pixels {
  const pixels = (from: number, to: number, begin: number, end: number) => {
    const scale = round32(from / to);
    return Int32Array.from({ length: end - begin }, (_, i) =>
      Math.min(from - 1, Math.floor(round32(round32(begin + i + 0.5) * scale))),
    );
  };
  const columns = pixels(source.width, size.width, cutout.left, cutout.right);
  const rows = pixels(source.height, size.height, cutout.top, cutout.bottom);
  return pickPixels(source, columns, rows, { width: columns.length, height: rows.length });
}

function between(a: number, b: number, share: number): number {
  return round32(a + round32(round32(b - a) * share));
}

interface Tap {
  readonly first: number;
  readonly second: number;
  readonly share: number;
}

function tapsOf(from: number, to: number, begin: number, end: number): readonly Tap[] {
  const scale = round32(from / to);
  return Array.from({ length: end - begin }, (_, i) => {
    const position = round32(round32(round32(begin + i + 0.5) * scale) - 0.5);
    const pixel = Math.floor(position);
    return {
      first: Math.max(pixel, 0),
      second: Math.min(pixel + 1, from - 1),
      share: round32(position - pixel),
    };
  });
}
