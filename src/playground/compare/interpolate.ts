/**
 * torch.nn.functional.interpolate with mode="bilinear", align_corners=False and antialias=False, on float values: each
 * output pixel mixes the four source pixels around its own centre, however far the image is reduced. The values are then
 * rounded to whole levels.
 *
 * Source of the formula: area_pixel_compute_source_index in aten/src/ATen/native/UpSample.h.
 *
 * @param pixels - [height, width, 4] uint8
 * @returns [to.height, to.width, 4] uint8
 */
export function interpolateBilinear(
  pixels: Uint8ClampedArray,
  from: { readonly width: number; readonly height: number },
  to: { readonly width: number; readonly height: number },
): Uint8ClampedArray<ArrayBuffer> {
  const columns = tapsOf(from.width, to.width);
  const rows = tapsOf(from.height, to.height);
  const output = new Uint8ClampedArray(4 * to.width * to.height);
  for (const [y, row] of rows.entries()) {
    for (const [x, column] of columns.entries()) {
      for (let channel = 0; channel < 4; channel++) {
        const at = (line: number, place: number) => pixels[4 * (line * from.width + place) + channel] ?? 0;
        const upper = mix(at(row.first, column.first), at(row.first, column.second), column.share);
        const lower = mix(at(row.second, column.first), at(row.second, column.second), column.share);
        output[4 * (y * to.width + x) + channel] = Math.round(mix(upper, lower, row.share));
      }
    }
  }
  return output;
}

/** The two source pixels of an output pixel along one axis, and the weight of the second. */
interface Taps {
  readonly first: number;
  readonly second: number;
  readonly share: number;
}

function tapsOf(from: number, to: number): Taps[] {
  return Array.from({ length: to }, (_, index) => {
    const centre = Math.max(0, (index + 0.5) * (from / to) - 0.5);
    const first = Math.min(from - 1, Math.floor(centre));
    return { first, second: Math.min(from - 1, first + 1), share: Math.min(1, Math.max(0, centre - first)) };
  });
}

function mix(a: number, b: number, share: number): number {
  return a * (1 - share) + b * share;
}
