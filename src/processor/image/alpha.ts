import type { ImageHeader } from '../codecs/header.ts';
import type { Pixels } from './pixels.ts';
import { type AlphaPlan, type Colour, outputFormat, type Plan } from './plan.ts';

/** Whether an image's output has its alpha: only PNG and WebP can store it. */
export function keepsAlpha(header: ImageHeader, { alpha, output }: Plan): boolean {
  if (!header.hasAlpha || alpha !== 'kept' || output.kind === 'tensor') return false;
  return outputFormat(output, header.format) !== 'jpeg';
}

/**
 * Makes an image opaque.
 *
 * @param image - [height, width, 1 | 3 | 4] uint8
 * @param alpha - a colour to draw behind the image; otherwise the alpha is dropped
 * @returns [height, width, 1 | 3] uint8
 */
export function flatten(image: Pixels, alpha: AlphaPlan): Pixels {
  if (image.channels !== 4) return image;
  return typeof alpha === 'string' ? dropAlpha(image) : drawOnColour(image, alpha);
}

/**
 * Drops the alpha. The colours keep their stored values, as in Pillow's `convert("RGB")`.
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
 * Draws an image over an opaque colour, with the arithmetic of Pillow's `Image.alpha_composite`
 * (AlphaComposite.c): 7 bits of extra precision, then a rounded division by 255.
 *
 * @param image - [height, width, 4] uint8
 * @returns [height, width, 3] uint8
 */
function drawOnColour({ data, width, height }: Pixels, background: Colour): Pixels {
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
