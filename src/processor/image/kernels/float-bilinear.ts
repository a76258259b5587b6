/** The two samples that each value of an axis is computed from, and the weight of the second. */
export interface Taps {
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  readonly weight: Float32Array;
}

/**
 * The taps of an axis, in FP32.
 *
 * @param isFused - whether product and difference of a position are rounded once, as in the kernel for channels last,
 *   which PyTorch uses with one thread
 */
export function linearTaps(from: number, to: number, isFused = true): Taps {
  const first = new Uint32Array(to);
  const second = new Uint32Array(to);
  const weight = new Float32Array(to);
  const scale = Math.fround(from / to);
  for (let at = 0; at < to; at++) {
    const product = scale * (at + 0.5);
    const position = Math.max(0, Math.fround((isFused ? product : Math.fround(product)) - 0.5));
    const index = Math.min(Math.floor(position), from - 1);
    first[at] = index;
    second[at] = Math.min(index + 1, from - 1);
    weight[at] = Math.min(1, Math.fround(position - index));
  }
  return { first, second, weight };
}
