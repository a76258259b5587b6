import { wholePart } from '../../../image/kernels/kernels.ts';
import { resampleAsPlainTorch, resampleAsTorch, type TorchFilterName } from '../../../image/kernels/torch.ts';
import { resampleFloatsAsTorch, type TorchFloatFilter } from '../../../image/kernels/torch-float.ts';
import type { PlainTorchFilterName } from '../../../image/kernels/torch-weights.ts';
import { roundHalfToEven } from '../../../image/shortest-edge.ts';
import type { Resampler } from '../hypothesis.ts';
import { type FloatRange, floatLevels, floatRanges, levelsOf } from './levels.ts';

/** torch's resizes of uint8. */
export const torchResamplers: readonly Resampler[] = [
  ...(['bilinear', 'bicubic', 'lanczos', 'nearest', 'nearest-exact'] as const).map(antialiased),
  ...(['bilinear', 'bicubic'] as const).map(plain),
  ...[true, false].flatMap((antialias) =>
    (['bilinear', 'bicubic'] as const).map((filter) => rounded(filter, antialias)),
  ),
];

function antialiased(filter: TorchFilterName): Resampler {
  return {
    id: `torch ${filter}`,
    step: { library: 'torch', filter },
    words: { numerics: 'torch', filter },
    run: (source, { box, resized }, cutout) =>
      levelsOf(resampleAsTorch(source, 1, { ...resized, filter, part: wholePart(source, box), cutout })),
  };
}

/** Without antialiasing, in whole numbers. */
function plain(filter: PlainTorchFilterName): Resampler {
  return {
    id: `torchPlain ${filter}`,
    words: { numerics: 'torch, no antialiasing', filter },
    run: (source, { box, resized }, cutout) =>
      levelsOf(resampleAsPlainTorch(source, { ...resized, filter, part: wholePart(source, box), cutout })),
  };
}

/** Of uint8 in floats, rounded to uint8 again: torchvision's transforms v1, and any CPU without AVX2. */
function rounded(filter: TorchFloatFilter, antialias: boolean): Resampler {
  return {
    id: `${antialias ? 'torch rounded' : 'torchLinear'} ${filter}`,
    ...(filter === 'bilinear' && !antialias && { step: { library: 'torchLinear', filter } as const }),
    words: { numerics: `torch of float32, rounded${antialias ? '' : ', no antialiasing'}`, filter },
    run(pixels, { box, resized }, cutout) {
      const part = wholePart(pixels, box);
      const samples = { pixels, values: floatRanges.float.values };
      const floats = resampleFloatsAsTorch(samples, part, resized, cutout, filter, antialias);
      const data = Uint8Array.from(floats.data, (value) =>
        Math.max(0, Math.min(255, roundHalfToEven(value))),
      );
      return levelsOf({ ...floats, data });
    },
  };
}

/** torch's resizes of float32. */
export const torchFloatResamplers: readonly Resampler[] = (['unit', 'scaled', 'float'] as const).flatMap(
  (range) =>
    [true, false].flatMap((antialias) =>
      (['bilinear', 'bicubic'] as const).map((filter) => ofFloats(range, filter, antialias)),
    ),
);

function ofFloats(range: FloatRange, filter: TorchFloatFilter, antialias: boolean): Resampler {
  const numerics = `torch of ${floatRanges[range].words}${antialias ? '' : ', no antialiasing'}`;
  return {
    id: `torch ${range} ${antialias ? '' : 'plain '}${filter}`,
    words: { numerics, filter },
    run: (pixels, { box, resized }, cutout) => {
      const { values } = floatRanges[range];
      const samples = { pixels, values };
      return floatLevels(
        resampleFloatsAsTorch(samples, wholePart(pixels, box), resized, cutout, filter, antialias),
        range,
      );
    },
  };
}
