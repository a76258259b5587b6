/** A line through points, and how sure it is. */
export interface Slope {
  /** Median of the slopes between all pairs of points. */
  readonly perSecond: number;
  /** Half of the 99 % confidence interval's width. */
  readonly noise: number;
}

/**
 * Theil–Sen: the median of the slopes between all pairs, which a third of wild points don't move (H. Theil 1950,
 * P. K. Sen 1968), with Sen's interval from the variance of Kendall's S without ties, n(n − 1)(2n + 5)/18.
 *
 * The interval takes the points for independent of each other; of samples a second apart, which aren't, give it the
 * medians of blocks.
 *
 * @param points - [second, value], at least 8
 */
export function theilSen(points: readonly (readonly [second: number, value: number])[]): Slope {
  const slopes = points
    .flatMap(([x, y], at) => points.slice(at + 1).map(([laterX, laterY]) => (laterY - y) / (laterX - x)))
    .toSorted((a, b) => a - b);
  const count = points.length;
  const z = 2.576;
  const spread = z * Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
  const at = (index: number) =>
    slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(index)))] ?? Number.NaN;
  const [low, high] = [at((slopes.length - spread) / 2), at((slopes.length + spread) / 2)];
  return { perSecond: at((slopes.length - 1) / 2), noise: (high - low) / 2 };
}

/** The median of each of `count` blocks of equal length, at the middle of its time. */
export function blockMedians(
  points: readonly (readonly [second: number, value: number])[],
  count: number,
): [second: number, value: number][] {
  return Array.from({ length: count }, (_, block) => {
    const from = Math.floor((block * points.length) / count);
    const part = points.slice(from, Math.floor(((block + 1) * points.length) / count));
    const middle = (values: readonly number[]): number =>
      values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
    return [middle(part.map(([second]) => second)), middle(part.map(([, value]) => value))];
  });
}
