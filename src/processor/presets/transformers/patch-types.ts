import type { Arrangement } from '../../image/arrangements/arrangements.ts';
import type { PatchesArrangement } from '../../image/arrangements/patches.ts';
import type { PixelBudgetRule } from '../../image/size-rules/pixel-budget.ts';
import type { Resampling } from '../../image/views/view.ts';
import { invalid, readFlag, readKeys, readWholeNumber } from '../config-values.ts';
import type { PresetLibrary } from '../preset.ts';
import type { ConfigValues, OwnPlan, ProcessorType } from '../processor-types.ts';

/*
 * Image processors of transformers that cut an image into patches of one size and return their grid.
 */

/** How a type differs from Qwen2VLImageProcessor. */
interface GridType {
  readonly defaults: ConfigValues;
  /** Whether `min_pixels` and `max_pixels` beside `size` override its keys. */
  readonly hasPixelKeys: boolean;
  /** As in PixelBudgetRule. */
  readonly enlarged?: PixelBudgetRule['enlarged'];
  /** Whether the budget counts `temporal_patch_size` frames. */
  readonly countsFrames?: boolean;
  readonly arrangement?: Partial<Pick<PatchesArrangement, 'isRowMajor' | 'axes' | 'isSquare'>>;
}

const bicubic = 3;
const clipValues = {
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
};

const qwen = {
  do_resize: true,
  resample: bicubic,
  size: { shortest_edge: 56 * 56, longest_edge: 28 * 28 * 1280 },
  default_to_square: false,
  do_rescale: true,
  do_normalize: true,
  ...clipValues,
  do_convert_rgb: true,
  patch_size: 14,
  temporal_patch_size: 2,
  merge_size: 2,
};

const gridTypes: Readonly<Record<string, GridType>> = {
  Qwen2VLImageProcessor: { defaults: qwen, hasPixelKeys: true },
};

/** Image processors by the name of their class. */
export const patchTypes: Readonly<Record<string, ProcessorType>> = Object.fromEntries(
  Object.entries(gridTypes).map(([name, type]) => [name, processorType(type)]),
);

/** `_preprocess` of these classes ignores crops and pads. */
function processorType(type: GridType): ProcessorType {
  const pixelKeys = type.hasPixelKeys ? { min_pixels: null, max_pixels: null } : {};
  return {
    defaults: { ...pixelKeys, ...type.defaults },
    ignores: ['do_center_crop', 'crop_size', 'do_pad', 'pad_size'],
    own: (config, resampling, library) => gridPlan(type, config, resampling, library),
  };
}

function gridPlan(
  type: GridType,
  config: ConfigValues,
  resampling: Resampling,
  library: PresetLibrary,
): OwnPlan {
  const size = readWholeNumber(config, 'patch_size', 1, maxSide);
  const merge = readWholeNumber(config, 'merge_size', 1, maxSide);
  const repeats = readWholeNumber(config, 'temporal_patch_size', 1, maxRepeats);
  const rule: PixelBudgetRule = {
    kind: 'pixelBudget',
    factor: size * merge,
    ...pixelsOf(config, type),
    frames: type.countsFrames ? repeats : undefined,
    enlarged: type.enlarged,
  };
  const arrangement: Arrangement = { kind: 'patches', size, merge, repeats, ...type.arrangement };
  return {
    steps: readFlag(config, 'do_resize') ? [{ kind: 'resize', fit: 'rule', rule, ...resampling }] : [],
    tensor: {
      arrangement,
      extras: [{ name: 'image_grid_thw', kind: 'patchGrid', size }],
      // The classes of the Pillow backend convert the patches to FP32 in any case.
      ...(library === 'pillow' && { datatype: 'FP32' }),
    },
  };
}

/** Limits of a patch, which real models stay far below. */
const maxSide = 4096;
const maxRepeats = 64;

/** The constructors put `min_pixels` and `max_pixels` over the keys of `size`. */
function pixelsOf(
  config: ConfigValues,
  { hasPixelKeys, defaults }: GridType,
): Pick<PixelBudgetRule, 'minPixels' | 'maxPixels'> {
  const { min_pixels: min = null, max_pixels: max = null } = hasPixelKeys ? config : {};
  const given = (config.size ?? defaults.size) as unknown;
  if ((min !== null || max !== null) && (typeof given !== 'object' || Array.isArray(given))) {
    throw invalid('size', given, '{shortest_edge, longest_edge}, in pixels of the whole image');
  }
  const size: Record<string, unknown> = { ...(given as ConfigValues) };
  if (min !== null) {
    size.shortest_edge = min;
    delete size.min_pixels;
  }
  if (max !== null) {
    size.longest_edge = max;
    delete size.max_pixels;
  }
  const edges = readKeys({ size: typeof given === 'object' ? size : given }, 'size', [
    'shortest_edge',
    'longest_edge',
  ]);
  return {
    minPixels: readWholeNumber(edges, 'shortest_edge', 1, Number.MAX_SAFE_INTEGER),
    maxPixels: readWholeNumber(edges, 'longest_edge', 1, Number.MAX_SAFE_INTEGER),
  };
}
