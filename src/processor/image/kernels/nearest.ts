import type { Pixels } from '../pixels.ts';

/**
 * Pillow's resize by NEAREST: ImagingScaleAffine, which adds the step up in double, rounding errors and all.
 * What falls outside of the source stays 0.
 *
 * @param source - [height, width, channels] uint8
 * @param box - within the source
 * @returns [height, width, channels] uint8
 */
export function nearest(
  source: Pixels,
  width: number,
  height: number,
  [left, top, right, bottom]: readonly [left: number, top: number, right: number, bottom: number],
): Pixels {
  const { data, channels } = source;
  const columns = nearestPixels(source.width, left, right, width);
  const rows = nearestPixels(source.height, top, bottom, height);
  const result = new Uint8Array(width * height * channels);
  const rowBytes = width * channels;
  for (let y = 0; y < rows.length; y++) {
    const row = rows[y] as number;
    if (row === rows[y - 1]) {
      result.copyWithin(y * rowBytes, (y - 1) * rowBytes, y * rowBytes);
      continue;
    }
    const rowStart = row * source.width * channels;
    let to = y * rowBytes;
    for (const column of columns) {
      const from = rowStart + column * channels;
      for (let channel = 0; channel < channels; channel++) result[to++] = data[from + channel] as number;
    }
  }
  return { data: result, width, height, channels };
}

/** The source pixel of each result pixel, up to the first that falls beyond the source's end. */
function nearestPixels(sourceSize: number, from: number, to: number, size: number): Int32Array {
  const pixels = new Int32Array(size);
  const step = Math.fround(to - from) / size;
  let position = from + step * 0.5;
  for (let i = 0; i < size; i++) {
    const pixel = Math.trunc(position);
    if (pixel >= sourceSize) return pixels.subarray(0, i);
    pixels[i] = pixel;
    position += step;
  }
  return pixels;
}
