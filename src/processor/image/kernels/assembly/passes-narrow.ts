import { dot, narrow } from './lanes';

// The two passes with weights of 16 bits each: one multiply-add where passes.ts takes two. torch's weights are such.

const evenBytes = memory.data<u32>([0x00ff00ff, 0x00ff00ff, 0x00ff00ff, 0x00ff00ff], 16);

/** Drops the fraction; clipping to 0…255 is narrow's. */
@inline
function level(sum: v128, fractionBits: i32): v128 {
  return i32x4.shr_s(sum, fractionBits);
}

/** Half of one level, so that dropping the fraction rounds. */
@inline
function half(fractionBits: i32): v128 {
  return i32x4.splat(1 << (fractionBits - 1));
}

/**
 * One quad of RGB rows through the horizontal pass.
 *
 * @param table for each column: u32 index of its first pair in `source`, then `pairs` × (two i16)
 * @param out one quad of the intermediate; up to 4 bytes behind its end are overwritten
 */
export function horizontal3Narrow(
  source: usize,
  table: usize,
  pairs: i32,
  out: usize,
  columns: i32,
  fractionBits: i32,
): void {
  const rounded = half(fractionBits);
  for (const end = out + <usize>columns * 12; out < end; out += 12) {
    let p = source + <usize>load<u32>(table) * 24;
    table += 4;
    let sum0 = rounded;
    let sum1 = rounded;
    let sum2 = rounded;
    for (const stop = table + (<usize>pairs << 2); table < stop; table += 4) {
      const weights = v128.load32_splat(table);
      sum0 = dot(sum0, v128.load8x8_u(p), weights);
      sum1 = dot(sum1, v128.load8x8_u(p, 8), weights);
      sum2 = dot(sum2, v128.load8x8_u(p, 16), weights);
      p += 24;
    }
    const last = level(sum2, fractionBits);
    v128.store(out, narrow(level(sum0, fractionBits), level(sum1, fractionBits), last, last));
  }
}

/** One quad of RGBA rows (`grayStride` 0), or four quads of gray rows that lie `grayStride` bytes apart. */
export function horizontal4Narrow(
  source: usize,
  table: usize,
  pairs: i32,
  out: usize,
  columns: i32,
  grayStride: usize,
  fractionBits: i32,
): void {
  const rounded = half(fractionBits);
  const out1 = grayStride;
  const out2 = grayStride * 2;
  const out3 = grayStride * 3;
  for (let column = 0; column < columns; column++) {
    let p = source + (<usize>load<u32>(table) << 5);
    table += 4;
    let sum0 = rounded;
    let sum1 = rounded;
    let sum2 = rounded;
    let sum3 = rounded;
    for (const stop = table + (<usize>pairs << 2); table < stop; table += 4) {
      const weights = v128.load32_splat(table);
      sum0 = dot(sum0, v128.load8x8_u(p), weights);
      sum1 = dot(sum1, v128.load8x8_u(p, 8), weights);
      sum2 = dot(sum2, v128.load8x8_u(p, 16), weights);
      sum3 = dot(sum3, v128.load8x8_u(p, 24), weights);
      p += 32;
    }
    const bytes = narrow(
      level(sum0, fractionBits),
      level(sum1, fractionBits),
      level(sum2, fractionBits),
      level(sum3, fractionBits),
    );
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
 * @param table `quads` × (i16 of rows 0 and 2, i16 of rows 1 and 3)
 * @param out the row; up to 15 bytes behind its end are overwritten
 */
export function verticalNarrow(
  first: usize,
  ring: usize,
  ringEnd: usize,
  stride: usize,
  table: usize,
  quads: i32,
  out: usize,
  values: i32,
  fractionBits: i32,
): void {
  const rounded = half(fractionBits);
  const even = v128.load(evenBytes);
  const tableEnd = table + (<usize>quads << 3);
  for (const end = out + values; out < end; out += 16) {
    let sum0 = rounded;
    let sum1 = rounded;
    let sum2 = rounded;
    let sum3 = rounded;
    let p = first;
    for (let w = table; w < tableEnd; w += 8) {
      const evenRows = v128.load32_splat(w);
      const oddRows = v128.load32_splat(w, 4);
      let rows = v128.load(p);
      sum0 = dot(dot(sum0, v128.and(rows, even), evenRows), i16x8.shr_u(rows, 8), oddRows);
      rows = v128.load(p, 16);
      sum1 = dot(dot(sum1, v128.and(rows, even), evenRows), i16x8.shr_u(rows, 8), oddRows);
      rows = v128.load(p, 32);
      sum2 = dot(dot(sum2, v128.and(rows, even), evenRows), i16x8.shr_u(rows, 8), oddRows);
      rows = v128.load(p, 48);
      sum3 = dot(dot(sum3, v128.and(rows, even), evenRows), i16x8.shr_u(rows, 8), oddRows);
      p += stride;
      if (p >= ringEnd) p = p - ringEnd + ring;
    }
    v128.store(
      out,
      narrow(
        level(sum0, fractionBits),
        level(sum1, fractionBits),
        level(sum2, fractionBits),
        level(sum3, fractionBits),
      ),
    );
    first += 64;
  }
}
