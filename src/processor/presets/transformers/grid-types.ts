import type { PatchesArrangement } from '../../image/arrangements/patches.ts';
import type { FilterName } from '../../image/kernels/weights.ts';
import type { PixelBudgetRule } from '../../image/size-rules/pixel-budget.ts';
import type { SizeRule } from '../../image/size-rules/size-rules.ts';
import type { PatchTokens } from '../../image/tokens.ts';
import type { Resampling } from '../../image/views/view.ts';
import { invalid, readFlag, readKeys, readWholeNumber } from '../config-values.ts';
import type { PresetLibrary } from '../preset.ts';
import type { ConfigValues, OwnPlan, ProcessorType, VllmDeclaration } from '../processor-types.ts';
import { expansionOf, patchKeys, patchSide, patchTensor } from './patch-values.ts';
import { bicubic, clipValues, halfValues } from './type-values.ts';
import { vllmPatches, vllmPatchesToNormalize, vllmRefused } from './vllm-values.ts';

/*
 * Image processors of transformers that resize an image to a budget of pixels, cut it into patches and return their
 * grid. Most are Qwen2VLImageProcessor with other numbers.
 */

/** How a class differs from Qwen2VLImageProcessor. */
interface GridType {
  readonly defaults: ConfigValues;
  /** As in ProcessorType. */
  readonly vllm?: VllmDeclaration;
  /** Whether `min_pixels` and `max_pixels` beside `size` override its keys. Unset: they do. */
  readonly ignoresPixelKeys?: true;
  /** Whether the budget counts `temporal_patch_size` frames. */
  readonly countsFrames?: true;
  /** As in PixelBudgetRule. */
  readonly enlarged?: PixelBudgetRule['enlarged'];
  /** Whether it halves the image, as GlmImageImageProcessor. */
  readonly isHalved?: true;
  /** The filter, whatever `resample` says. */
  readonly filter?: FilterName;
  /** A size that configs of the type contain and the class replaces by its own. */
  readonly staleSize?: string;
  /** Whether patches follow each other without groups: merge_size only determines the size. */
  readonly isUngrouped?: true;
  readonly arrangement?: Partial<Pick<PatchesArrangement, 'isRowMajor' | 'axes' | 'isSquare'>>;
  /** How its processor counts tokens, if not one for each group of patches. */
  readonly tokens?: Pick<PatchTokens, 'endsRows' | 'others'>;
  /** The name of the tensor that contains merge_size. Unset: there is none. */
  readonly mergeSizes?: string;
}

const pixels = (shortest: number, longest: number) => ({
  size: { shortest_edge: shortest, longest_edge: longest },
});
const patch = (size: number, temporal: number, merge: number) => ({
  patch_size: size,
  temporal_patch_size: temporal,
  merge_size: merge,
});

const qwen = {
  do_resize: true,
  resample: bicubic,
  ...pixels(56 * 56, 28 * 28 * 1280),
  default_to_square: false,
  do_rescale: true,
  do_normalize: true,
  ...clipValues,
  do_convert_rgb: true,
  ...patch(14, 2, 2),
};

const glm: GridType = {
  defaults: { ...qwen, ...pixels(112 * 112, 28 * 28 * 15_000) },
  ignoresPixelKeys: true,
  countsFrames: true,
  enlarged: 'truncated',
};

const hunYuan: GridType = {
  defaults: { ...qwen, ...pixels(512 * 512, 2048 * 2048), ...patch(16, 1, 2) },
  filter: 'bicubic',
  arrangement: { isRowMajor: true },
};

const gridTypes: Readonly<Record<string, GridType>> = {
  CohereCompassImageProcessor: { defaults: qwen, vllm: vllmPatches },
  Cosmos3EdgeImageProcessor: {
    ...glm,
    defaults: { ...qwen, ...pixels(256 * 256, 4096 * 4096), ...halfValues, ...patch(16, 1, 2) },
    arrangement: { axes: 'yxct' },
    vllm: vllmPatches,
  },
  Ernie4_5_VLMoeImageProcessor: {
    defaults: { ...qwen, ...pixels(56 * 56, 28 * 28 * 6177), ...patch(14, 1, 2) },
    ignoresPixelKeys: true,
    vllm: vllmRefused("vLLM runs the code of the model's repository, which normalizes otherwise"),
  },
  Glm46VImageProcessor: { ...glm, vllm: vllmPatchesToNormalize },
  Glm4vImageProcessor: { ...glm, vllm: vllmPatchesToNormalize },
  GlmImageImageProcessor: { defaults: qwen, isHalved: true },
  GlmgaImageProcessor: { ...glm, defaults: { ...glm.defaults, patch_expand_factor: 1 } },
  HYV4VLImageProcessor: { ...hunYuan, tokens: { endsRows: true } },
  // HunYuanVLProcessor(cat_extra_token=True), its default, adds two.
  HunYuanVLImageProcessor: { ...hunYuan, tokens: { endsRows: true, others: 2 } },
  MiniMaxM3VLImageProcessor: {
    defaults: { ...qwen, ...pixels(4 * 28 * 28, 451_584) },
    staleSize: '[672,672]',
    vllm: vllmRefused('vLLM makes the patches with code of its own'),
  },
  PaddleOCRVLImageProcessor: {
    defaults: { ...qwen, ...pixels(384 * 384, 1536 * 1536), ...patch(14, 1, 2) },
    enlarged: 'rounded',
    isUngrouped: true,
    arrangement: { isSquare: true },
    vllm: vllmPatches,
  },
  Qwen2VLImageProcessor: { defaults: qwen, vllm: vllmPatchesToNormalize },
  VideoLlama3ImageProcessor: {
    defaults: { ...qwen, ...halfValues, ...patch(14, 1, 1) },
    mergeSizes: 'image_merge_sizes',
  },
};

/** Image processors by the name of their class. */
export const gridProcessorTypes: Readonly<Record<string, ProcessorType>> = Object.fromEntries(
  Object.entries(gridTypes).map(([name, type]) => [name, processorType(type)]),
);

function processorType(type: GridType): ProcessorType {
  const pixelKeys = type.ignoresPixelKeys ? {} : { min_pixels: null, max_pixels: null };
  return {
    defaults: { ...pixelKeys, ...type.defaults },
    ignores: patchKeys.ignored,
    own: (config, resampling, library) => gridPlan(type, config, resampling, library),
    ...(type.vllm && { vllm: type.vllm }),
  };
}

function gridPlan(
  type: GridType,
  config: ConfigValues,
  { library: resampler, filter }: Resampling,
  library: PresetLibrary,
): OwnPlan {
  const size = patchSide(config, 'patch_size');
  const merge = patchSide(config, 'merge_size');
  const repeats = readWholeNumber(config, 'temporal_patch_size', 1, patchKeys.maxRepeats);
  const rule = sizeRule(type, config, size * merge * expansionOf(config, library), repeats);
  const resize = {
    kind: 'resize',
    fit: 'rule',
    rule,
    filter: type.filter ?? filter,
    library: resampler,
  } as const;
  return {
    steps: readFlag(config, 'do_resize') ? [resize] : [],
    tensor: {
      arrangement: {
        kind: 'patches',
        size,
        merge: type.isUngrouped ? 1 : merge,
        repeats,
        ...type.arrangement,
      },
      extras: [
        { name: 'image_grid_thw', kind: 'patchGrid', size },
        ...(type.mergeSizes ? [{ name: type.mergeSizes, kind: 'constant', value: merge } as const] : []),
      ],
      tokens: { kind: 'patches', patch: size, merge, ...type.tokens },
      ...patchTensor(library),
    },
  };
}

function sizeRule(type: GridType, config: ConfigValues, factor: number, repeats: number): SizeRule {
  const budget = { factor, ...pixelsOf(config, type) };
  if (type.isHalved) return { kind: 'halvedEdges', ...budget };
  return {
    kind: 'pixelBudget',
    ...budget,
    ...(type.countsFrames && { frames: repeats }),
    ...(type.enlarged && { enlarged: type.enlarged }),
  };
}

/** The constructors put `min_pixels` and `max_pixels` over the keys of `size`. */
function pixelsOf(
  config: ConfigValues,
  { ignoresPixelKeys, staleSize, defaults }: GridType,
): Pick<PixelBudgetRule, 'minPixels' | 'maxPixels'> {
  const { min_pixels: min = null, max_pixels: max = null } = ignoresPixelKeys ? {} : config;
  const isStale = staleSize !== undefined && JSON.stringify(config.size) === staleSize;
  const given: unknown = isStale ? defaults.size : (config.size ?? defaults.size);
  const isObject = typeof given === 'object' && !Array.isArray(given);
  if (!isObject) throw invalid('size', given, '{shortest_edge, longest_edge}, in pixels of the whole image');
  const size: Record<string, unknown> = { ...(given as ConfigValues) };
  if (min !== null) {
    size.shortest_edge = min;
    delete size.min_pixels;
  }
  if (max !== null) {
    size.longest_edge = max;
    delete size.max_pixels;
  }
  const edges = readKeys({ size }, 'size', ['shortest_edge', 'longest_edge']);
  return {
    minPixels: readWholeNumber(edges, 'shortest_edge', 1, Number.MAX_SAFE_INTEGER),
    maxPixels: readWholeNumber(edges, 'longest_edge', 1, Number.MAX_SAFE_INTEGER),
  };
}
