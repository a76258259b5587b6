import type { Pixels } from '../image/pixels.ts';
import type { Size } from '../image/shortest-edge.ts';

/** Rows and columns turned at a time, so that the rows read and the rows written both stay in the CPU cache. */
const tile = 32;

/** How the stored pixels have to be turned to be upright. */
export interface Laying {
  /** Rows of the picture are stored as columns. */
  readonly isTransposed: boolean;
  /** The picture's first row, or column if transposed, begins at the right end of the stored pixels. */
  readonly fromRight: boolean;
  /** The same for the lower end. */
  readonly fromBottom: boolean;
}

/** EXIF 2.32, 4.6.5: the sides of the picture that row 0 and column 0 of the stored pixels are. */
export function layingOf(orientation: number): Laying {
  return {
    isTransposed: orientation >= 5,
    fromRight: [2, 3, 7, 8].includes(orientation),
    fromBottom: [3, 4, 6, 7].includes(orientation),
  };
}

/** Size of a stored picture once it is upright, in pixels. */
export function sizeUpright({ width, height }: Size, orientation: number): Size {
  return layingOf(orientation).isTransposed ? { width: height, height: width } : { width, height };
}

/**
 * Turns pixels upright, as Pillow's `ImageOps.exif_transpose` does.
 *
 * @param image - [height, width, channels] uint8, as stored
 * @param orientation - EXIF's, 1…8
 * @returns the same pixels for 1, else pixels in new memory
 */
export function orient(image: Pixels, orientation: number): Pixels {
  if (orientation === 1) return image;
  const { data, width, height, channels } = image;
  const { isTransposed, fromRight, fromBottom } = layingOf(orientation);
  const { width: newWidth, height: newHeight } = sizeUpright(image, orientation);
  // Distances in the stored bytes from a pixel to its right and to its lower neighbour in the upright picture.
  const [alongX, alongY] = [fromRight ? -channels : channels, (fromBottom ? -width : width) * channels];
  const [stepX, stepY] = isTransposed ? [alongY, alongX] : [alongX, alongY];
  const start = ((fromBottom ? height - 1 : 0) * width + (fromRight ? width - 1 : 0)) * channels;

  const upright = Buffer.allocUnsafeSlow(data.length);
  for (let top = 0; top < newHeight; top += tile) {
    const bottom = Math.min(newHeight, top + tile);
    for (let left = 0; left < newWidth; left += tile) {
      const right = Math.min(newWidth, left + tile);
      for (let y = top; y < bottom; y++) {
        const from = start + y * stepY + left * stepX;
        const to = (y * newWidth + left) * channels;
        copyRow(data, from, stepX, upright, to, right - left, channels);
      }
    }
  }
  return { data: upright, width: newWidth, height: newHeight, channels };
}

/** Copies `count` pixels that are `step` bytes apart in `source` to consecutive pixels of `target`. */
function copyRow(
  source: Uint8Array,
  from: number,
  step: number,
  target: Uint8Array,
  to: number,
  count: number,
  channels: number,
): void {
  if (channels !== 3) {
    for (let x = 0; x < count; x++) {
      for (let channel = 0; channel < channels; channel++)
        target[to + x * channels + channel] = source[from + x * step + channel] as number;
    }
    return;
  }
  // Written out for three channels: a loop over them takes three times as long.
  for (const end = to + 3 * count; to < end; to += 3, from += step) {
    target[to] = source[from] as number;
    target[to + 1] = source[from + 1] as number;
    target[to + 2] = source[from + 2] as number;
  }
}
