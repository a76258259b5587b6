import type { DensePages } from '../../image/views/page-grid.ts';
import type { GridRule } from '../../image/views/tile-grid.ts';
import { type Resampling, squareOf } from '../../image/views/view.ts';
import { invalid, readFlag, readNumber, readWholeNumber } from '../config-values.ts';
import type { PresetLibrary } from '../preset.ts';
import type { ConfigValues, OwnPlan, ProcessorType } from '../processor-types.ts';
import { fixedSize } from './own-steps.ts';
import { readSquareTile, readTiles, resizedToTile, tileSteps } from './tile-values.ts';
import { bicubic, clipValues, halfValues, square } from './type-values.ts';
import { vllmCohere2Vision, vllmInternVl, vllmRefused } from './vllm-values.ts';

/*
 * Image processors of transformers that choose a grid of tiles for an image. Each file
 * image_processing_*.py there has the defaults and the order of the pictures.
 */

const gridDefaults = { ...tileSteps, ...clipValues, resample: bicubic, min_patches: 1, max_patches: 12 };

/** Image processors by the name of their class. */
export const tileGridTypes: Readonly<Record<string, ProcessorType>> = {
  GotOcr2ImageProcessor: {
    defaults: { ...gridDefaults, size: square(384), crop_to_patches: false },
    own: (config, resampling) => countedGrid(config, resampling, 'GotOcr2'),
    vllm: vllmInternVl,
  },
  Cohere2VisionImageProcessor: {
    defaults: { ...gridDefaults, size: square(512), crop_to_patches: true },
    own: (config, resampling) => countedGrid(config, resampling, 'Cohere2Vision'),
    vllm: vllmCohere2Vision,
  },
  GraniteDoclingImageProcessor: {
    defaults: {
      ...gridDefaults,
      size: square(512),
      max_patches: 32,
      crop_to_patches: true,
      fine_route: false,
      dense_max_patches: 0,
      dense_max_scale: 0,
      dense_min_aspect: 0,
      dense_max_aspect: 0,
    },
    own: pages,
  },
  Ovis2ImageProcessor: {
    defaults: {
      ...gridDefaults,
      size: square(384),
      crop_to_patches: false,
      use_covering_area_grid: true,
    },
    own(config, resampling) {
      const rule = readFlag(config, 'use_covering_area_grid') ? 'Ovis2' : 'GotOcr2';
      const isOne = readTiles(config, 'max_patches') === 1;
      const rules = gridOrOne(
        isOne ? { ...config, crop_to_patches: false } : config,
        resampling,
        rule,
        'first',
      );
      const tile = rules.views && fixedSize(config, 'size');
      return { ...rules, tensor: { extras: [{ kind: 'tileCounts', name: 'grids', tile }] } };
    },
  },
  PerceptionLMImageProcessor: {
    defaults: {
      ...tileSteps,
      ...halfValues,
      size: square(448),
      resample: bicubic,
      vision_input_type: 'thumb+tile',
      tile_size: 448,
      max_num_tiles: 36,
    },
    own(config, resampling) {
      const tile = squareOf(readWholeNumber(config, 'tile_size', 1, 65_535));
      const tensor = { arrangement: { kind: 'images', leadingAxes: 1 } } as const;
      if (!readFlag(config, 'do_resize')) throw invalid('do_resize', config.do_resize, 'true');
      if (config.vision_input_type !== 'thumb+tile') {
        return { steps: [{ kind: 'resize', fit: 'fill', ...tile, ...resampling }], tensor };
      }
      return {
        steps: [],
        views: {
          kind: 'tileGrid',
          tile,
          minTiles: 1,
          maxTiles: readTiles(config, 'max_num_tiles'),
          rule: 'PerceptionLM',
          whole: 'alwaysFirst',
          ...resampling,
        },
        tensor,
      };
    },
  },
  Phi4MultimodalImageProcessor: {
    defaults: {
      ...tileSteps,
      do_resize: null,
      ...halfValues,
      size: square(448),
      resample: bicubic,
      patch_size: 14,
      dynamic_hd: 36,
    },
    own(config) {
      if (config.resample !== bicubic) throw invalid('resample', config.resample, '3, which is bicubic');
      const tile = readSquareTile(config);
      const patch = readWholeNumber(config, 'patch_size', 1, tile);
      return {
        steps: [],
        views: { kind: 'paddedGrid', tile, maxTiles: readTiles(config, 'dynamic_hd'), library: 'torch' },
        tensor: {
          name: 'image_pixel_values',
          arrangement: { kind: 'wholeAndTiles', tile },
          extras: [
            { kind: 'imageSizes', name: 'image_sizes', of: 'picture' },
            { kind: 'tileMask', name: 'image_attention_mask', tile, patch },
            { kind: 'tileTokens', name: 'num_img_tokens', tile, patch },
          ],
        },
      };
    },
    vllm: vllmRefused("vLLM runs the code of the model's repository, whose tensors have other names"),
  },
};

/** GraniteDocling pads the pictures of a batch, in a tensor of FP32 by the Pillow backend. */
function pages(config: ConfigValues, resampling: Resampling, library: PresetLibrary): OwnPlan {
  const [minTiles, most] = [readTiles(config, 'min_patches'), readTiles(config, 'max_patches')];
  const tile = fixedSize(config, 'size');
  const maxTiles = readFlag(config, 'crop_to_patches') ? most : 1;
  const dense = maxTiles === 1 ? undefined : densePages(config);
  for (const [key, limit] of [
    ['max_patches', maxTiles],
    ['dense_max_patches', dense?.maxTiles ?? maxTiles],
  ] as const) {
    // `rows` and `cols` would then be those of another grid.
    if (maxTiles > 1 && limit < minTiles) throw invalid(key, limit, `at least min_patches, ${minTiles}`);
  }
  const counts = { tile, ofOne: 1 } as const;
  return {
    steps: [],
    views: {
      kind: 'tileGrid',
      tile,
      minTiles: Math.min(minTiles, maxTiles),
      maxTiles,
      dense,
      rule: 'GraniteDocling',
      whole: 'last',
      ...resampling,
    },
    tensor: {
      ...(library === 'pillow' && { datatype: 'FP32' }),
      arrangement: { kind: 'images', leadingAxes: 1, isPadded: true },
      extras: [
        { kind: 'pictureMask', name: 'pixel_attention_mask', datatype: 'BOOL' },
        ...(readFlag(config, 'fine_route')
          ? [{ kind: 'constant', name: 'tile_fine_mask', value: 1, datatype: 'BOOL' } as const]
          : []),
        { kind: 'splitCount', name: 'rows', of: 'rows', ...counts },
        { kind: 'splitCount', name: 'cols', of: 'columns', ...counts },
      ],
    },
  };
}

/** `get_tile_budget` of GraniteDocling. Unset: no page is dense. */
function densePages(config: ConfigValues): DensePages | undefined {
  const [maxScale, minRatio, maxRatio] = ['dense_max_scale', 'dense_min_aspect', 'dense_max_aspect'].map(
    (key) => Math.max(0, readNumber(config, key)),
  ) as [number, number, number];
  if (config.dense_max_patches === 0 || (maxScale === 0 && minRatio === 0)) return undefined;
  return { maxTiles: readTiles(config, 'dense_max_patches'), maxScale, minRatio, maxRatio };
}

/** The tiles of a grid, then the whole image, and their number. */
function countedGrid(config: ConfigValues, resampling: Resampling, rule: GridRule): OwnPlan {
  return {
    ...gridOrOne(config, resampling, rule, 'last'),
    tensor: { extras: [{ kind: 'pictureCount', name: 'num_patches' }] },
  };
}

/** The tiles of a grid if the config asks for them, else one picture. */
function gridOrOne(
  config: ConfigValues,
  resampling: Resampling,
  rule: GridRule,
  whole: 'first' | 'last',
): Pick<OwnPlan, 'steps' | 'views'> {
  if (!readFlag(config, 'crop_to_patches')) return { steps: resizedToTile(config, resampling) };
  const [minTiles, maxTiles] = [readTiles(config, 'min_patches'), readTiles(config, 'max_patches')];
  return {
    steps: [],
    views: {
      kind: 'tileGrid',
      tile: fixedSize(config, 'size'),
      minTiles,
      maxTiles,
      rule,
      whole,
      ...resampling,
    },
  };
}
