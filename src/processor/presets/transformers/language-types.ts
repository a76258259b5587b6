import type { ResizeFit } from '../../image/resize.ts';
import type { Step } from '../../image/steps.ts';
import { invalid, readEdge, readFlag, readKeys, readWholeNumber } from '../config-values.ts';
import type { PresetLibrary } from '../preset.ts';
import type { ConfigValues, ProcessorType } from '../processor-types.ts';
import {
  cropOrigin,
  cropped,
  fixedSize,
  meanColour,
  paddedWithMask,
  plainSize,
  refuse,
  resized,
  shortestEdge,
} from './own-steps.ts';
import { all, allButCrop, bicubic, clipValues, halfValues, lanczos, square } from './type-values.ts';
import { vllmPicture, vllmPixtral } from './vllm-values.ts';

/*
 * Image processors of transformers for models of vision and language that take one picture of an image.
 */

const ignoresCrop = ['do_center_crop', 'crop_size'];
const ignoresPadding = ['do_pad', 'pad_size'];
const maxPixels = Number.MAX_SAFE_INTEGER;

const janus: ProcessorType = {
  defaults: {
    ...allButCrop,
    ...clipValues,
    size: square(384),
    min_size: 14,
    resample: bicubic,
    do_pad: true,
  },
  ignores: [...ignoresCrop, 'pad_size'],
  own: (config, resampling) => ({
    steps: [...resized(config, resampling, () => janusSize(config)), ...paddedToSquare(config)],
  }),
};

/** Image processors by the name of their class. */
export const languageTypes: Readonly<Record<string, ProcessorType>> = {
  Apertus1p5ImageProcessor: {
    defaults: {
      ...allButCrop,
      ...halfValues,
      size: { min_pixels: 128 * 128, max_pixels: 1400 * 1400 },
      resample: bicubic,
      do_convert_rgb: true,
      do_pad: true,
      spatial_factor: 16,
    },
    ignores: [...ignoresCrop, 'pad_size'],
    own: (config, resampling) => ({
      steps: resized(config, resampling, () => {
        const size = readKeys(config, 'size', ['min_pixels', 'max_pixels']);
        return pixelBudget(size, readWholeNumber(config, 'spatial_factor', 1, 65_535));
      }),
      tensor: withPictureSizes(config),
    }),
  },
  BridgeTowerImageProcessor: {
    defaults: {
      ...all,
      ...clipValues,
      size: { shortest_edge: 288 },
      default_to_square: false,
      crop_size: { shortest_edge: 288 },
      resample: bicubic,
      do_pad: true,
      size_divisor: 32,
    },
    ignores: ['pad_size'],
    own: (config, resampling, library) => ({
      steps: [...resized(config, resampling, () => edgeRange(config)), ...croppedToEdge(config, library)],
      tensor: paddedWithMask(config, readFlag(config, 'do_pad')),
    }),
  },
  DeepseekVLImageProcessor: janus,
  Emu3ImageProcessor: {
    defaults: {
      ...allButCrop,
      ...clipValues,
      resample: bicubic,
      do_convert_rgb: true,
      min_pixels: 512 * 512,
      max_pixels: 1024 * 1024,
      spatial_factor: 8,
    },
    // Its `do_pad` is an argument only, and true.
    ignores: [...ignoresCrop, ...ignoresPadding, 'size'],
    own: (config, resampling) => ({
      steps: resized(config, resampling, () =>
        pixelBudget(config, readWholeNumber(config, 'spatial_factor', 1, 65_535)),
      ),
      // infer_channel_dimension_format takes an array of such a height for one with the channels first.
      unreadableHeights: [1, 3],
      tensor: withPictureSizes({ do_pad: true }),
    }),
  },
  FlavaImageProcessor: {
    defaults: {
      ...all,
      ...clipValues,
      size: square(224),
      crop_size: square(224),
      resample: bicubic,
      return_image_mask: false,
      input_size_patches: 14,
      total_mask_patches: 75,
      mask_group_min_patches: 16,
      mask_group_max_patches: null,
      mask_group_min_aspect_ratio: 0.3,
      mask_group_max_aspect_ratio: null,
      return_codebook_pixels: false,
      codebook_do_resize: true,
      codebook_size: square(112),
      codebook_resample: lanczos,
      codebook_do_center_crop: true,
      codebook_crop_size: square(112),
      codebook_do_rescale: true,
      codebook_rescale_factor: 1 / 255,
      codebook_do_map_pixels: true,
      codebook_do_normalize: true,
      codebook_image_mean: [0, 0, 0],
      codebook_image_std: [1, 1, 1],
    },
    ignores: ignoresPadding,
    own(config, resampling, library) {
      refuse(config, 'return_codebook_pixels', 'it makes a second picture of the image');
      refuse(config, 'return_image_mask', 'it is drawn by chance');
      return {
        steps: [...resized(config, resampling, () => plainSize(config)), ...cropped(config, library)],
      };
    },
  },
  IdeficsImageProcessor: {
    defaults: {
      ...allButCrop,
      ...clipValues,
      size: square(224),
      resample: bicubic,
      do_convert_rgb: true,
      transform: null,
      image_size: null,
      image_num_channels: 3,
    },
    renamed: ({ image_size: side = null }) => (side === null ? {} : { size: { height: side, width: side } }),
  },
  JanusImageProcessor: janus,
  LlavaImageProcessor: {
    defaults: {
      ...all,
      ...clipValues,
      size: { shortest_edge: 224 },
      default_to_square: false,
      crop_size: square(224),
      resample: bicubic,
      do_pad: false,
      do_convert_rgb: true,
    },
    ignores: ['pad_size'],
    own: (config, resampling, library) => ({
      steps: [
        ...paddedToSquare(config),
        ...resized(config, resampling, () => plainSize(config)),
        ...cropped(config, library),
      ],
    }),
    vllm: vllmPicture,
  },
  PI0ImageProcessor: {
    defaults: {
      ...allButCrop,
      ...halfValues,
      size: { max_height: 224, max_width: 224 },
      default_to_square: false,
      pad_size: square(224),
      resample: bicubic,
      do_pad: true,
      do_convert_rgb: true,
      image_seq_length: 256,
    },
  },
  PixtralImageProcessor: {
    defaults: {
      ...allButCrop,
      ...clipValues,
      size: { longest_edge: 1024 },
      patch_size: square(16),
      resample: bicubic,
      do_pad: true,
      do_convert_rgb: true,
    },
    ignores: ['pad_size'],
    own(config, resampling) {
      refuse(config, 'do_center_crop', 'image_sizes would be those before the crop');
      return {
        steps: resized(config, resampling, () => pixtralSize(config)),
        tensor: withPictureSizes(config),
      };
    },
    vllm: vllmPixtral,
  },
  ViltImageProcessor: {
    defaults: {
      ...allButCrop,
      ...halfValues,
      size: { shortest_edge: 384 },
      default_to_square: false,
      resample: bicubic,
      do_pad: true,
      size_divisor: 32,
    },
    ignores: [...ignoresCrop, 'pad_size'],
    own: (config, resampling) => ({
      steps: resized(config, resampling, () => edgeRange(config)),
      tensor: { ...paddedWithMask({ ...config, pad_size: null }, readFlag(config, 'do_pad')) },
    }),
  },
};

/** JanusImageProcessor.resize */
function janusSize(config: ConfigValues): ResizeFit {
  const { width, height } = fixedSize(config, 'size');
  if (width !== height) throw invalid('size', config.size, 'two equal sides');
  return {
    fit: 'rule',
    rule: {
      kind: 'longestEdge',
      longestEdge: width,
      rounding: 'halfToEven',
      shortestSide: readWholeNumber(config, 'min_size', 1, 65_535),
    },
  };
}

/** LlavaImageProcessor.pad_to_square and JanusImageProcessor.pad_to_square */
function paddedToSquare(config: ConfigValues): Step[] {
  // The constructor makes the colour even where nothing is padded.
  const colour = meanColour(config);
  return readFlag(config, 'do_pad') ? [{ kind: 'padTo', to: 'square', at: 'centre', colour }] : [];
}

/** ViltImageProcessor.resize and BridgeTowerImageProcessor.resize */
function edgeRange(config: ConfigValues): ResizeFit {
  const multiple = config.size_divisor === null ? 1 : readWholeNumber(config, 'size_divisor', 1, 65_535);
  return { fit: 'rule', rule: { kind: 'edgeRange', shortestEdge: shortestEdge(config), multiple } };
}

/** BridgeTowerImageProcessor crops to a square of `crop_size = {"shortest_edge": …}`. */
function croppedToEdge(config: ConfigValues, library: PresetLibrary): Step[] {
  if (!readFlag(config, 'do_center_crop')) return [];
  const side = readEdge(config, 'crop_size', 'shortest_edge');
  return [{ kind: 'crop', width: side, height: side, origin: cropOrigin(library) }];
}

/** PixtralImageProcessor.resize */
function pixtralSize(config: ConfigValues): ResizeFit {
  const size = config.size as ConfigValues | null;
  const isEdge = typeof size === 'object' && size !== null && 'longest_edge' in size;
  const side = isEdge ? readEdge(config, 'size', 'longest_edge') : 0;
  const { width, height } = isEdge ? { width: side, height: side } : fixedSize(config, 'size');
  return {
    fit: 'rule',
    rule: { kind: 'wholePatches', width, height, patch: fixedSize(config, 'patch_size') },
  };
}

/** Smart resize, as Qwen2VLImageProcessor has it. */
function pixelBudget(pixels: ConfigValues, factor: number): ResizeFit {
  return {
    fit: 'rule',
    rule: {
      kind: 'pixelBudget',
      factor,
      minPixels: readWholeNumber(pixels, 'min_pixels', 1, maxPixels),
      maxPixels: readWholeNumber(pixels, 'max_pixels', 1, maxPixels),
    },
  };
}

/** Padding of a batch to its largest image after normalizing, and the sizes before it. */
function withPictureSizes(config: ConfigValues) {
  return {
    ...(readFlag(config, 'do_pad') && { arrangement: { kind: 'images', isPadded: true } as const }),
    extras: [{ name: 'image_sizes', kind: 'imageSizes', of: 'picture' } as const],
  };
}
