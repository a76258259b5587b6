import type { Pixels } from '../image/pixels.ts';
import type { Size } from '../image/shortest-edge.ts';

/** Rows and columns that are turned together, so that both the rows read and those written stay in the cache. */
const tile = 32;

/** How a picture lies in what is stored of it. */
export interface Laying {
  /** Its rows are stored as columns. */
  readonly isTransposed: boolean;
  /** Its first row, or column if transposed, begins at the right end of what is stored. */
  readonly fromRight: boolean;
  /** The same at the lower end. */
  readonly fromBottom: boolean;
}

/** EXIF 2.32, 4.6.5: which sides of the picture row 0 and column 0 of what is stored are. */
export function layingOf(orientation: number): Laying {
  return {
    isTransposed: orientation >= 5,
    fromRight: [2, 3, 7, 8].includes(orientation),
    fromBottom: [3, 4, 6, 7].includes(orientation),
  };
}

/** Size of a stored picture when it is upright, in pixels. */
export function sizeUpright({ width, height }: Size, orientation: number): Size {
  return layingOf(orientation).isTransposed ? { width: height, height: width } : { width, height };
}

/**
 * Turns pixels upright, as Pillow's `ImageOps.exif_transpose` does.
 *
 * @param image - [height, width, channels] uint8, as stored
 * @param orientation - EXIF's, 1…8
 * @returns the same pixels for 1, else pixels in memory of their own
 */
export function orient(image: Pixels, orientation: number): Pixels {
  if (orientation === 1) return image;
  const { data, width, height, channels } = image;
  const { isTransposed, fromRight, fromBottom } = layingOf(orientation);
  const { width: newWidth, height: newHeight } = sizeUpright(image, orientation);
  // Bytes from a pixel to its right and lower neighbour in the upright picture, in what is stored.
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
