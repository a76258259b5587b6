/** A percentile: so many percent of the values are at most this. */
export interface Percentile {
  readonly percent: number;
  readonly value: number;
}

/**
 * Percentiles by nearest rank, in linear time: values are counted by the upper and then the lower half of their bits in
 * FP32, and only those that FP32 cannot tell apart are sorted.
 *
 * @param values - 0 or larger
 */
export function percentilesOf(values: Float64Array, percents: readonly number[]): readonly Percentile[] {
  const keys = new Uint32Array(new Float32Array(values).buffer);
  const uppers = new Uint32Array(2 ** 16);
  for (let at = 0; at < keys.length; at++) count(uppers, (keys[at] as number) >>> 16);
  return percents.map((percent) => {
    const rank = Math.max(1, Math.ceil((percent / 100) * values.length));
    const upper = placeOf(rank, uppers);
    const lowers = new Uint32Array(2 ** 16);
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at] as number;
      if (key >>> 16 === upper.index) count(lowers, key & 0xff_ff);
    }
    const lower = placeOf(upper.rank, lowers);
    const alike = valuesOfKey(values, keys, upper.index * 2 ** 16 + lower.index, lower.count);
    return { percent, value: alike[lower.rank - 1] ?? 0 };
  });
}

function count(counts: Uint32Array, index: number): void {
  counts[index] = (counts[index] as number) + 1;
}

/** Where a rank is among counted values: their index, their number, and the rank among them, from 1. */
function placeOf(rank: number, counts: Uint32Array): { index: number; count: number; rank: number } {
  let index = 0;
  let rest = rank;
  while (index < counts.length - 1 && rest > (counts[index] as number)) rest -= counts[index++] as number;
  return { index, count: counts[index] as number, rank: rest };
}

/** The values with a key, in order. */
function valuesOfKey(values: Float64Array, keys: Uint32Array, key: number, length: number): Float64Array {
  const alike = new Float64Array(length);
  let to = 0;
  let isSorted = true;
  for (let at = 0; to < length; at++) {
    if (keys[at] !== key) continue;
    if (to > 0 && (values[at] as number) < (alike[to - 1] as number)) isSorted = false;
    alike[to++] = values[at] as number;
  }
  return isSorted ? alike : alike.sort();
}
