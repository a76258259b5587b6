import { dot, narrow } from './lanes';

// The two passes of Pillow's resampling.
//
// Weights have 22 fraction bits, too many for the cheapest multiply-add (i16 × i16, two products to an i32
// lane). So each weight is high · 2¹⁶ + low with both halves in i16; the halves are summed apart and joined at
// the end. All of it is modulo 2³², where Pillow's own sums don't overflow: the result is the same integer.

// Constants are loaded from memory: V8 builds a v128.const again at each use, three instructions in an innermost loop.

/** Half of one level, so that >> 22 rounds. */
const halves = memory.data<i32>([1 << 21, 1 << 21, 1 << 21, 1 << 21], 16);

const evenBytes = memory.data<u32>([0x00ff00ff, 0x00ff00ff, 0x00ff00ff, 0x00ff00ff], 16);

/** Joins the two sums and drops the fraction; clipping to 0…255 is narrow's. */
@inline
function level(low: v128, high: v128): v128 {
  return i32x4.shr_s(i32x4.add(low, i32x4.shl(high, 16)), 22);
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
