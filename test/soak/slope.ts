/** A line through points, and how sure it is. */
export interface Slope {
  readonly perStep: number;
  /** Half of the 99 % confidence interval's width. */
  readonly noise: number;
}

/**
 * A line by ordinary least squares; its noise is the standard error of the slope times Student's t.
 *
 * @param points - [step, value], at least 8, independent of each other
 */
export function leastSquares(points: readonly (readonly [step: number, value: number])[]): Slope {
  const count = points.length;
  const meanOf = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0) / count;
  const [meanX, meanY] = [meanOf(0), meanOf(1)];
  const sumOf = (figureOf: (x: number, y: number) => number) =>
    points.reduce((sum, [x, y]) => sum + figureOf(x - meanX, y - meanY), 0);
  const spread = sumOf((x) => x * x);
  const perStep = sumOf((x, y) => x * y) / spread;
  const residuals = sumOf((x, y) => (y - perStep * x) ** 2);
  const standardError = Math.sqrt(residuals / (count - 2) / spread);
  return { perStep, noise: standardError * studentT(count - 2) };
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

/** Bytes that a request may leave behind in each process. */
export const mostBytesPerRequest = 64;

/**
 * Whether memory in use grows: by more bytes a request than it may even at the lower end of the slope's interval.
 *
 * @param points - [requests so far, bytes], at least 8
 * @returns `unknown` for an interval that is too wide for the run to tell
 */
export function judgeLive(points: readonly (readonly [requests: number, bytes: number])[]) {
  const { perStep: perRequest, noise } = leastSquares(points);
  const verdict =
    perRequest - noise > mostBytesPerRequest
      ? 'grows'
      : perRequest + noise <= mostBytesPerRequest
        ? 'flat'
        : 'unknown';
  return { perRequest, noise, verdict } as const;
}

/** Pages come and go: at rest, a process without a leak has between 0 and this more than its least, in bytes. */
const mostComingAndGoing = 3 * 1024 ** 2;

/**
 * Whether memory at rest grows: whether the least of the second half is above the least of the first by more than the requests
 * between the halves may leave behind and by more than pages that come and go.
 *
 * @param points - [requests so far, bytes], at least 4
 */
export function judgeAtRest(points: readonly (readonly [requests: number, bytes: number])[]) {
  const half = Math.floor(points.length / 2);
  const least = (part: typeof points) => Math.min(...part.map(([, bytes]) => bytes));
  const [early, late] = [points.slice(0, half), points.slice(half)];
  const grown = least(late) - least(early);
  const requests = (late[0]?.[0] ?? 0) - (early[0]?.[0] ?? 0);
  const grows = grown > mostComingAndGoing + mostBytesPerRequest * requests;
  return { grown, verdict: grows ? 'grows' : 'flat' } as const;
}
