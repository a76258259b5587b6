import type { Step } from '../../image/steps.ts';
import type { Resampling } from '../../image/views/view.ts';
import { invalid, readFlag } from '../config-values.ts';
import type { ConfigValues, ProcessorType } from '../processor-types.ts';
import {
  cropped,
  fixedSize,
  longestEdge,
  paddedAfterwards,
  plainSize,
  refuse,
  resized,
} from './own-steps.ts';
import { allButCrop, bicubic, bilinear, halfValues, imagenetValues, square } from './type-values.ts';

/*
 * Image processors of transformers for segmentation that take an image without proportions, or its longest edge.
 */

const sam2: ProcessorType = {
  defaults: {
    ...allButCrop,
    ...imagenetValues,
    size: square(1024),
    mask_size: square(256),
    resample: bilinear,
    do_convert_rgb: true,
  },
  own: (config, resampling, library) => ({
    steps: [...resized(config, resampling, () => plainSize(config)), ...cropped(config, library)],
    tensor: {
      ...(readFlag(config, 'do_pad') && { arrangement: paddedAfterwards(config) }),
      extras: [{ name: 'original_sizes', kind: 'imageSizes' }],
    },
  }),
};

/** Image processors by the name of their class. */
export const segmentationTypes: Readonly<Record<string, ProcessorType>> = {
  EomtImageProcessor: {
    defaults: {
      ...allButCrop,
      ...imagenetValues,
      size: { shortest_edge: 640, longest_edge: 640 },
      default_to_square: false,
      resample: bilinear,
      do_pad: false,
      do_split_image: false,
      ignore_index: null,
    },
    ignores: ['do_center_crop', 'crop_size', 'pad_size'],
    own: (config, resampling) => {
      refuse(config, 'do_split_image', 'the number of pictures depends on the image');
      return { steps: [...resized(config, resampling, () => plainSize(config)), ...eomtPadding(config)] };
    },
  },
  Sam2ImageProcessor: sam2,
  Sam3ImageProcessor: {
    ...sam2,
    defaults: { ...sam2.defaults, ...halfValues, size: square(1008), mask_size: square(288) },
  },
  SamImageProcessor: {
    defaults: {
      ...allButCrop,
      ...imagenetValues,
      size: { longest_edge: 1024 },
      mask_size: { longest_edge: 256 },
      pad_size: square(1024),
      mask_pad_size: square(256),
      resample: bilinear,
      do_pad: true,
      do_convert_rgb: true,
    },
    own: (config, resampling) => ({
      steps: samSteps(config, resampling),
      tensor: {
        ...(readFlag(config, 'do_pad') && { arrangement: paddedAfterwards(config) }),
        extras: [
          { name: 'original_sizes', kind: 'imageSizes' },
          { name: 'reshaped_input_sizes', kind: 'imageSizes', of: 'picture' },
        ],
      },
    }),
  },
  Sapiens2ImageProcessor: {
    defaults: {
      ...allButCrop,
      ...imagenetValues,
      size: { height: 1024, width: 768 },
      crop_size: square(224),
      resample: bilinear,
      do_center_crop: false,
      do_pad: false,
      do_reduce_labels: false,
      keypoint_heatmap_downscale_factor: 4,
      keypoint_heatmap_sigma: 6,
    },
    ignores: ['pad_size'],
    own: (config, resampling, library) => {
      const resize = resized(config, resampling, () => {
        if (!readFlag(config, 'do_pad')) return plainSize(config);
        const { width, height } = fixedSize(config, 'size');
        return { fit: 'within', maxWidth: width, maxHeight: height };
      });
      const isPadded = readFlag(config, 'do_pad') && resize.length > 0;
      const padding: Step[] = isPadded
        ? [{ kind: 'crop', ...fixedSize(config, 'size'), origin: 'transformers-torchvision' }]
        : [];
      return { steps: [...resize, ...padding, ...cropped(config, library)] };
    },
  },
  SegGptImageProcessor: {
    defaults: {
      ...allButCrop,
      ...imagenetValues,
      size: square(448),
      resample: bicubic,
      do_convert_rgb: true,
      num_labels: null,
    },
    // Only masks are converted to RGB.
    ignores: ['do_convert_rgb', 'do_center_crop', 'crop_size', 'do_pad', 'pad_size'],
  },
};

function samSteps(config: ConfigValues, resampling: Resampling): Step[] {
  refuse(config, 'do_center_crop', 'reshaped_input_sizes would be those before the crop');
  return resized(config, resampling, () => ({
    fit: 'rule',
    rule: { kind: 'longestEdge', longestEdge: longestEdge(config), rounding: 'halfUp' },
  }));
}

/** EomtImageProcessor._pad: zeros before normalizing, up to `size`. */
function eomtPadding(config: ConfigValues): Step[] {
  if (!readFlag(config, 'do_pad')) return [];
  const size = plainSize(config);
  if (!('shortestEdge' in size)) throw invalid('size', config.size, '{shortest_edge, longest_edge}');
  const { shortestEdge, longestEdge: width = shortestEdge } = size;
  return [{ kind: 'padTo', to: { atLeast: { width, height: shortestEdge } }, at: 'topLeft' }];
}
