/*
 * The filters of PNG (W3C PNG, clause 9) for rows of 8-bit samples. A filter stores each byte minus a prediction from its
 * left neighbour `a`, the byte above `b` and the one above the left neighbour `c`. Left of the image they are 0.
 */

/**
 * Filters rows, each by the filter whose residues, as signed bytes, have the smallest sum of absolute values.
 *
 * @param above - the row above the first
 * @param rows - rows of bytes without padding
 * @param out - for each row its filter's number and its residues
 * @param step - bytes per pixel
 */
export function filterRows(above: usize, rows: usize, out: usize, count: i32, bytes: i32, step: i32): void {
  for (let y = 0; y < count; y++) {
    const type = bestFilter(rows, above, bytes, step);
    store<u8>(out, type as u8);
    writeResidues(type, rows, above, out + 1, bytes, step);
    above = rows;
    rows += bytes;
    out += bytes + 1;
  }
}

function bestFilter(row: usize, above: usize, bytes: i32, step: i32): i32 {
  let none = i32x4.splat(0);
  let sub = i32x4.splat(0);
  let up = i32x4.splat(0);
  let average = i32x4.splat(0);
  let paeth = i32x4.splat(0);
  let x = min(step, bytes);
  for (; x + 16 <= bytes; x += 16) {
    const value = v128.load(row + x);
    const a = v128.load(row + x - step);
    const b = v128.load(above + x);
    const c = v128.load(above + x - step);
    none = i32x4.add(none, magnitudes(value));
    sub = i32x4.add(sub, magnitudes(i8x16.sub(value, a)));
    up = i32x4.add(up, magnitudes(i8x16.sub(value, b)));
    average = i32x4.add(average, magnitudes(i8x16.sub(value, averages(a, b))));
    paeth = i32x4.add(paeth, magnitudes(i8x16.sub(value, paeths(a, b, c))));
  }
  let best = 0;
  let least = i32.MAX_VALUE;
  for (let type = 0; type < 5; type++) {
    const vector = type === 0 ? none : type === 1 ? sub : type === 2 ? up : type === 3 ? average : paeth;
    let sum =
      i32x4.extract_lane(vector, 0) +
      i32x4.extract_lane(vector, 1) +
      i32x4.extract_lane(vector, 2) +
      i32x4.extract_lane(vector, 3);
    for (let at = 0; at < min(step, bytes); at++) sum += magnitude(residue(type, row, above, at, step));
    for (let at = x; at < bytes; at++) sum += magnitude(residue(type, row, above, at, step));
    if (sum < least) {
      least = sum;
      best = type;
    }
  }
  return best;
}

function writeResidues(type: i32, row: usize, above: usize, out: usize, bytes: i32, step: i32): void {
  if (type === 0) {
    memory.copy(out, row, bytes);
    return;
  }
  const start = min(step, bytes);
  for (let x = 0; x < start; x++) store<u8>(out + x, residue(type, row, above, x, step));
  let x = start;
  for (; x + 16 <= bytes; x += 16) {
    const value = v128.load(row + x);
    const a = v128.load(row + x - step);
    const b = v128.load(above + x);
    let prediction = a;
    if (type === 2) prediction = b;
    else if (type === 3) prediction = averages(a, b);
    else if (type === 4) prediction = paeths(a, b, v128.load(above + x - step));
    v128.store(out + x, i8x16.sub(value, prediction));
  }
  for (; x < bytes; x++) store<u8>(out + x, residue(type, row, above, x, step));
}

function residue(type: i32, row: usize, above: usize, x: i32, step: i32): u8 {
  const value = load<u8>(row + x) as i32;
  const b = load<u8>(above + x) as i32;
  const a = x < step ? 0 : (load<u8>(row + x - step) as i32);
  const c = x < step ? 0 : (load<u8>(above + x - step) as i32);
  if (type === 0) return value as u8;
  if (type === 1) return (value - a) as u8;
  if (type === 2) return (value - b) as u8;
  if (type === 3) return (value - ((a + b) >> 1)) as u8;
  const pa = abs(b - c);
  const pb = abs(a - c);
  const pc = abs(a + b - 2 * c);
  return (value - (pa <= pb && pa <= pc ? a : pb <= pc ? b : c)) as u8;
}

function magnitude(residue: u8): i32 {
  return residue < 128 ? residue : 256 - (residue as i32);
}

/** The sums of the absolute values of 16 signed bytes, in 4 parts. */
// @ts-ignore: decorator
@inline
function magnitudes(residues: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(i8x16.abs(residues)));
}

/** ⌊(a + b) / 2⌋; the instruction rounds up. */
// @ts-ignore: decorator
@inline
function averages(a: v128, b: v128): v128 {
  return i8x16.sub(i8x16.avgr_u(a, b), v128.and(v128.xor(a, b), i8x16.splat(1)));
}

/** Paeth's predictor. |a + b − 2c| is saturated at 255, which changes no comparison. */
// @ts-ignore: decorator
@inline
function paeths(a: v128, b: v128, c: v128): v128 {
  const pa = distances(b, c);
  const pb = distances(a, c);
  const areOpposite = v128.xor(i8x16.gt_u(a, c), i8x16.gt_u(b, c));
  const pc = v128.bitselect(distances(pa, pb), i8x16.add_sat_u(pa, pb), areOpposite);
  const isLeft = v128.and(i8x16.le_u(pa, pb), i8x16.le_u(pa, pc));
  return v128.bitselect(a, v128.bitselect(b, c, i8x16.le_u(pb, pc)), isLeft);
}

// @ts-ignore: decorator
@inline
function distances(a: v128, b: v128): v128 {
  return v128.or(i8x16.sub_sat_u(a, b), i8x16.sub_sat_u(b, a));
}
