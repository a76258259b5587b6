import { type FilterShape, lanczos3, layWindows, packWindows, triangle, type Windows } from './weights.ts';

/** The filters of torch's antialiased resize of uint8. */
export type WeighingTorchFilterName = 'bilinear' | 'bicubic' | 'lanczos';

/** The filters of torch's resize of uint8 that are not antialiased. */
export type PlainTorchFilterName = 'bilinear' | 'bicubic';

/** Each filter's reach at scale 1 and its curve, in the order of operations of torch's UpSampleKernel.cpp. */
const filters: Record<WeighingTorchFilterName, FilterShape> = {
  bilinear: triangle,
  bicubic: {
    support: 2,
    curve: (signed) => {
      const x = Math.abs(signed);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
      return 0;
    },
  },
  lanczos: lanczos3,
};

/** Weights have at most this many fraction bits. */
const mostFractionBits = 22;

/**
 * torch's `_compute_index_ranges_int16_weights` (aten/src/ATen/native/cpu/UpSampleKernel.cpp), antialiased: windows
 * as Pillow's, weights in double, then in as many fraction bits as let the largest weight of the whole axis fit
 * into an int16.
 *
 * @param from - start of the resampled part of the source, in whole pixels; torch accepts no fractions, and pixels
 *   outside of the part do not count
 * @param to - end of that part
 * @param size - of the whole result
 * @param firstResult - first result pixel whose window is needed
 * @param endResult - the one after the last
 */
export function computeTorchWindows(
  from: number,
  to: number,
  size: number,
  filter: WeighingTorchFilterName,
  firstResult = 0,
  endResult = size,
): Windows {
  const { support: reach, curve } = filters[filter];
  const sourceSize = to - from;
  const { scale, filterScale, support } = layWindows(0, sourceSize, size, reach);
  const inverseScale = 1 / filterScale;
  const longest = Math.ceil(support) * 2 + 1;
  const window = new Float64Array(longest);

  /** Fills `window` with the weights of one result pixel and returns its first source pixel and their number. */
  function weigh(result: number): readonly [start: number, count: number] {
    const centre = scale * (result + 0.5);
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(sourceSize, Math.trunc(centre + support + 0.5));
    const count = Math.min(longest, Math.max(0, end - start));
    let sum = 0;
    for (let j = 0; j < count; j++) {
      const weight = curve((j + start - centre + 0.5) * inverseScale);
      window[j] = weight;
      sum += weight;
    }
    if (sum !== 0) for (let j = 0; j < count; j++) window[j] = (window[j] as number) / sum;
    return [start, count];
  }

  return quantized(
    size,
    sourceSize,
    Math.min(longest, sourceSize),
    from,
    firstResult,
    endResult,
    (result) => {
      const [start, count] = weigh(result);
      return [start, window.subarray(0, count)];
    },
  );
}

/**
 * torch's `_compute_index_ranges_int16_weights` without antialiasing: two pixels, or four by Keys' cubic with a = −0.75.
 * Weights of pixels beyond the part are added to those of the pixels at its edges.
 *
 * @param from - as in {@link computeTorchWindows}, and so are all others
 */
export function computePlainTorchWindows(
  from: number,
  to: number,
  size: number,
  filter: PlainTorchFilterName,
  firstResult = 0,
  endResult = size,
): Windows {
  const sourceSize = to - from;
  const scale = sourceSize / size;
  const [reach, curve] = filter === 'bilinear' ? [1, triangle.curve] : [2, plainCubic];
  const window = new Float64Array(2 * reach);
  return quantized(size, sourceSize, window.length, from, firstResult, endResult, (result) => {
    const position = scale * (result + 0.5) - 0.5;
    const centre = filter === 'bilinear' ? Math.max(0, position) : position;
    const pixel = Math.min(Math.floor(centre), sourceSize - 1);
    const fraction = Math.min(1, Math.max(0, centre - pixel));
    const unbound = pixel - reach + 1;
    const start = Math.max(0, unbound);
    const count = Math.min(pixel + reach + 1, sourceSize) - start;
    window.fill(0);
    let at = 0;
    for (let j = 0; j < window.length; j++) {
      if (unbound + j <= 0) at = 0;
      else if (unbound + j >= sourceSize - 1) at = count - 1;
      window[at] = (window[at] as number) + curve(j + 1 - reach - fraction);
      at++;
    }
    return [start, window.subarray(0, count)];
  });
}

/** Keys' cubic with a = −0.75. */
function plainCubic(signed: number): number {
  const x = Math.abs(signed);
  if (x < 1) return (1.25 * x - 2.25) * x * x + 1;
  if (x < 2) return ((-0.75 * x + 3.75) * x - 6) * x + 3;
  return 0;
}

/**
 * Weights in as many fraction bits as let the largest one of the whole axis fit into an int16.
 *
 * @param windowOf - returns a result pixel's first source pixel and its weights, which are valid until the next call
 */
function quantized(
  size: number,
  sourceSize: number,
  longest: number,
  from: number,
  firstResult: number,
  endResult: number,
  windowOf: (result: number) => readonly [start: number, window: Float64Array],
): Windows {
  let largest = 0;
  for (let i = 0; i < size; i++) {
    const [, window] = windowOf(i);
    for (let j = 0; j < window.length; j++) largest = Math.max(largest, window[j] as number);
  }
  let fractionBits = 0;
  while (fractionBits < mostFractionBits && Math.trunc(0.5 + largest * 2 ** (fractionBits + 1)) < 2 ** 15) {
    fractionBits++;
  }
  const { starts, ...rest } = packWindows(
    firstResult,
    endResult,
    sourceSize,
    longest,
    fractionBits,
    windowOf,
  );
  return { starts: starts.map((start) => start + from), ...rest };
}
