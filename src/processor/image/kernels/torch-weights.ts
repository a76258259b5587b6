import { type FilterShape, lanczos3, layWindows, packWindows, triangle, type Windows } from './weights.ts';

/** The filters of torch's antialiased resize of uint8. */
export type WeighingTorchFilterName = 'bilinear' | 'bicubic' | 'lanczos';

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

  let largest = 0;
  for (let i = 0; i < size; i++) {
    const [, count] = weigh(i);
    for (let j = 0; j < count; j++) largest = Math.max(largest, window[j] as number);
  }
  let fractionBits = 0;
  while (fractionBits < mostFractionBits && Math.trunc(0.5 + largest * 2 ** (fractionBits + 1)) < 2 ** 15) {
    fractionBits++;
  }
  const { starts, ...rest } = packWindows(
    firstResult,
    endResult,
    sourceSize,
    Math.min(longest, sourceSize),
    fractionBits,
    (i) => {
      const [start, count] = weigh(i);
      return [start, window.subarray(0, count)];
    },
  );
  return { starts: starts.map((start) => start + from), ...rest };
}
