import { dot, narrow } from './lanes';

const halves = memory.data<i32>([1 << 15, 1 << 15, 1 << 15, 1 << 15], 16);
const redGreens = memory.data<u8>([0, 255, 1, 255, 3, 255, 4, 255, 6, 255, 7, 255, 9, 255, 10, 255], 16);
const greenBlues = memory.data<u8>([1, 255, 2, 255, 4, 255, 5, 255, 7, 255, 8, 255, 10, 255, 11, 255], 16);
const redGreenWeights = memory.data<u16>([19595, 19235, 19595, 19235, 19595, 19235, 19595, 19235], 16);
const greenBlueWeights = memory.data<u16>([19235, 7471, 19235, 7471, 19235, 7471, 19235, 7471], 16);

@inline
function lumaOf4(rgb: v128, redGreen: v128, greenBlue: v128, half: v128, weights: v128, weights2: v128): v128 {
  return i32x4.shr_s(
    dot(dot(half, i8x16.swizzle(rgb, redGreen), weights), i8x16.swizzle(rgb, greenBlue), weights2),
    16,
  );
}

/**
 * RGB → Rec. 601 luma: (19595·R + 38470·G + 7471·B + 2¹⁵) >> 16. Green's weight is too large for an i16: green
 * counts twice with half of it. `out` may be `rgb`.
 *
 * @param pixels rounded up to 16
 */
export function luma(rgb: usize, out: usize, pixels: i32): void {
  const half = v128.load(halves);
  const redGreen = v128.load(redGreens);
  const greenBlue = v128.load(greenBlues);
  const weights = v128.load(redGreenWeights);
  const weights2 = v128.load(greenBlueWeights);
  for (const end = out + pixels; out < end; out += 16) {
    const a = lumaOf4(v128.load(rgb), redGreen, greenBlue, half, weights, weights2);
    const b = lumaOf4(v128.load(rgb, 12), redGreen, greenBlue, half, weights, weights2);
    const c = lumaOf4(v128.load(rgb, 24), redGreen, greenBlue, half, weights, weights2);
    const d = lumaOf4(v128.load(rgb, 36), redGreen, greenBlue, half, weights, weights2);
    v128.store(out, narrow(a, b, c, d));
    rgb += 48;
  }
}
