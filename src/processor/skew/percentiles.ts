/** A percentile: so many percent of the values are at most this. */
export interface Percentile {
  readonly percent: number;
  readonly value: number;
}

/**
 * Percentiles by nearest rank, in time that grows with the number of values: only those that share the upper 16 bits of
 * an FP32 with the percentile are sorted.
 *
 * @param values - 0 or larger
 */
export function percentilesOf(values: Float64Array, percents: readonly number[]): readonly Percentile[] {
  const upperBits = new Uint16Array(values.length);
  const counts = new Uint32Array(2 ** 16);
  const bits = new Uint32Array(new Float32Array(values).buffer);
  for (let at = 0; at < bits.length; at++) {
    const upper = (bits[at] as number) >>> 16;
    upperBits[at] = upper;
    counts[upper] = (counts[upper] as number) + 1;
  }
  const sorted = new Map<number, Float64Array>();
  return percents.map((percent) => {
    let rank = Math.max(1, Math.ceil((percent / 100) * values.length));
    let bin = 0;
    while (bin < counts.length - 1 && rank > (counts[bin] as number)) rank -= counts[bin++] as number;
    const own = sorted.get(bin) ?? values.filter((_, at) => upperBits[at] === bin).sort();
    sorted.set(bin, own);
    return { percent, value: own[rank - 1] ?? 0 };
  });
}
