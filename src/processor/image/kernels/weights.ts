/** A resampling filter, by its name in Pillow; `nearest-exact` by its name in torch, which is the only library that has it. */
export type FilterName = 'nearest' | 'nearest-exact' | 'box' | 'bilinear' | 'hamming' | 'bicubic' | 'lanczos';

/** The filters that pick pixels; the others weigh them. */
export type PickingFilterName = 'nearest' | 'nearest-exact';

/** The filters that weigh pixels. */
export type WeighingFilterName = Exclude<FilterName, PickingFilterName>;

/** Whether a filter picks pixels. */
export function isPicking(filter: FilterName): filter is PickingFilterName {
  return filter === 'nearest' || filter === 'nearest-exact';
}

/** Along one axis: the source pixels that each result pixel needs, and their weights. */
export interface Windows {
  /** First source pixel of each requested result pixel. */
  readonly starts: Int32Array;
  /** Offset of each result pixel's weights in `weights`; one more entry than there are result pixels. */
  readonly offsets: Int32Array;
  /** Fixed point. The weights of one result pixel add up to about 2 to the power of `fractionBits`. */
  readonly weights: Int32Array;
  readonly fractionBits: number;
}

/** Pillow's PRECISION_BITS (32 − 8 − 2): two bits for sums below 0 and above 255. */
const pillowFractionBits = 22;

function sinc(x: number): number {
  if (x === 0) return 1;
  const angle = x * Math.PI;
  return Math.sin(angle) / angle;
}

/** A filter's support at scale 1 and its curve. */
export interface FilterShape {
  readonly support: number;
  readonly curve: (x: number) => number;
}

/** 1 − |x|, of the same operations in Pillow and torch. */
export const triangle: FilterShape = {
  support: 1,
  curve: (signed) => {
    const x = Math.abs(signed);
    return x < 1 ? 1 - x : 0;
  },
};

/** sinc(x)·sinc(x/3), of the same operations in Pillow and torch. */
export const lanczos3: FilterShape = {
  support: 3,
  curve: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0),
};

/** Each filter's support at scale 1 and its curve, with the same operations as Pillow's Resample.c, to the last bit. */
const filters: Record<WeighingFilterName, FilterShape> = {
  box: { support: 0.5, curve: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: triangle,
  hamming: {
    support: 1,
    curve: (signed) => {
      const x = Math.abs(signed);
      if (x === 0) return 1;
      if (x >= 1) return 0;
      const angle = x * Math.PI;
      // Pillow writes these two constants as C floats.
      return (Math.sin(angle) / angle) * (Math.fround(0.54) + Math.fround(0.46) * Math.cos(angle));
    },
  },
  bicubic: {
    support: 2,
    curve: (signed) => {
      const x = Math.abs(signed);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      if (x < 2) return (((x - 5) * x + 8) * x - 4) * -0.5;
      return 0;
    },
  },
  lanczos: lanczos3,
};

/** A filter's support at scale 1, in pixels. */
export function filterReach(filter: WeighingFilterName): number {
  return filters[filter].support;
}

/** Rounds half away from zero. */
function toFixedPoint(weight: number, one: number): number {
  return Math.trunc(weight < 0 ? weight * one - 0.5 : weight * one + 0.5);
}

/**
 * Positions of windows: the centre of result pixel i is from + (i + 0.5)·scale; its window extends `support` from it.
 */
export function layWindows(from: number, to: number, size: number, reach: number) {
  const from32 = Math.fround(from);
  const scale = Math.fround(Math.fround(to) - from32) / size;
  const filterScale = Math.max(scale, 1);
  return { from: from32, scale, filterScale, support: reach * filterScale };
}

/** The number of source pixels in a window of {@link computeWindows} before weights of 0 are removed. */
export function reachedPixels(
  sourceSize: number,
  from: number,
  to: number,
  size: number,
  filter: WeighingFilterName,
  firstResult = 0,
  endResult = size,
): number {
  const { from: start, scale, support } = layWindows(from, to, size, filters[filter].support);
  const lowest = Math.max(0, Math.trunc(start + (firstResult + 0.5) * scale - support + 0.5));
  const highest = Math.min(sourceSize, Math.trunc(start + (endResult - 0.5) * scale + support + 0.5));
  return highest - lowest;
}

/**
 * Pillow's precompute_coeffs and normalize_coeffs_8bpc: the window trunc(centre ± support + 0.5), weights in
 * double, divided by their sum, then in fixed point. Weights of 0 at a window's ends are removed.
 *
 * @param from - start of the resampled part of the source, in pixels; Pillow stores it as a float
 * @param to - end of that part
 * @param size - of the whole result
 * @param firstResult - first result pixel whose window is needed
 * @param endResult - the one after the last
 */
export function computeWindows(
  sourceSize: number,
  from: number,
  to: number,
  size: number,
  filter: WeighingFilterName,
  firstResult = 0,
  endResult = size,
): Windows {
  const { support: reach, curve } = filters[filter];
  const { from: from32, scale, filterScale, support } = layWindows(from, to, size, reach);
  const inverseScale = 1 / filterScale;

  const longest = Math.min(sourceSize, Math.ceil(support) * 2 + 1);
  const window = new Float64Array(longest);
  return packWindows(firstResult, endResult, sourceSize, longest, pillowFractionBits, (result) => {
    const centre = from32 + (result + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(sourceSize, Math.trunc(centre + support + 0.5));
    let sum = 0;
    for (let pixel = start; pixel < end; pixel++) {
      const weight = curve((pixel - centre + 0.5) * inverseScale);
      window[pixel - start] = weight;
      sum += weight;
    }
    const count = Math.max(0, end - start);
    if (sum !== 0) for (let k = 0; k < count; k++) window[k] = (window[k] as number) / sum;
    return [start, window.subarray(0, count)];
  });
}

/**
 * Computes the windows of some result pixels from weights that add up to 1.
 *
 * @param longest - the most weights that a window has
 * @param windowOf - returns a result pixel's first source pixel and its weights, which are valid until the next call
 */
export function packWindows(
  firstResult: number,
  endResult: number,
  sourceSize: number,
  longest: number,
  fractionBits: number,
  windowOf: (result: number) => readonly [start: number, window: Float64Array],
): Windows {
  const one = 2 ** fractionBits;
  const count = endResult - firstResult;
  const starts = new Int32Array(count);
  const offsets = new Int32Array(count + 1);
  const weights = new Int32Array(count * longest);
  let filled = 0;
  for (let i = 0; i < count; i++) {
    const [start, window] = windowOf(firstResult + i);
    // Weights of 0 at a window's ends are removed: they take time and change nothing.
    let first = window.length;
    let last = 0;
    for (let k = 0; k < window.length; k++) {
      const weight = toFixedPoint(window[k] as number, one);
      if (weight !== 0) {
        if (first === window.length) first = k;
        last = k;
      }
      if (first < window.length) weights[filled + k - first] = weight;
    }
    // An empty box at the very edge has no weight; then any pixel will do.
    starts[i] = Math.min(start + first, sourceSize - 1);
    if (first < window.length) {
      weights.fill(0, filled + last + 1 - first, filled + window.length - first);
      filled += last + 1 - first;
    }
    offsets[i + 1] = filled;
  }
  return { starts, offsets, weights: weights.subarray(0, filled), fractionBits };
}
