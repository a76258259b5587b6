import { type Cutout, cutUpright } from '../../../image/cutout.ts';
import { wholePart } from '../../../image/kernels/kernels.ts';
import { type OpenCvFilterName, resampleAsOpenCv } from '../../../image/kernels/opencv.ts';
import { lanczos4, linearExact, nearestExact } from '../../../image/kernels/opencv-exact.ts';
import { type OpenCvFloatFilter, resampleFloatsAsOpenCv } from '../../../image/kernels/opencv-float.ts';
import type { Axis } from '../../../image/kernels/opencv-taps.ts';
import { floatsOf } from '../../../image/kernels/samples.ts';
import type { FilterName } from '../../../image/kernels/weights.ts';
import type { Pixels } from '../../../image/pixels.ts';
import type { Framing, Resampler } from '../hypothesis.ts';
import { type FloatRange, floatLevels, floatRanges, levelsOf } from './levels.ts';

const names: Readonly<Record<OpenCvFilterName | 'lanczos', string>> = {
  bilinear: 'INTER_LINEAR',
  box: 'INTER_AREA',
  bicubic: 'INTER_CUBIC',
  nearest: 'INTER_NEAREST',
  lanczos: 'INTER_LANCZOS4',
};

/** `cv2.resize` of uint8. */
export const openCvResamplers: readonly Resampler[] = [
  ...(['bilinear', 'box', 'bicubic', 'nearest'] as const).map(ofBytes),
  byAxes('lanczos', 'lanczos', 'INTER_LANCZOS4', lanczos4),
  byAxes('linear exact', 'bilinear', 'INTER_LINEAR_EXACT', linearExact),
  byAxes('nearest exact', 'nearest-exact', '4 INTER_NEAREST_EXACT', nearestExact),
];

/** `cv2.resize` of floats. */
export const openCvFloatResamplers: readonly Resampler[] = (['float', 'unit', 'double'] as const).flatMap(
  (range) => [
    ...(['bilinear', 'box', 'bicubic', 'lanczos'] as const).map((filter) =>
      ofFloats(range, filter, filter, ''),
    ),
    ofFloats(range, 'bilinear', 'bilinear ipp', " with Intel's IPP"),
  ],
);

function ofBytes(filter: OpenCvFilterName): Resampler {
  return {
    id: `opencv ${filter}`,
    step: { library: 'opencv', filter },
    words: { numerics: `OpenCV ${names[filter]}`, filter },
    run: (source, { box, resized }, cutout) =>
      levelsOf(resampleAsOpenCv(source, 1, { ...resized, filter, part: wholePart(source, box), cutout })),
  };
}

function byAxes(
  id: string,
  filter: FilterName,
  name: string,
  resample: (source: Pixels, across: Axis, down: Axis) => Pixels,
): Resampler {
  return {
    id: `opencv ${id}`,
    words: { numerics: `OpenCV ${name}`, filter },
    run(source, framing, cutout) {
      const { part, across, down } = axesOf(source, framing, cutout);
      return levelsOf(isSame(across, down) ? cutUpright(part, 1, cutout) : resample(part, across, down));
    },
  };
}

function ofFloats(
  range: FloatRange,
  filter: keyof typeof names,
  how: OpenCvFloatFilter,
  suffix: string,
): Resampler {
  return {
    id: `opencv ${range} ${how}`,
    words: { numerics: `OpenCV ${names[filter]} of ${floatRanges[range].words}${suffix}`, filter },
    run(source, framing, cutout) {
      const { part, across, down } = axesOf(source, framing, cutout);
      const { values } = floatRanges[range];
      const floats = isSame(across, down)
        ? floatsOf({ pixels: cutUpright(part, 1, cutout), values })
        : resampleFloatsAsOpenCv({ pixels: part, values }, across, down, how);
      return floatLevels(floats, range);
    },
  };
}

/** The part of the source that is resampled, and its axes. */
function axesOf(source: Pixels, { box, resized }: Pick<Framing, 'box' | 'resized'>, cutout: Cutout) {
  const part = cutUpright(source, 1, wholePart(source, box));
  return {
    part,
    across: { sourceSize: part.width, size: resized.width, from: cutout.left, to: cutout.right },
    down: { sourceSize: part.height, size: resized.height, from: cutout.top, to: cutout.bottom },
  };
}

function isSame(across: Axis, down: Axis): boolean {
  return across.sourceSize === across.size && down.sourceSize === down.size;
}
