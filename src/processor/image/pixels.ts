/** Decoded pixels: [height, width, channels] uint8 in row order, no padding between rows. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** 1: luma. 2: luma, alpha. 3: R, G, B. 4: R, G, B, alpha. Alpha is straight, not premultiplied. */
  readonly channels: 1 | 2 | 3 | 4;
}

/**
 * Converts gray to R = G = B, as Pillow's `convert("RGB")` does. Colour is returned unchanged.
 *
 * @param image - [height, width, 1 | 3 | 4] uint8
 */
export function grayToRgb(image: Pixels): Pixels {
  if (image.channels !== 1) return image;
  const rgb = new Uint8Array(image.data.length * 3);
  for (let from = 0, to = 0; from < image.data.length; from++, to += 3) {
    const level = image.data[from] as number;
    rgb[to] = level;
    rgb[to + 1] = level;
    rgb[to + 2] = level;
  }
  return { ...image, data: rgb, channels: 3 };
}

/** sRGB, 0…255 each. */
export type Colour = readonly [red: number, green: number, blue: number];
