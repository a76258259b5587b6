import { narrow } from './lanes';

const halfLevels = memory.data<u16>([128, 128, 128, 128, 128, 128, 128, 128], 16);
const topLevels = memory.data<i32>([255, 255, 255, 255], 16);
const opaqueAlphas = memory.data<u16>([0, 0, 0, 255, 0, 0, 0, 255], 16);

/** The alpha of pixels 0 and 1, as i16 beside each of their colours. */
const alphasOfLowPixels = memory.data<u8>([3, 255, 3, 255, 3, 255, 255, 255, 7, 255, 7, 255, 7, 255, 255, 255], 16);

/** Of pixels 2 and 3. */
const alphasOfHighPixels = memory.data<u8>(
  [11, 255, 11, 255, 11, 255, 255, 255, 15, 255, 15, 255, 15, 255, 255, 255],
  16,
);

/**
 * RGBA → RGBa in place, as Pillow's convert: t = c·a + 128, (t + (t >> 8)) >> 8.
 *
 * @param bytes rounded up to 16
 */
export function premultiply(rgba: usize, bytes: i32): void {
  const half = v128.load(halfLevels);
  const low = v128.load(alphasOfLowPixels);
  const high = v128.load(alphasOfHighPixels);
  const opaque = v128.load(opaqueAlphas);
  for (const end = rgba + bytes; rgba < end; rgba += 16) {
    const pixels = v128.load(rgba);
    let a = i16x8.extend_low_i8x16_u(pixels);
    let b = i16x8.extend_high_i8x16_u(pixels);
    // Alpha itself is multiplied by 255, which gives it back.
    a = i16x8.add(i16x8.mul(a, v128.or(i8x16.swizzle(pixels, low), opaque)), half);
    b = i16x8.add(i16x8.mul(b, v128.or(i8x16.swizzle(pixels, high), opaque)), half);
    a = i16x8.shr_u(i16x8.add(a, i16x8.shr_u(a, 8)), 8);
    b = i16x8.shr_u(i16x8.add(b, i16x8.shr_u(b, 8)), 8);
    v128.store(rgba, i8x16.narrow_i16x8_u(a, b));
  }
}

/**
 * RGBa → RGBA in place, as Pillow's convert: min(255, ⌊255·c / a⌋), and c as it is where a is 0 or 255.
 * A float's 24 bits are enough: 255·c / a is a whole number or at least 1/255 away from one.
 */
export function unpremultiply(rgba: usize, pixels: i32): void {
  const top = v128.load(topLevels);
  for (const end = rgba + (<usize>pixels << 2); rgba < end; rgba += 4) {
    const alpha = load<u8>(rgba, 3);
    if (alpha == 0 || alpha == 255) continue;
    const colour = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(rgba)));
    const quotient = f32x4.div(f32x4.convert_i32x4_s(i32x4.mul(colour, top)), f32x4.splat(<f32>alpha));
    const levels = i32x4.min_s(i32x4.trunc_sat_f32x4_s(quotient), top);
    v128.store32_lane(rgba, narrow(levels, levels, levels, levels), 0);
    store<u8>(rgba, alpha, 3);
  }
}
