import {
  invalid,
  readFlag,
  readKeys,
  readNumber,
  readWholeNumber,
  unsupportedKeys,
} from '../config-values.ts';
import type { ConfigValues, ProcessorType } from '../processor-types.ts';
import { gridProcessorTypes } from './grid-types.ts';
import { expansionOf, patchKeys, patchSide } from './patch-values.ts';
import { bicubic, bilinear, clipValues, halfValues, lanczos } from './type-values.ts';
import { vllmGemma4, vllmLfm2Vl, vllmPatches, vllmPatchesToNormalize, vllmRefused } from './vllm-values.ts';

const common = { do_resize: true, do_rescale: true, do_normalize: true, do_convert_rgb: true };
const { ignored: ignores, maxRepeats, maxCount } = patchKeys;

/** GLM-5: in proportion on a black canvas. */
const glm5Next: ProcessorType = {
  defaults: {
    ...common,
    ...clipValues,
    resample: bicubic,
    default_to_square: false,
    patch_size: 14,
    temporal_patch_size: 2,
    merge_size: 2,
    patch_expand_factor: 1,
    min_image_tokens: 16,
    max_image_tokens: 8000,
  },
  ignores: [...ignores, 'size'],
  vllm: vllmPatchesToNormalize,
  own(config, resampling, library) {
    const size = patchSide(config, 'patch_size');
    const merge = patchSide(config, 'merge_size');
    const canvas = {
      kind: 'fittedCanvas',
      factor: size * merge * expansionOf(config, library),
      minTokens: readWholeNumber(config, 'min_image_tokens', 0, maxCount),
      maxTokens: readWholeNumber(config, 'max_image_tokens', 1, maxCount),
      ...resampling,
    } as const;
    return {
      steps: [],
      ...(readFlag(config, 'do_resize') && { views: canvas }),
      tensor: {
        arrangement: {
          kind: 'patches',
          size,
          merge,
          repeats: readWholeNumber(config, 'temporal_patch_size', 1, maxRepeats),
        },
        extras: [{ name: 'image_grid_thw', kind: 'patchGrid', size }],
        tokens: { kind: 'patches', patch: size, merge },
      },
    };
  },
};

/** Kimi K2.5: only larger images are reduced, then all are padded to whole groups of patches. */
const kimi: ProcessorType = {
  defaults: {
    ...common,
    ...halfValues,
    resample: bicubic,
    size: { max_height: 512, max_width: 512 },
    max_patches: 16_384,
    patch_size: 14,
    merge_size: 2,
  },
  ignores,
  vllm: vllmRefused('vLLM makes the patches with code of its own'),
  own(config, resampling) {
    const patch = patchSide(config, 'patch_size');
    const edges = readKeys(config, 'size', ['max_height', 'max_width']);
    if (edges.max_height !== edges.max_width) {
      throw invalid('size', config.size, '{max_height, max_width} with two equal numbers');
    }
    const rule = {
      kind: 'patchLimit',
      patch,
      maxPatches: readWholeNumber(config, 'max_patches', 1, maxCount),
      maxPatchesPerSide: readWholeNumber(edges, 'max_height', 1, maxCount),
    } as const;
    const merge = patchSide(config, 'merge_size');
    const multipleOf = patch * merge;
    return {
      steps: readFlag(config, 'do_resize')
        ? [
            { kind: 'resize', fit: 'rule', rule, ...resampling },
            { kind: 'padTo', to: { multipleOf }, at: 'topLeft' },
          ]
        : [],
      tensor: {
        arrangement: { kind: 'patches', size: patch, merge: 1, repeats: 1, isSquare: true },
        extras: [{ name: 'image_grid_thw', kind: 'patchGrid', size: patch }],
        tokens: { kind: 'patches', patch, merge },
      },
    };
  },
};

const museGlimmer: ProcessorType = {
  defaults: {
    ...common,
    ...halfValues,
    resample: lanczos,
    default_to_square: false,
    patch_size: 14,
    temporal_patch_size: 2,
    merge_size: 2,
    max_image_tokens: 4096,
  },
  ignores: [...ignores, 'size'],
  vllm: vllmPatches,
  own(config, resampling) {
    const size = patchSide(config, 'patch_size');
    const merge = patchSide(config, 'merge_size');
    const rule = {
      kind: 'closestGrid',
      patch: size * merge,
      maxPatches: readWholeNumber(config, 'max_image_tokens', 1, maxCount),
    } as const;
    const repeats = readWholeNumber(config, 'temporal_patch_size', 1, maxRepeats);
    return {
      steps: readFlag(config, 'do_resize') ? [{ kind: 'resize', fit: 'rule', rule, ...resampling }] : [],
      tensor: {
        arrangement: { kind: 'patches', size, merge: 1, repeats, axes: 'tcyx' },
        extras: [{ name: 'image_grid_thw', kind: 'patchGrid', size }],
        tokens: { kind: 'patches', patch: size, merge },
      },
    };
  },
};

/** NeoMME: the image keeps its size, within limits, and is padded to whole patches. */
const neoMme: ProcessorType = {
  defaults: {
    ...common,
    ...halfValues,
    resample: bilinear,
    size: null,
    max_side: null,
    patch_size: 32,
  },
  ignores,
  own(config, resampling) {
    const size = patchSide(config, 'patch_size');
    const rule = { kind: 'sideAndArea', ...maxSideOf(config), ...areaOf(config) } as const;
    return {
      steps: [
        ...(readFlag(config, 'do_resize')
          ? [{ kind: 'resize', fit: 'rule', rule, ...resampling } as const]
          : []),
        { kind: 'padTo', to: { multipleOf: size }, at: 'topLeft' },
      ],
      tensor: {
        arrangement: { kind: 'patches', size, merge: 1, repeats: 1, axes: 'yxct' },
        extras: [{ name: 'image_grid_hw', kind: 'patchGrid', size, isPlanar: true }],
      },
    };
  },
};

function maxSideOf(config: ConfigValues) {
  return config.max_side === null ? {} : { maxSide: readWholeNumber(config, 'max_side', 1, 65_535) };
}

function areaOf(config: ConfigValues) {
  if (config.size === null) return {};
  const area = readKeys(config, 'size', ['min_pixels', 'max_pixels']);
  return {
    pixels: {
      min: readWholeNumber(area, 'min_pixels', 0, Number.MAX_SAFE_INTEGER),
      max: readWholeNumber(area, 'max_pixels', 1, Number.MAX_SAFE_INTEGER),
    },
  };
}

/** SigLIP 2 NaFlex: rows of zeros fill the tensor to a fixed number of patches. */
const siglip2: ProcessorType = {
  defaults: {
    ...common,
    do_convert_rgb: null,
    ...halfValues,
    resample: bilinear,
    patch_size: 16,
    max_num_patches: 256,
  },
  ignores: [...ignores, 'size'],
  own(config, resampling) {
    const size = patchSide(config, 'patch_size');
    const count = readWholeNumber(config, 'max_num_patches', 1, maxCount);
    const rule = { kind: 'mostPatches', patch: size, maxPatches: count } as const;
    return {
      steps: readFlag(config, 'do_resize') ? [{ kind: 'resize', fit: 'rule', rule, ...resampling }] : [],
      tensor: {
        arrangement: { kind: 'patches', size, merge: 1, repeats: 1, axes: 'yxct', count },
        extras: [
          { name: 'pixel_attention_mask', kind: 'patchMask', size, count },
          { name: 'spatial_shapes', kind: 'patchGrid', size, isPlanar: true },
        ],
      },
    };
  },
};

const gemma4Defaults = {
  ...common,
  do_normalize: false,
  image_mean: [0, 0, 0],
  image_std: [1, 1, 1],
  resample: bicubic,
  patch_size: 16,
  max_soft_tokens: 280,
  pooling_kernel_size: 3,
};

/** Limits of Gemma 4's tokens. */
const softTokens: readonly unknown[] = [70, 140, 280, 560, 1120];

/** @param isMerged - whether a row is a token, not one of its patches */
function gemma4(isMerged: boolean): ProcessorType {
  return {
    defaults: gemma4Defaults,
    vllm: vllmGemma4,
    ignores: [...ignores, 'size'],

    own(config, resampling) {
      const patch = patchSide(config, 'patch_size');
      const kernel = patchSide(config, 'pooling_kernel_size');
      if (!softTokens.includes(config.max_soft_tokens)) {
        throw invalid('max_soft_tokens', config.max_soft_tokens, softTokens.join(', '));
      }
      const tokens = config.max_soft_tokens as number;
      const rule = { kind: 'tokenBudget', side: patch * kernel, maxTokens: tokens } as const;
      // torchvision takes the number 0 itself for NEAREST; the other classes map it to NEAREST_EXACT.
      const filter = resampling.filter === 'nearest-exact' ? 'nearest' : resampling.filter;
      const [size, count] = isMerged ? [patch * kernel, tokens] : [patch, tokens * kernel ** 2];
      return {
        steps: readFlag(config, 'do_resize')
          ? [{ kind: 'resize', fit: 'rule', rule, ...resampling, filter }]
          : [],
        tensor: {
          arrangement: { kind: 'patches', size, merge: 1, repeats: 1, axes: 'yxct', count },
          extras: [
            { name: 'image_position_ids', kind: 'patchPositions', size, count },
            {
              name: 'num_soft_tokens_per_image',
              kind: 'patchCount',
              size,
              divisor: isMerged ? 1 : kernel ** 2,
            },
          ],
          tokens: { kind: 'patches', patch, merge: kernel },
        },
      };
    },
  };
}

/** LFM2-VL: patches of the image, or of its tiles and of the image. */
const lfm2Vl: ProcessorType = {
  defaults: {
    do_resize: true,
    do_rescale: true,
    do_normalize: true,
    do_pad: true,
    ...halfValues,
    resample: bilinear,
    downsample_factor: 2,
    do_image_splitting: true,
    min_tiles: 2,
    max_tiles: 10,
    use_thumbnail: true,
    min_image_tokens: 64,
    max_image_tokens: 256,
    encoder_patch_size: 16,
    tile_size: 512,
    max_pixels_tolerance: 2,
    return_row_col_info: null,
  },
  ignores: ['do_center_crop', 'crop_size', 'pad_size', 'size'],
  vllm: vllmLfm2Vl,
  own(config, resampling) {
    if (!readFlag(config, 'do_pad')) throw unsupportedKeys(['do_pad'], 'rows of patches are always padded');
    if (readFlag(config, 'return_row_col_info')) {
      throw unsupportedKeys(['return_row_col_info'], 'rows and columns are not tensors of this type');
    }
    const patch = patchSide(config, 'encoder_patch_size');
    const downsampled = patchSide(config, 'downsample_factor');
    const area = patch ** 2 * downsampled ** 2;
    const maxTokens = readWholeNumber(config, 'max_image_tokens', 1, maxCount);
    const tiles = lfm2Tiles(config, patch);
    const largest = maxTokens * area * readNumber(config, 'max_pixels_tolerance');
    const count = Math.max(maxTokens * downsampled ** 2, tiles === undefined ? 0 : (tiles.tile / patch) ** 2);
    return {
      steps: [],
      views: {
        kind: 'largeImageTiles',
        budget: {
          kind: 'pixelBudget',
          factor: patch * downsampled,
          minPixels: readWholeNumber(config, 'min_image_tokens', 0, maxCount) * area,
          maxPixels: maxTokens * area,
          isNeverEmpty: true,
        },
        patch,
        hasWhole: readFlag(config, 'use_thumbnail'),
        ...(tiles ?? { tile: patch, minTiles: 1, maxTiles: 1 }),
        // A single tile means that nothing is cut; its patches count all the same.
        largest: (tiles?.maxTiles ?? 1) === 1 ? Number.MAX_SAFE_INTEGER : largest,
        ...resampling,
      },
      tensor: {
        arrangement: { kind: 'patches', size: patch, merge: 1, repeats: 1, axes: 'yxct', count },
        extras: [
          { name: 'pixel_attention_mask', kind: 'patchMask', size: patch, count },
          { name: 'spatial_shapes', kind: 'patchGrid', size: patch, isPlanar: true },
        ],
      },
    };
  },
};

/** The most tiles in a config: all grids are compared for each image. */
const mostTiles = 64;

/** Unset: the image is never cut. */
function lfm2Tiles(config: ConfigValues, patch: number) {
  const minTiles = readWholeNumber(config, 'min_tiles', 1, mostTiles);
  const maxTiles = readWholeNumber(config, 'max_tiles', 1, mostTiles);
  if (!readFlag(config, 'do_image_splitting')) return undefined;
  if (minTiles > maxTiles) throw invalid('min_tiles', minTiles, `at most max_tiles, ${maxTiles}`);
  const tile = patchSide(config, 'tile_size');
  if (tile % patch !== 0) throw invalid('tile_size', tile, `a multiple of encoder_patch_size, ${patch}`);
  return { tile, minTiles, maxTiles };
}

/** Image processors of transformers that cut an image into patches, by the name of their class. */
export const patchTypes: Readonly<Record<string, ProcessorType>> = {
  ...gridProcessorTypes,
  Gemma4ImageProcessor: gemma4(false),
  Gemma4UnifiedImageProcessor: gemma4(true),
  Glm5NextImageProcessor: glm5Next,
  Kimi_K25ImageProcessor: kimi,
  Lfm2VlImageProcessor: lfm2Vl,
  MuseGlimmerImageProcessor: museGlimmer,
  NeoMMEImageProcessor: neoMme,
  Siglip2ImageProcessor: siglip2,
};
