import { type Resampling, squareOf } from '../../image/views/view.ts';
import { invalid, readEdge, readFlag, readNumber, readSize, readWholeNumber } from '../config-values.ts';
import type { ConfigValues, OwnPlan, OwnTensor, ProcessorType } from '../processor-types.ts';
import { fixedSize, longestEdge } from './own-steps.ts';
import { readTiles, resizedToTile, tileSteps } from './tile-values.ts';
import { bilinear, halfValues, lanczos, square } from './type-values.ts';
import { vllmGemma3, vllmIdefics3 } from './vllm-values.ts';

/*
 * Image processors of transformers that crop or split an image into pictures. Each file
 * image_processing_*.py there has the defaults and the order of the pictures.
 */

/** Image processors by the name of their class. */
export const splitTypes: Readonly<Record<string, ProcessorType>> = {
  Gemma3ImageProcessor: {
    defaults: {
      ...tileSteps,
      ...halfValues,
      size: square(224),
      resample: bilinear,
      do_pan_and_scan: null,
      pan_and_scan_min_crop_size: null,
      pan_and_scan_max_num_crops: null,
      pan_and_scan_min_ratio_to_activate: null,
    },
    own: panAndScan,
    vllm: vllmGemma3,
  },
  Idefics2ImageProcessor: {
    defaults: {
      ...tileSteps,
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
        tensor: paddedPictures(config, resampling),
      };
    },
  },
  Idefics3ImageProcessor: idefics3(),
  SmolVLMImageProcessor: idefics3(),
};

function idefics3(): ProcessorType {
  return {
    defaults: {
      ...tileSteps,
      ...halfValues,
      size: { longest_edge: 4 * 364 },
      max_image_size: { longest_edge: 364 },
      do_pad: true,
      resample: lanczos,
      do_image_splitting: true,
      return_row_col_info: false,
    },
    own(config, resampling) {
      const tile = readEdge(config, 'max_image_size', 'longest_edge');
      const isSplit = readFlag(config, 'do_image_splitting');
      const padded = paddedPictures(config, resampling);
      return {
        steps: [],
        views: { kind: 'splitImage', size: readLongestEdge(config), tile, isSplit, ...resampling },
        tensor: readFlag(config, 'return_row_col_info') ? withRowsAndColumns(padded, tile) : padded,
      };
    },
    vllm: vllmIdefics3,
  };
}

function panAndScan(config: ConfigValues, resampling: Resampling): OwnPlan {
  const isScanned = readFlag(config, 'do_pan_and_scan');
  const size = fixedSize(config, 'size');
  const tensor = { extras: [{ kind: 'pictureCount', name: 'num_crops', skip: 1 }] } as const;
  if (!isScanned) return { steps: resizedToTile(config, resampling), tensor };
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

/** Pictures of several sizes in one tensor: 0 around each, and a mask. torch pads in a tensor of FP32, whatever they are. */
function paddedPictures(config: ConfigValues, { library }: Resampling): OwnTensor {
  if (!readFlag(config, 'do_pad')) return { arrangement: { kind: 'images', leadingAxes: 1 } };
  return {
    arrangement: { kind: 'images', leadingAxes: 1, canvas: 'largest', isPadded: true },
    ...(library === 'torch' && { datatype: 'FP32' }),
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

function withRowsAndColumns({ extras = [], ...tensor }: OwnTensor, tile: number): OwnTensor {
  return {
    ...tensor,
    extras: [
      ...extras,
      { kind: 'splitCount', name: 'rows', of: 'rows', tile: squareOf(tile), ofOne: 0 },
      { kind: 'splitCount', name: 'cols', of: 'columns', tile: squareOf(tile), ofOne: 0 },
    ],
  };
}

function readLongestEdge(config: ConfigValues) {
  if (!readFlag(config, 'do_resize')) return undefined;
  const { size } = config;
  if (typeof size === 'object' && size !== null && 'longest_edge' in size) {
    return { longestEdge: longestEdge(config) };
  }
  return { fit: 'fill', ...fixedSize(config, 'size') } as const;
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
