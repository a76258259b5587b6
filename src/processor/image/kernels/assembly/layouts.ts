import { high8, high16, high32, high64, low8, low16, low32, low64 } from './lanes';

// How pixels lie, so that the passes load them as they multiply them. A quad is 4 rows, a pair is 2
// neighbouring columns; a unit is 8 bytes of one channel: 4 rows × 2 columns, [row][column].
//   rows    [row][column · channels + channel]: as images are
//   paired  [pair][unit]: 3 units for RGB, 4 for RGBA, 4 for gray (of 4 quads, 16 rows)
//   quads   [quad][column · channels + channel][4 rows]
// The horizontal pass makes quads of paired rows; the vertical pass makes a row of quads.

/** Of 4 RGB pixels, the columns of each channel side by side: the 16-bit units that are interleaved over the rows. */
const pairOrder3 = memory.data<u8>([0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11, 255, 255, 255, 255], 16);

/** The same of 4 RGBA pixels. */
const pairOrder4 = memory.data<u8>([0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15], 16);

/** Of 4 values of a quad, those of each row side by side. */
const rowsTogether = memory.data<u8>([0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15], 16);

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

/** Four rows, `stride` bytes apart, to a quad. `bytes` of a row is rounded up to 16. */
export function quadOfRows(rows: usize, stride: usize, out: usize, bytes: i32): void {
  const stride3 = stride * 3;
  for (const end = rows + bytes; rows < end; rows += 16) {
    const r0 = v128.load(rows);
    const r1 = v128.load(rows + stride);
    const r2 = v128.load(rows + stride * 2);
    const r3 = v128.load(rows + stride3);
    let a = low8(r0, r1);
    let b = low8(r2, r3);
    v128.store(out, low16(a, b));
    v128.store(out, high16(a, b), 16);
    a = high8(r0, r1);
    b = high8(r2, r3);
    v128.store(out, low16(a, b), 32);
    v128.store(out, high16(a, b), 48);
    out += 64;
  }
}

/** A quad to four rows, `stride` bytes apart. `bytes` of a row is rounded up to 16. */
export function rowsOfQuad(quad: usize, out: usize, stride: usize, bytes: i32): void {
  const order = v128.load(rowsTogether);
  const stride3 = stride * 3;
  for (const end = out + bytes; out < end; out += 16) {
    const a = i8x16.swizzle(v128.load(quad), order);
    const b = i8x16.swizzle(v128.load(quad, 16), order);
    const c = i8x16.swizzle(v128.load(quad, 32), order);
    const d = i8x16.swizzle(v128.load(quad, 48), order);
    const ab = low32(a, b);
    const cd = low32(c, d);
    v128.store(out, low64(ab, cd));
    v128.store(out + stride, high64(ab, cd));
    const ab2 = high32(a, b);
    const cd2 = high32(c, d);
    v128.store(out + stride * 2, low64(ab2, cd2));
    v128.store(out + stride3, high64(ab2, cd2));
    quad += 64;
  }
}
