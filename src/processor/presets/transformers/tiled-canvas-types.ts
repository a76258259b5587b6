import { squareOf } from '../../image/views/view.ts';
import { invalid, readFlag, readNumber, readPerChannel, readStd } from '../config-values.ts';
import type { ConfigValues, OwnTensor, ProcessorType } from '../processor-types.ts';
import { checkRescale } from './own-steps.ts';
import { readSquareTile, readTiles, tileSteps } from './tile-values.ts';
import { bilinear, halfValues, square } from './type-values.ts';
import { vllmLlama4 } from './vllm-values.ts';

/*
 * Image processors of transformers that cut a black canvas with an image into tiles. Each file
 * image_processing_*.py there has the defaults and the order of the pictures.
 */

/** Image processors by the name of their class. */
export const tiledCanvasTypes: Readonly<Record<string, ProcessorType>> = {
  Llama4ImageProcessor: {
    defaults: {
      ...tileSteps,
      ...halfValues,
      size: square(336),
      resample: bilinear,
      max_patches: 16,
      resize_to_max_canvas: false,
    },
    own(config, resampling) {
      checkResize(config);
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
    vllm: vllmLlama4,
  },
  MllamaImageProcessor: {
    defaults: {
      ...tileSteps,
      ...halfValues,
      size: square(224),
      do_pad: true,
      resample: bilinear,
      max_image_tiles: 4,
    },
    own(config, resampling) {
      checkResize(config);
      const tile = readSquareTile(config);
      if (!readFlag(config, 'do_pad')) throw invalid('do_pad', config.do_pad, 'true');
      const maxTiles = readTiles(config, 'max_image_tiles');
      return {
        steps: [],
        views: { kind: 'tiledCanvas', model: 'Mllama', tile, maxTiles, toLargest: false, ...resampling },
        tensor: {
          arrangement: { kind: 'images', leadingAxes: 2, count: maxTiles },
          // Its tiles stand in a tensor of FP32, whatever they are.
          datatype: 'FP32',
          extras: [
            { kind: 'aspectRatioId', name: 'aspect_ratio_ids', tile, maxTiles },
            { kind: 'pictureMask', name: 'aspect_ratio_mask', datatype: 'INT64', count: maxTiles },
            { kind: 'pictureCount', name: 'num_tiles', axes: 2 },
          ],
        },
      };
    },
  },
};

/** Llama 4 rescales and normalizes in bfloat16 if it does both. */
function bfloat16Values(config: ConfigValues): OwnTensor {
  checkRescale(config);
  if (!readFlag(config, 'do_rescale') || !readFlag(config, 'do_normalize')) return {};
  return {
    datatype: 'BF16',
    rounding: 'bfloat16',
    rescaleFactor: readNumber(config, 'rescale_factor'),
    mean: readPerChannel(config, 'image_mean'),
    std: readStd(config),
  };
}

/** Both classes refuse a config that does not resize. */
function checkResize(config: ConfigValues): void {
  if (!readFlag(config, 'do_resize')) throw invalid('do_resize', config.do_resize, 'true');
}
