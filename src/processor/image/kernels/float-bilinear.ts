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
 * @param alignsCorners - whether the outermost results are the outermost samples: align_corners of PyTorch
 */
export function linearTaps(from: number, to: number, isFused = true, alignsCorners = false): Taps {
  const first = new Uint32Array(to);
  const second = new Uint32Array(to);
  const weight = new Float32Array(to);
  const scale = alignsCorners ? alignedScale(from, to) : Math.fround(from / to);
  for (let at = 0; at < to; at++) {
    const position = alignsCorners
      ? Math.fround(scale * at)
      : Math.max(0, positionOf(scale * (at + 0.5), isFused));
    const index = Math.min(Math.floor(position), from - 1);
    first[at] = index;
    second[at] = Math.min(index + 1, from - 1);
    weight[at] = Math.min(1, Math.fround(position - index));
  }
  return { first, second, weight };
}

function positionOf(product: number, isFused: boolean): number {
  return Math.fround((isFused ? product : Math.fround(product)) - 0.5);
}

/** `area_pixel_compute_scale` of PyTorch with align_corners: a result of one sample is the first one. */
export function alignedScale(from: number, to: number): number {
  return to > 1 ? Math.fround((from - 1) / (to - 1)) : 0;
}
