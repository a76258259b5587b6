import type { CentreRule } from '../../image/crop.ts';
import type { Size } from '../../image/shortest-edge.ts';
import type { Step } from '../../image/steps.ts';
import type { GridRule } from '../../image/views/tile-grid.ts';
import { type Resampling, squareOf } from '../../image/views/view.ts';
import {
  invalid,
  readFlag,
  readNumber,
  readPerChannel,
  readSize,
  readStd,
  readWholeNumber,
} from '../config-values.ts';
import type { ConfigValues, OwnPlan, OwnTensor, ProcessorType } from '../processor-types.ts';

/*
 * The image processors of transformers 5 that cut an image into tiles, or crop it in several ways. Each file
 * image_processing_*.py there has the defaults and the order of the pictures.
 */

/** PIL.Image.Resampling. */
const [lanczos, bilinear, bicubic] = [1, 2, 3];

const clipValues = {
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
};
const halfValues = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
const common = { do_convert_rgb: true, do_rescale: true, do_normalize: true };
const resized = { ...common, do_resize: true };

const llavaResolutions = [
  [336, 672],
  [672, 336],
  [672, 672],
  [1008, 336],
  [336, 1008],
];
const onevisionSides = [384, 768, 1152, 1536, 1920, 2304];
const onevisionResolutions = onevisionSides.flatMap((height) =>
  onevisionSides.map((width) => [height, width]),
);

/** Rows and columns. */
const ariaGrids = [
  ...[2, 3, 4, 5, 6, 7, 8].map((columns) => [1, columns]),
  ...[4, 3, 2, 1].map((columns) => [2, columns]),
  [3, 1],
  [3, 2],
  [4, 1],
  [4, 2],
  ...[5, 6, 7, 8].map((rows) => [rows, 1]),
];

/** The most tiles in a config: all grids are compared for each image. */
const mostTiles = 256;

/** Image processors by the name of their class. */
export const tileTypes: Readonly<Record<string, ProcessorType>> = {
  LlavaNextImageProcessor: {
    defaults: {
      ...resized,
      ...clipValues,
      size: { shortest_edge: 224 },
      default_to_square: false,
      crop_size: { height: 224, width: 224 },
      do_center_crop: true,
      do_pad: true,
      resample: bicubic,
      image_grid_pinpoints: llavaResolutions,
    },
    own: anyResolution,
  },
  LlavaOnevisionImageProcessor: {
    defaults: {
      ...resized,
      ...clipValues,
      size: { height: 384, width: 384 },
      default_to_square: false,
      crop_size: null,
      do_center_crop: null,
      do_pad: true,
      resample: bicubic,
      image_grid_pinpoints: onevisionResolutions,
    },
    own(config, resampling) {
      const { tensor, ...rules } = anyResolution(config, resampling);
      const extras = [...(tensor?.extras ?? []), { kind: 'imageCount', name: 'batch_num_images' } as const];
      return { ...rules, tensor: { ...tensor, extras } };
    },
  },
  GotOcr2ImageProcessor: {
    defaults: {
      ...resized,
      ...clipValues,
      size: { height: 384, width: 384 },
      resample: bicubic,
      crop_to_patches: false,
      min_patches: 1,
      max_patches: 12,
    },
    own: (config, resampling) => ({
      ...gridOrOne(config, resampling, 'GotOcr2', 'last'),
      tensor: { extras: [{ kind: 'pictureCount', name: 'num_patches' }] },
    }),
  },
  Cohere2VisionImageProcessor: {
    defaults: {
      ...resized,
      ...clipValues,
      size: { height: 512, width: 512 },
      resample: bicubic,
      crop_to_patches: true,
      min_patches: 1,
      max_patches: 12,
    },
    backends: ['torch'],
    own: (config, resampling) => ({
      ...gridOrOne(config, resampling, 'Cohere2Vision', 'last'),
      tensor: { extras: [{ kind: 'pictureCount', name: 'num_patches' }] },
    }),
  },
  Ovis2ImageProcessor: {
    defaults: {
      ...resized,
      ...clipValues,
      size: { height: 384, width: 384 },
      resample: bicubic,
      crop_to_patches: false,
      min_patches: 1,
      max_patches: 12,
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
      return {
        ...rules,
        tensor: { extras: [{ kind: 'tileCounts', name: 'grids', tile: readTile(config) }] },
      };
    },
  },
  PerceptionLMImageProcessor: {
    defaults: {
      ...resized,
      ...halfValues,
      size: { height: 448, width: 448 },
      resample: bicubic,
      vision_input_type: 'thumb+tile',
      tile_size: 448,
      max_num_tiles: 36,
    },
    backends: ['torch'],
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
  Gemma3ImageProcessor: {
    defaults: {
      ...resized,
      ...halfValues,
      size: { height: 224, width: 224 },
      resample: bilinear,
      do_pan_and_scan: null,
      pan_and_scan_min_crop_size: null,
      pan_and_scan_max_num_crops: null,
      pan_and_scan_min_ratio_to_activate: null,
    },
    own: panAndScan,
  },
  Llama4ImageProcessor: {
    defaults: {
      ...resized,
      ...halfValues,
      size: { height: 336, width: 336 },
      resample: bilinear,
      max_patches: 16,
      resize_to_max_canvas: false,
    },
    backends: ['torch'],
    own(config, resampling) {
      const tile = readSquareTile(config);
      return {
        steps: [],
        views: {
          kind: 'tiledCanvas',
          model: 'Llama4',
          tile,
          maxTiles: readTiles(config, 'max_patches'),
          toLargest: readFlag(config, 'resize_to_max_canvas'),
          ...resampling,
        },
        tensor: {
          ...bfloat16Values(config),
          extras: [{ kind: 'tileCounts', name: 'aspect_ratios', tile: squareOf(tile) }],
        },
      };
    },
  },
  MllamaImageProcessor: {
    defaults: {
      ...resized,
      ...halfValues,
      size: { height: 224, width: 224 },
      do_pad: true,
      resample: bilinear,
      max_image_tiles: 4,
    },
    own(config, resampling) {
      const tile = readSquareTile(config);
      if (!readFlag(config, 'do_pad')) throw invalid('do_pad', config.do_pad, 'true');
      const maxTiles = readTiles(config, 'max_image_tiles');
      return {
        steps: [],
        views: { kind: 'tiledCanvas', model: 'Mllama', tile, maxTiles, toLargest: false, ...resampling },
        tensor: {
          arrangement: { kind: 'images', leadingAxes: 2, count: maxTiles },
          extras: [
            { kind: 'aspectRatioId', name: 'aspect_ratio_ids', tile, maxTiles },
            { kind: 'pictureMask', name: 'aspect_ratio_mask', count: maxTiles },
            { kind: 'pictureCount', name: 'num_tiles', axes: 2 },
          ],
        },
      };
    },
  },
  AriaImageProcessor: {
    defaults: {
      ...common,
      ...halfValues,
      resample: bicubic,
      max_image_size: 980,
      min_image_size: 336,
      split_image: false,
      split_resolutions: ariaGrids.map((sides) => sides.map((side) => 490 * side)),
    },
    own(config, resampling) {
      const square = config.max_image_size;
      if (square !== 490 && square !== 980) throw invalid('max_image_size', square, '490 or 980');
      const minSide = readWholeNumber(config, 'min_image_size', 1, square);
      const resolutions = readFlag(config, 'split_image')
        ? readResolutions(config, 'split_resolutions')
        : undefined;
      return {
        steps: [],
        views: { kind: 'aria', square, minSide, resolutions, ...resampling },
        tensor: {
          extras: [
            { kind: 'pixelMask', name: 'pixel_mask', datatype: 'BOOL' },
            { kind: 'pictureCount', name: 'num_crops', axes: 0 },
          ],
        },
      };
    },
  },
  Idefics2ImageProcessor: {
    defaults: {
      ...resized,
      ...halfValues,
      size: { shortest_edge: 378, longest_edge: 980 },
      default_to_square: false,
      do_pad: true,
      resample: bilinear,
      do_image_splitting: false,
    },
    own(config, resampling) {
      const isSplit = readFlag(config, 'do_image_splitting');
      return {
        steps: [],
        views: { kind: 'quarters', size: readBounds(config), isSplit, ...resampling },
        tensor: paddedPictures(config),
      };
    },
  },
  Phi4MultimodalImageProcessor: {
    defaults: {
      ...common,
      ...halfValues,
      size: { height: 448, width: 448 },
      resample: bicubic,
      patch_size: 14,
      dynamic_hd: 36,
    },
    backends: ['torch'],
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
  },
  Idefics3ImageProcessor: idefics3(),
  SmolVLMImageProcessor: idefics3(),
};

function idefics3(): ProcessorType {
  return {
    defaults: {
      ...resized,
      ...halfValues,
      size: { longest_edge: 4 * 364 },
      max_image_size: { longest_edge: 364 },
      do_pad: true,
      resample: lanczos,
      do_image_splitting: true,
      return_row_col_info: false,
    },
    own(config, resampling) {
      const tile = readEdge(config, 'max_image_size');
      const isSplit = readFlag(config, 'do_image_splitting');
      return {
        steps: [],
        views: { kind: 'splitImage', size: readLongestEdge(config), tile, isSplit, ...resampling },
        tensor: paddedPictures(config),
      };
    },
  };
}

/** LLaVA-NeXT: a tile has the crop's height, else the size's. Every picture is resized and cropped as the config says. */
function anyResolution(config: ConfigValues, resampling: Resampling): OwnPlan {
  const size = readSize(config, 'size', readFlag(config, 'default_to_square'));
  const whole = size.fit === 'fill' ? size : 'shortestEdge' in size ? squareOf(size.shortestEdge) : undefined;
  if (whole === undefined) throw invalid('size', config.size, '{height, width} or {shortest_edge}');
  const crop = config.crop_size === null ? undefined : readSize(config, 'crop_size', true);
  if (crop !== undefined && crop.fit !== 'fill')
    throw invalid('crop_size', config.crop_size, '{height, width}');
  const tile = crop?.height ?? whole.height;
  const resolutions = readResolutions(config, 'image_grid_pinpoints');
  const each: Step[] = [];
  if (readFlag(config, 'do_resize')) each.push({ kind: 'resize', ...size, ...resampling });
  if (readFlag(config, 'do_center_crop')) {
    if (crop === undefined) throw invalid('crop_size', null, '{height, width}');
    each.push({ kind: 'crop', width: crop.width, height: crop.height, origin: cropOriginOf(resampling) });
  }
  const isSquare = (box: Size | undefined) =>
    box === undefined || (box.width === tile && box.height === tile);
  const areMultiples = resolutions.every(({ width, height }) => width % tile === 0 && height % tile === 0);
  const changesNothing = isSquare(whole) && isSquare(crop) && areMultiples;
  return {
    steps: [],
    views: {
      kind: 'anyResolution',
      resolutions,
      whole: { width: whole.width, height: whole.height },
      tile,
      each: changesNothing ? [] : each,
      ...resampling,
    },
    tensor: {
      arrangement: { kind: 'images', leadingAxes: 1, isPadded: readFlag(config, 'do_pad') },
      extras: [{ kind: 'imageSizes', name: 'image_sizes' }],
    },
  };
}

/** The tiles of a grid if the config asks for them, else one picture. */
function gridOrOne(
  config: ConfigValues,
  resampling: Resampling,
  rule: GridRule,
  whole: 'first' | 'last',
): Pick<OwnPlan, 'steps' | 'views'> {
  if (!readFlag(config, 'crop_to_patches')) {
    return { steps: [{ kind: 'resize', fit: 'fill', ...readTile(config), ...resampling }] };
  }
  const [minTiles, maxTiles] = [readTiles(config, 'min_patches'), readTiles(config, 'max_patches')];
  return {
    steps: [],
    views: { kind: 'tileGrid', tile: readTile(config), minTiles, maxTiles, rule, whole, ...resampling },
  };
}

function panAndScan(config: ConfigValues, resampling: Resampling): OwnPlan {
  const isScanned = readFlag(config, 'do_pan_and_scan');
  const size = readTile(config);
  const tensor = { extras: [{ kind: 'pictureCount', name: 'num_crops', skip: 1 }] } as const;
  if (!isScanned) return { steps: [{ kind: 'resize', fit: 'fill', ...size, ...resampling }], tensor };
  return {
    steps: [],
    views: {
      kind: 'panAndScan',
      size,
      minCropSize: readWholeNumber(config, 'pan_and_scan_min_crop_size', 1, 65_535),
      maxCrops: readTiles(config, 'pan_and_scan_max_num_crops'),
      minRatio: readNumber(config, 'pan_and_scan_min_ratio_to_activate'),
      ...resampling,
    },
    tensor,
  };
}

/** Pictures of several sizes in one tensor: 0 around each, and a mask. */
function paddedPictures(config: ConfigValues): OwnTensor {
  if (!readFlag(config, 'do_pad')) return { arrangement: { kind: 'images', leadingAxes: 1 } };
  return {
    arrangement: { kind: 'images', leadingAxes: 1, canvas: 'largest', isPadded: true },
    extras: [
      {
        kind: 'pixelMask',
        name: 'pixel_attention_mask',
        datatype: 'INT64',
        leadingAxes: 1,
        canvas: 'largest',
      },
    ],
  };
}

/** Llama 4 rescales and normalizes in bfloat16 if it does both. */
function bfloat16Values(config: ConfigValues): OwnTensor {
  if (!readFlag(config, 'do_rescale') || !readFlag(config, 'do_normalize')) return {};
  return {
    datatype: 'BF16',
    rounding: 'bfloat16',
    rescaleFactor: readNumber(config, 'rescale_factor'),
    mean: readPerChannel(config, 'image_mean'),
    std: readStd(config),
  };
}

function readTile(config: ConfigValues): Size {
  const size = readSize(config, 'size', true);
  if (size.fit !== 'fill') throw invalid('size', config.size, '{height, width}');
  return { width: size.width, height: size.height };
}

function readSquareTile(config: ConfigValues): number {
  const { width, height } = readTile(config);
  if (width !== height) throw invalid('size', config.size, 'equal height and width');
  return width;
}

function readTiles(config: ConfigValues, key: string): number {
  return readWholeNumber(config, key, 1, mostTiles);
}

function readEdge(config: ConfigValues, key: string): number {
  const value = config[key];
  const edges = typeof value === 'object' && value !== null ? (value as ConfigValues) : {};
  if (Object.keys(edges).join() !== 'longest_edge') throw invalid(key, value, '{longest_edge}');
  return readWholeNumber(edges, 'longest_edge', 1, 65_535);
}

function readLongestEdge(config: ConfigValues) {
  if (!readFlag(config, 'do_resize')) return undefined;
  const { size } = config;
  if (typeof size === 'object' && size !== null && 'longest_edge' in size) {
    return { longestEdge: readEdge(config, 'size') };
  }
  return { fit: 'fill', ...readTile(config) } as const;
}

function readBounds(config: ConfigValues) {
  if (!readFlag(config, 'do_resize')) return undefined;
  const size = readSize(config, 'size', false);
  if (size.fit === 'fill') return size;
  if ('shortestEdge' in size && size.longestEdge !== undefined) {
    return { shortestEdge: size.shortestEdge, longestEdge: size.longestEdge };
  }
  throw invalid('size', config.size, '{height, width} or {shortest_edge, longest_edge}');
}

/** Pairs of height and width. */
function readResolutions(config: ConfigValues, key: string): readonly Size[] {
  const value = config[key];
  const isSide = (side: unknown) =>
    Number.isInteger(side) && (side as number) > 0 && (side as number) <= 65_535;
  const pairs: readonly unknown[] = Array.isArray(value) ? value : [];
  const isValid = pairs.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(isSide));
  if (pairs.length === 0 || pairs.length > mostTiles || !isValid) {
    throw invalid(key, value, `1 to ${mostTiles} pairs of [height, width]`);
  }
  return pairs.map((pair) => {
    const [height, width] = pair as [number, number];
    return { width, height };
  });
}

/** The backend's rule for the centre. */
function cropOriginOf({ library }: Resampling): CentreRule {
  return library === 'torch' ? 'transformers-torchvision' : 'transformers';
}
