import type { Cutout } from '../../src/processor/image/cutout.ts';
import type { Pixels } from '../../src/processor/image/pixels.ts';

/** A part of an image, copied pixel by pixel: the reference for images that are computed in part. */
export function partOf({ data, width, channels }: Pixels, { left, top, right, bottom }: Cutout): Pixels {
  const values: number[] = [];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = (y * width + x) * channels;
      values.push(...data.subarray(at, at + channels));
    }
  }
  return { data: Uint8Array.from(values), width: right - left, height: bottom - top, channels };
}
