import { type KernelName, kernels } from '../../image/kernels/kernels.ts';
import { resampleUpright } from '../../image/kernels/resample.ts';
import type { FilterName } from '../../image/kernels/weights.ts';
import type { Pixels } from '../../image/pixels.ts';
import type { Levels, Resampler } from './hypothesis.ts';

/** The arithmetics of a resize, the most usual first. */
export const resamplers: readonly Resampler[] = [
  ...(['bilinear', 'bicubic', 'lanczos', 'nearest', 'box', 'hamming'] as const).map(pillow),
  ...(['bilinear', 'bicubic', 'box', 'nearest'] as const).map((filter) =>
    library('opencv', filter, 'OpenCV'),
  ),
  ...(['bilinear', 'bicubic', 'lanczos', 'nearest'] as const).map((filter) =>
    library('torch', filter, 'torch'),
  ),
];

function pillow(filter: FilterName): Resampler {
  return {
    id: `pillow ${filter}`,
    step: { filter },
    words: { numerics: 'Pillow', filter },
    run: (source, { box, resized }, cutout) =>
      levels(resampleUpright(source, 1, { ...resized, filter, box, cutout }, false)),
  };
}

function library(name: KernelName, filter: FilterName, words: string): Resampler {
  return {
    id: `${name} ${filter}`,
    step: { library: name, filter },
    words: { numerics: words, filter },
    run: (source, { box, resized }, cutout) =>
      levels(kernels[name].resample(source, 1, { ...resized, filter, box, cutout })),
  };
}

function levels(pixels: Pixels): Levels {
  return { ...pixels, channels: pixels.channels === 1 ? 1 : 3 };
}
