/** A line through points, and how sure it is. */
export interface Slope {
  readonly perSecond: number;
  /** Half of the 99 % confidence interval's width. */
  readonly noise: number;
}

/**
 * A line by ordinary least squares; its noise is the standard error of the slope times Student's t.
 *
 * The error takes the points for independent of each other; of samples a second apart, which aren't, give it the medians
 * of blocks.
 *
 * @param points - [second, value], at least 8
 */
export function leastSquares(points: readonly (readonly [second: number, value: number])[]): Slope {
  const count = points.length;
  const meanOf = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0) / count;
  const [meanX, meanY] = [meanOf(0), meanOf(1)];
  const sumOf = (figureOf: (x: number, y: number) => number) =>
    points.reduce((sum, [x, y]) => sum + figureOf(x - meanX, y - meanY), 0);
  const spread = sumOf((x) => x * x);
  const perSecond = sumOf((x, y) => x * y) / spread;
  const residuals = sumOf((x, y) => (y - perSecond * x) ** 2);
  const standardError = Math.sqrt(residuals / (count - 2) / spread);
  return { perSecond, noise: standardError * studentT(count - 2) };
}

/** The two-sided 99 % quantile, by Hill's expansion about the normal's 2.576; 0.3 % off at 6 degrees, less above. */
function studentT(degrees: number): number {
  const z = 2.5758;
  return (
    z +
    (z ** 3 + z) / (4 * degrees) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * degrees ** 3)
  );
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

/** The measurements of a process, or of several together. */
export interface Growth extends Slope {
  readonly requestsPerSecond: number;
  readonly seconds: number;
  readonly processes: number;
}

/** Bytes that a request may leave behind in each process. */
export const mostBytesPerRequest = 64;

/** Less than this is pages that come and go, whatever the line says. Bytes for each process. */
const leastGrowth = 1024 ** 2;

/**
 * Whether memory grows: by more bytes a request than it may even at the lower end of the slope's interval.
 *
 * @returns `unknown` for an interval that is too wide for the run to tell
 */
export function judge({ perSecond, noise, requestsPerSecond, seconds, processes }: Growth) {
  const limit = mostBytesPerRequest * processes;
  const grows =
    (perSecond - noise) / requestsPerSecond > limit && perSecond * seconds > leastGrowth * processes;
  if (grows) return 'grows';
  return (perSecond + noise) / requestsPerSecond <= limit ? 'flat' : 'unknown';
}
