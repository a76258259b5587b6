/** How far two images of one size are from one another, in levels of 0 to 255. */
export interface Difference {
  readonly max: number;
  /** Over all values of R, G and B. */
  readonly mean: number;
  /** The share of values that differ at all, 0 to 1. */
  readonly shareDifferent: number;
  /** The share of values that differ by more than one level, 0 to 1. */
  readonly shareOverOne: number;
  /** The largest difference of a pixel's three values, [height, width]. */
  readonly perPixel: Uint8Array;
}

/**
 * Compares two images.
 *
 * @param a - [height, width, 4] uint8; alpha is not compared
 * @param b - the same
 */
export function differenceOf(a: Uint8ClampedArray, b: Uint8ClampedArray): Difference {
  if (a.length !== b.length) throw new Error('The images have different sizes.');
  const pixels = a.length / 4;
  const perPixel = new Uint8Array(pixels);
  let max = 0;
  let sum = 0;
  let different = 0;
  let overOne = 0;
  for (let pixel = 0; pixel < pixels; pixel++) {
    let most = 0;
    for (let channel = 0; channel < 3; channel++) {
      const at = 4 * pixel + channel;
      const distance = Math.abs((a[at] ?? 0) - (b[at] ?? 0));
      sum += distance;
      if (distance > 0) different += 1;
      if (distance > 1) overOne += 1;
      if (distance > most) most = distance;
    }
    perPixel[pixel] = most;
    if (most > max) max = most;
  }
  const values = 3 * pixels;
  return {
    max,
    mean: sum / values,
    shareDifferent: different / values,
    shareOverOne: overOne / values,
    perPixel,
  };
}

/** Stops of the colour scale from no difference to the largest: black, violet, red, orange, pale yellow. */
const stops = [
  [8, 8, 16],
  [66, 10, 104],
  [147, 38, 103],
  [221, 81, 58],
  [252, 165, 10],
  [252, 255, 164],
] as const;

/** A colour of the scale. @param share - 0 for no difference to 1 for the largest */
export function heatColour(share: number): [red: number, green: number, blue: number] {
  const at = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const from = stops[Math.floor(at)] ?? stops[0];
  const to = stops[Math.ceil(at)] ?? from;
  const mixed = (channel: 0 | 1 | 2) =>
    Math.round(from[channel] + (to[channel] - from[channel]) * (at - Math.floor(at)));
  return [mixed(0), mixed(1), mixed(2)];
}
