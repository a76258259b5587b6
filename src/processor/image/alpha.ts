import type { Pixels } from './pixels.ts';
import type { Colour } from './plan.ts';

/**
 * Makes an image opaque: laid on the background where there is one, else by dropping its alpha.
 *
 * @param image - [height, width, 1 | 3 | 4] uint8
 * @returns [height, width, 1 | 3] uint8
 */
export function flatten(image: Pixels, background: Colour | undefined): Pixels {
  if (image.channels !== 4) return image;
  return background === undefined ? dropAlpha(image) : layOnColour(image, background);
}

/**
 * Takes the alpha away and leaves the colours as they are stored, as Pillow's `convert("RGB")` does.
 *
 * @param image - [height, width, 4] uint8
 * @returns [height, width, 3] uint8
 */
function dropAlpha({ data, width, height }: Pixels): Pixels {
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    rgb[to] = data[from] as number;
    rgb[to + 1] = data[from + 1] as number;
    rgb[to + 2] = data[from + 2] as number;
  }
  return { data: rgb, width, height, channels: 3 };
}

/**
 * Lays an image on an opaque colour, with the arithmetic of Pillow's `Image.alpha_composite`
 * (AlphaComposite.c): 7 bits of extra precision, then a rounded division by 255.
 *
 * @param image - [height, width, 4] uint8
 * @returns [height, width, 3] uint8
 */
function layOnColour({ data, width, height }: Pixels, background: Colour): Pixels {
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    const alpha = data[from + 3] as number;
    const over = alpha << 7;
    const under = (255 - alpha) << 7;
    for (let channel = 0; channel < 3; channel++) {
      const sum =
        (data[from + channel] as number) * over + (background[channel] as number) * under + (0x80 << 7);
      rgb[to + channel] = (((sum >> 8) + sum) >> 8) >> 7;
    }
  }
  return { data: rgb, width, height, channels: 3 };
}
