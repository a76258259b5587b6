import { dot, narrow } from './lanes';

// The steps of OpenCV's resize of uint8. A value is 4 bytes while it is worked on; the lanes beyond an image's
// channels hold anything.

const twos = memory.data<i32>([2, 2, 2, 2], 16);

/** For 1, 3 and 4 channels, each channel of pixels 0 and 1 side by side as i16, then those of pixels 2 and 3. */
const tapOrders = memory.data<u8>(
  [
    0, 255, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2, 255, 3, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 0, 255, 3, 255, 1, 255, 4, 255, 2, 255, 5, 255, 255, 255, 255, 255, 6,
    255, 9, 255, 7, 255, 10, 255, 8, 255, 11, 255, 255, 255, 255, 255, 0, 255, 4, 255, 1, 255, 5, 255, 2, 255, 6,
    255, 3, 255, 7, 255, 8, 255, 12, 255, 9, 255, 13, 255, 10, 255, 14, 255, 11, 255, 15, 255,
  ],
  16,
);

@inline
function tapOrder(channels: i32): usize {
  return tapOrders + (channels == 1 ? 0 : channels == 3 ? 32 : 64);
}

/** The four bytes at an address, each in a lane. */
@inline
function lanesAt(p: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(p)));
}

/** Stores the four bytes of each column where its channels belong; what is beyond them the next column overwrites. */
@inline
function storeColumn(out: usize, levels: v128): void {
  v128.store32_lane(out, narrow(levels, levels, levels, levels), 0);
}

/** Rounds half to even. */
@inline
function rounded(values: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(values));
}

/**
 * Weighs two or four neighbouring pixels of a row.
 *
 * @param table for each column: u32 bytes from `source` to its first pixel, then four i16 weights
 * @param out a row of i32; up to 12 bytes behind its end are overwritten
 */
export function weighTaps(source: usize, table: usize, out: usize, columns: i32, channels: i32): void {
  const order = v128.load(tapOrder(channels));
  const order2 = v128.load(tapOrder(channels), 16);
  const zero = i32x4.splat(0);
  for (const end = table + <usize>columns * 12; table < end; table += 12) {
    const pixels = v128.load(source + <usize>load<u32>(table));
    const first = dot(zero, i8x16.swizzle(pixels, order), v128.load32_splat(table, 4));
    v128.store(out, dot(first, i8x16.swizzle(pixels, order2), v128.load32_splat(table, 8)));
    out += <usize>channels << 2;
  }
}

@inline
function linearOf4(upper: usize, lower: usize, upperWeight: v128, lowerWeight: v128): v128 {
  const a = i32x4.shr_s(i32x4.mul(i32x4.shr_s(v128.load(upper), 4), upperWeight), 16);
  const b = i32x4.shr_s(i32x4.mul(i32x4.shr_s(v128.load(lower), 4), lowerWeight), 16);
  return i32x4.shr_s(i32x4.add(i32x4.add(a, b), v128.load(twos)), 2);
}

/**
 * One row of the result of two weighed rows: VResizeLinear of uint8.
 *
 * @param values rounded up to 16
 */
export function linearRow(
  upper: usize,
  lower: usize,
  upperWeight: i32,
  lowerWeight: i32,
  out: usize,
  values: i32,
): void {
  const weights = i32x4.splat(upperWeight);
  const weights2 = i32x4.splat(lowerWeight);
  for (const end = out + values; out < end; out += 16) {
    v128.store(
      out,
      narrow(
        linearOf4(upper, lower, weights, weights2),
        linearOf4(upper + 16, lower + 16, weights, weights2),
        linearOf4(upper + 32, lower + 32, weights, weights2),
        linearOf4(upper + 48, lower + 48, weights, weights2),
      ),
    );
    upper += 64;
    lower += 64;
  }
}

/** Weights of a row of the result have 2 · 11 fraction bits by then. */
const cubicScale: f32 = 1.0 / (2048.0 * 2048.0);

@inline
function weighed(row: usize, weight: f32): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(v128.load(row)), f32x4.splat(weight * cubicScale));
}

/**
 * One row of the result of four weighed rows: VResizeCubic of uint8. OpenCV weighs whole vectors of 8 values in
 * single precision and what is left of the row in whole numbers.
 *
 * @param floats how many of the values are weighed in single precision
 */
export function cubicRow(
  row0: usize,
  row1: usize,
  row2: usize,
  row3: usize,
  weight0: i32,
  weight1: i32,
  weight2: i32,
  weight3: i32,
  out: usize,
  values: i32,
  floats: i32,
): void {
  for (let at = 0; at < floats; at += 4) {
    const from = <usize>at << 2;
    const sum = f32x4.add(
      weighed(row0 + from, <f32>weight0),
      f32x4.add(
        weighed(row1 + from, <f32>weight1),
        f32x4.add(weighed(row2 + from, <f32>weight2), weighed(row3 + from, <f32>weight3)),
      ),
    );
    storeColumn(out + at, rounded(sum));
  }
  for (let at = floats; at < values; at++) {
    const from = <usize>at << 2;
    const sum =
      load<i32>(row0 + from) * weight0 +
      load<i32>(row1 + from) * weight1 +
      load<i32>(row2 + from) * weight2 +
      load<i32>(row3 + from) * weight3;
    store<u8>(out + at, <u8>max(0, min(255, (sum + (1 << 21)) >> 22)));
  }
}

/**
 * Adds each column's `factor` pixels of a row to its sums, four i32 a column.
 *
 * @param source its first pixel of the first column
 */
export function addPixels(source: usize, sums: usize, columns: i32, channels: i32, factor: i32): void {
  for (const end = sums + (<usize>columns << 4); sums < end; sums += 16) {
    let sum = v128.load(sums);
    for (let pixel = 0; pixel < factor; pixel++) {
      sum = i32x4.add(sum, lanesAt(source));
      source += channels;
    }
    v128.store(sums, sum);
  }
}

/** A row of the result of sums of 2 × 2 pixels. Up to 3 bytes behind its end are overwritten. */
export function quarterSums(sums: usize, out: usize, columns: i32, channels: i32): void {
  for (const end = sums + (<usize>columns << 4); sums < end; sums += 16) {
    storeColumn(out, i32x4.shr_s(i32x4.add(v128.load(sums), v128.load(twos)), 2));
    out += channels;
  }
}

/** A row of the result of sums of more pixels, each `scale` of a level. Up to 3 bytes behind its end are overwritten. */
export function scaleSums(sums: usize, out: usize, columns: i32, channels: i32, scale: f32): void {
  const scales = f32x4.splat(scale);
  for (const end = sums + (<usize>columns << 4); sums < end; sums += 16) {
    storeColumn(out, rounded(f32x4.mul(f32x4.convert_i32x4_s(v128.load(sums)), scales)));
    out += channels;
  }
}

/**
 * Weighs each column's pixels of a row in single precision.
 *
 * @param table for each column: u32 bytes from `source` to its first pixel, u32 how many, then a weight for each
 * @param out four f32 a column
 */
export function weighPixels(source: usize, table: usize, out: usize, columns: i32, channels: i32): void {
  for (const end = out + (<usize>columns << 4); out < end; out += 16) {
    let p = source + <usize>load<u32>(table);
    const stop = table + 8 + (<usize>load<u32>(table, 4) << 2);
    let sum = f32x4.splat(0);
    for (table += 8; table < stop; table += 4) {
      sum = f32x4.add(sum, f32x4.mul(f32x4.convert_i32x4_s(lanesAt(p)), v128.load32_splat(table)));
      p += channels;
    }
    v128.store(out, sum);
  }
}

/** Adds a weighed row to sums, four f32 a column. */
export function addWeighed(row: usize, sums: usize, columns: i32, weight: f32): void {
  const weights = f32x4.splat(weight);
  for (const end = sums + (<usize>columns << 4); sums < end; sums += 16) {
    v128.store(sums, f32x4.add(v128.load(sums), f32x4.mul(v128.load(row), weights)));
    row += 16;
  }
}

/** A row of the result of weighed sums. Up to 3 bytes behind its end are overwritten. */
export function roundSums(sums: usize, out: usize, columns: i32, channels: i32): void {
  for (const end = sums + (<usize>columns << 4); sums < end; sums += 16) {
    storeColumn(out, rounded(v128.load(sums)));
    out += channels;
  }
}
