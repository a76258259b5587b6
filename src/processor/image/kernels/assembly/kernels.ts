// The inner loops of Pillow's two-pass resampling, in 128-bit SIMD. resample.ts drives them, a few rows at a time.
//
// Weights have 22 fraction bits, too many for the cheapest multiply-add (i16 × i16, two products to an
// i32 lane). So each weight is high · 2¹⁶ + low with both halves in i16; the halves are summed apart and
// joined at the end. All of it is modulo 2³², where Pillow's own sums don't overflow: the result is
// the same integer, whatever the order.
//
// Layouts. A quad is 4 rows, a pair is 2 neighbouring columns. One unit is 8 bytes of one channel:
// 4 rows × 2 columns, [row][column]. Widened to i16 it is one operand of the multiply-add that serves 4 rows.
//   paired source   [pair][unit]       3 units for RGB, 4 for RGBA, 4 for gray (of 4 quads, 16 rows)
//   intermediate    [quad][column · channels + channel][4 rows]
// The vertical pass takes 4 rows of a value out of one i32 lane the same way.

/** Where the memory is free. */
export function freeFrom(): usize {
  return __heap_base;
}

// @ts-nocheck: AssemblyScript, compiled by asc.

// Constants come out of memory: V8 makes a v128.const anew at each use, three instructions in an innermost loop.

/** Half of one level, so that >> 22 rounds. */
const halves = memory.data<i32>([1 << 21, 1 << 21, 1 << 21, 1 << 21], 16);

const evenBytes = memory.data<u32>([0x00ff00ff, 0x00ff00ff, 0x00ff00ff, 0x00ff00ff], 16);

/** Of 4 RGB pixels, the columns of each channel side by side: the 16-bit units that are interleaved over the rows. */
const pairOrder3 = memory.data<u8>([0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11, 255, 255, 255, 255], 16);

/** The same of 4 RGBA pixels. */
const pairOrder4 = memory.data<u8>([0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15], 16);

const halfLevels = memory.data<u16>([128, 128, 128, 128, 128, 128, 128, 128], 16);
const topLevels = memory.data<i32>([255, 255, 255, 255], 16);
const opaqueAlphas = memory.data<u16>([0, 0, 0, 255, 0, 0, 0, 255], 16);
const alphasOfLowPixels = memory.data<u8>([3, 255, 3, 255, 3, 255, 255, 255, 7, 255, 7, 255, 7, 255, 255, 255], 16);
const alphasOfHighPixels = memory.data<u8>(
  [11, 255, 11, 255, 11, 255, 255, 255, 15, 255, 15, 255, 15, 255, 255, 255],
  16,
);

const lumaHalf = memory.data<i32>([1 << 15, 1 << 15, 1 << 15, 1 << 15], 16);
const lumaRedGreen = memory.data<u8>([0, 255, 1, 255, 3, 255, 4, 255, 6, 255, 7, 255, 9, 255, 10, 255], 16);
const lumaGreenBlue = memory.data<u8>([1, 255, 2, 255, 4, 255, 5, 255, 7, 255, 8, 255, 10, 255, 11, 255], 16);
const lumaRedGreenWeights = memory.data<u16>([19595, 19235, 19595, 19235, 19595, 19235, 19595, 19235], 16);
const lumaGreenBlueWeights = memory.data<u16>([19235, 7471, 19235, 7471, 19235, 7471, 19235, 7471], 16);

// @ts-ignore
@inline
function dot(sum: v128, pixels: v128, weights: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(pixels, weights));
}

/** Joins the two sums and drops the fraction; clipping to 0…255 is narrow's. */
// @ts-ignore
@inline
function level(low: v128, high: v128): v128 {
  return i32x4.shr_s(i32x4.add(low, i32x4.shl(high, 16)), 22);
}

// @ts-ignore
@inline
function narrow(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}

/**
 * One quad of RGB rows through the horizontal pass.
 *
 * @param table for each column: u32 index of its first pair in `source`, then `pairs` × (u32 low, u32 high)
 * @param out one quad of the intermediate; up to 4 bytes behind its end are overwritten
 */
export function horizontal3(source: usize, table: usize, pairs: i32, out: usize, columns: i32): void {
  const rounded = v128.load(halves);
  for (const end = out + <usize>columns * 12; out < end; out += 12) {
    let p = source + <usize>load<u32>(table) * 24;
    table += 4;
    let low0 = rounded;
    let low1 = rounded;
    let low2 = rounded;
    let high0 = i32x4.splat(0);
    let high1 = i32x4.splat(0);
    let high2 = i32x4.splat(0);
    for (const stop = table + (<usize>pairs << 3); table < stop; table += 8) {
      const low = v128.load32_splat(table);
      const high = v128.load32_splat(table, 4);
      const c0 = v128.load8x8_u(p);
      const c1 = v128.load8x8_u(p, 8);
      const c2 = v128.load8x8_u(p, 16);
      low0 = dot(low0, c0, low);
      high0 = dot(high0, c0, high);
      low1 = dot(low1, c1, low);
      high1 = dot(high1, c1, high);
      low2 = dot(low2, c2, low);
      high2 = dot(high2, c2, high);
      p += 24;
    }
    const last = level(low2, high2);
    v128.store(out, narrow(level(low0, high0), level(low1, high1), last, last));
  }
}

/** One quad of RGBA rows (`grayStride` 0), or four quads of gray rows that lie `grayStride` bytes apart. */
export function horizontal4(
  source: usize,
  table: usize,
  pairs: i32,
  out: usize,
  columns: i32,
  grayStride: usize,
): void {
  const rounded = v128.load(halves);
  const out1 = grayStride;
  const out2 = grayStride * 2;
  const out3 = grayStride * 3;
  for (let column = 0; column < columns; column++) {
    let p = source + (<usize>load<u32>(table) << 5);
    table += 4;
    let low0 = rounded;
    let low1 = rounded;
    let low2 = rounded;
    let low3 = rounded;
    let high0 = i32x4.splat(0);
    let high1 = i32x4.splat(0);
    let high2 = i32x4.splat(0);
    let high3 = i32x4.splat(0);
    for (const stop = table + (<usize>pairs << 3); table < stop; table += 8) {
      const low = v128.load32_splat(table);
      const high = v128.load32_splat(table, 4);
      const c0 = v128.load8x8_u(p);
      low0 = dot(low0, c0, low);
      high0 = dot(high0, c0, high);
      const c1 = v128.load8x8_u(p, 8);
      low1 = dot(low1, c1, low);
      high1 = dot(high1, c1, high);
      const c2 = v128.load8x8_u(p, 16);
      low2 = dot(low2, c2, low);
      high2 = dot(high2, c2, high);
      const c3 = v128.load8x8_u(p, 24);
      low3 = dot(low3, c3, low);
      high3 = dot(high3, c3, high);
      p += 32;
    }
    const bytes = narrow(level(low0, high0), level(low1, high1), level(low2, high2), level(low3, high3));
    if (grayStride == 0) {
      v128.store(out, bytes);
      out += 16;
    } else {
      v128.store32_lane(out, bytes, 0);
      v128.store32_lane(out + out1, bytes, 1);
      v128.store32_lane(out + out2, bytes, 2);
      v128.store32_lane(out + out3, bytes, 3);
      out += 4;
    }
  }
}

/**
 * One row of the result through the vertical pass.
 *
 * @param first the first quad that the row needs, inside the ring of quads from `ring` to `ringEnd`
 * @param table `quads` × (u32 low of rows 0 and 2, low of 1 and 3, high of 0 and 2, high of 1 and 3)
 * @param out the row; up to 15 bytes behind its end are overwritten
 */
export function vertical(
  first: usize,
  ring: usize,
  ringEnd: usize,
  stride: usize,
  table: usize,
  quads: i32,
  out: usize,
  values: i32,
): void {
  const rounded = v128.load(halves);
  const even = v128.load(evenBytes);
  const tableEnd = table + (<usize>quads << 4);
  for (const end = out + values; out < end; out += 16) {
    let low0 = rounded;
    let low1 = rounded;
    let low2 = rounded;
    let low3 = rounded;
    let high0 = i32x4.splat(0);
    let high1 = i32x4.splat(0);
    let high2 = i32x4.splat(0);
    let high3 = i32x4.splat(0);
    let p = first;
    for (let w = table; w < tableEnd; w += 16) {
      const lowEven = v128.load32_splat(w);
      const lowOdd = v128.load32_splat(w, 4);
      const highEven = v128.load32_splat(w, 8);
      const highOdd = v128.load32_splat(w, 12);
      let rows = v128.load(p);
      let pixels = v128.and(rows, even);
      low0 = dot(low0, pixels, lowEven);
      high0 = dot(high0, pixels, highEven);
      pixels = i16x8.shr_u(rows, 8);
      low0 = dot(low0, pixels, lowOdd);
      high0 = dot(high0, pixels, highOdd);
      rows = v128.load(p, 16);
      pixels = v128.and(rows, even);
      low1 = dot(low1, pixels, lowEven);
      high1 = dot(high1, pixels, highEven);
      pixels = i16x8.shr_u(rows, 8);
      low1 = dot(low1, pixels, lowOdd);
      high1 = dot(high1, pixels, highOdd);
      rows = v128.load(p, 32);
      pixels = v128.and(rows, even);
      low2 = dot(low2, pixels, lowEven);
      high2 = dot(high2, pixels, highEven);
      pixels = i16x8.shr_u(rows, 8);
      low2 = dot(low2, pixels, lowOdd);
      high2 = dot(high2, pixels, highOdd);
      rows = v128.load(p, 48);
      pixels = v128.and(rows, even);
      low3 = dot(low3, pixels, lowEven);
      high3 = dot(high3, pixels, highEven);
      pixels = i16x8.shr_u(rows, 8);
      low3 = dot(low3, pixels, lowOdd);
      high3 = dot(high3, pixels, highOdd);
      p += stride;
      if (p >= ringEnd) p = p - ringEnd + ring;
    }
    v128.store(out, narrow(level(low0, high0), level(low1, high1), level(low2, high2), level(low3, high3)));
    first += 64;
  }
}

// @ts-ignore
@inline
function low16(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

// @ts-ignore
@inline
function high16(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

// @ts-ignore
@inline
function low32(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 4, 1, 5);
}

// @ts-ignore
@inline
function high32(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 2, 6, 3, 7);
}

/**
 * Four rows of RGB, `stride` bytes apart, as [pair][unit].
 *
 * @param pairs an even number; every row is read to 4 bytes behind its last pair
 */
export function pair3(rows: usize, stride: usize, out: usize, pairs: i32): void {
  const order = v128.load(pairOrder3);
  const stride3 = stride * 3;
  for (const end = out + <usize>pairs * 24; out < end; out += 48) {
    const r0 = i8x16.swizzle(v128.load(rows), order);
    const r1 = i8x16.swizzle(v128.load(rows + stride), order);
    const r2 = i8x16.swizzle(v128.load(rows + stride * 2), order);
    const r3 = i8x16.swizzle(v128.load(rows + stride3), order);
    const a = low16(r0, r1);
    const b = low16(r2, r3);
    v128.store(out, low32(a, b));
    v128.store(out, high32(a, b), 16);
    v128.store(out, low32(high16(r0, r1), high16(r2, r3)), 32);
    rows += 12;
  }
}

/** Four rows of RGBA, `stride` bytes apart, as [pair][unit]. `pairs` is an even number. */
export function pair4(rows: usize, stride: usize, out: usize, pairs: i32): void {
  const order = v128.load(pairOrder4);
  const stride3 = stride * 3;
  for (const end = out + (<usize>pairs << 5); out < end; out += 64) {
    const r0 = i8x16.swizzle(v128.load(rows), order);
    const r1 = i8x16.swizzle(v128.load(rows + stride), order);
    const r2 = i8x16.swizzle(v128.load(rows + stride * 2), order);
    const r3 = i8x16.swizzle(v128.load(rows + stride3), order);
    let a = low16(r0, r1);
    let b = low16(r2, r3);
    v128.store(out, low32(a, b));
    v128.store(out, high32(a, b), 16);
    a = high16(r0, r1);
    b = high16(r2, r3);
    v128.store(out, low32(a, b), 32);
    v128.store(out, high32(a, b), 48);
    rows += 16;
  }
}

/**
 * Four quads of gray rows, `stride` bytes apart, as [pair][unit], each unit another quad.
 *
 * @param pairs a multiple of 8
 */
export function pair1(rows: usize, stride: usize, out: usize, pairs: i32): void {
  for (let quad = 0; quad < 4; quad++) {
    let r = rows;
    for (let o = out, end = out + (<usize>pairs << 5); o < end; o += 256) {
      const r0 = v128.load(r);
      const r1 = v128.load(r + stride);
      const r2 = v128.load(r + stride * 2);
      const r3 = v128.load(r + stride * 3);
      let a = low16(r0, r1);
      let b = low16(r2, r3);
      let two = low32(a, b);
      v128.store64_lane(o, two, 0);
      v128.store64_lane(o, two, 1, 32);
      two = high32(a, b);
      v128.store64_lane(o, two, 0, 64);
      v128.store64_lane(o, two, 1, 96);
      a = high16(r0, r1);
      b = high16(r2, r3);
      two = low32(a, b);
      v128.store64_lane(o, two, 0, 128);
      v128.store64_lane(o, two, 1, 160);
      two = high32(a, b);
      v128.store64_lane(o, two, 0, 192);
      v128.store64_lane(o, two, 1, 224);
      r += 16;
    }
    rows += stride * 4;
    out += 8;
  }
}

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

// @ts-ignore
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
  const half = v128.load(lumaHalf);
  const redGreen = v128.load(lumaRedGreen);
  const greenBlue = v128.load(lumaGreenBlue);
  const weights = v128.load(lumaRedGreenWeights);
  const weights2 = v128.load(lumaGreenBlueWeights);
  for (const end = out + pixels; out < end; out += 16) {
    const a = lumaOf4(v128.load(rgb), redGreen, greenBlue, half, weights, weights2);
    const b = lumaOf4(v128.load(rgb, 12), redGreen, greenBlue, half, weights, weights2);
    const c = lumaOf4(v128.load(rgb, 24), redGreen, greenBlue, half, weights, weights2);
    const d = lumaOf4(v128.load(rgb, 36), redGreen, greenBlue, half, weights, weights2);
    v128.store(out, narrow(a, b, c, d));
    rgb += 48;
  }
}
