import type { Pixels } from '../image/pixels.ts';

/**
 * CMYK to RGB as Pillow's `convert("RGB")` does (cmyk2rgb in Convert.c): without a profile,
 * R = (255 − K) − C·(255 − K)/255, the division rounded as its MULDIV255.
 *
 * @param cmyk - [height, width, 4] uint8, 255 is full ink
 * @returns [height, width, 3] uint8
 */
export function cmykToRgb({ data, width, height }: Pixels): Pixels {
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    const white = 255 - (data[from + 3] as number);
    for (let channel = 0; channel < 3; channel++) {
      const product = (data[from + channel] as number) * white + 128;
      rgb[to + channel] = white - (((product >> 8) + product) >> 8);
    }
  }
  return { data: rgb, width, height, channels: 3 };
}
