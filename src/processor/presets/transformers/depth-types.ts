import type { NearSizeRule } from '../../image/size-rules/near-size.ts';
import { readFlag, readWholeNumber } from '../config-values.ts';
import type { PresetPlan } from '../preset-plan.ts';
import type { ConfigValues, ProcessorType } from '../processor-types.ts';
import { checkValuesResize, cropped, fixedSize, resized } from './own-steps.ts';
import { allButCrop, bicubic, bilinear, halfValues, square } from './type-values.ts';

/*
 * Image processors of transformers for depth: they resize to multiples, and pad to multiples after normalizing.
 */

const depth = {
  ...allButCrop,
  ...halfValues,
  size: square(384),
  resample: bicubic,
  do_pad: false,
  ensure_multiple_of: 1,
  keep_aspect_ratio: false,
  size_divisor: null,
};

/** Image processors by the name of their class. */
export const depthTypes: Readonly<Record<string, ProcessorType>> = {
  CHMv2ImageProcessor: {
    defaults: {
      ...depth,
      image_mean: [0.42, 0.411, 0.296],
      image_std: [0.213, 0.156, 0.143],
      do_resize: false,
      do_pad: true,
      ensure_multiple_of: 16,
      keep_aspect_ratio: true,
      size_divisor: 16,
      do_reduce_labels: null,
    },
    ignores: ['pad_size'],
    own: (config, resampling, library) => ({
      steps: [...resized(config, resampling, () => nearSize(config)), ...cropped(config, library)],
      tensor: paddedToMultiple(config),
    }),
  },
  DPTImageProcessor: {
    defaults: { ...depth, do_reduce_labels: null },
    ignores: ['pad_size'],
    own: (config, resampling, library) => ({
      steps: [
        ...resized(config, resampling, () => nearSize(config)),
        // The Pillow backend does not crop.
        ...(library === 'torch' ? cropped(config, library) : []),
      ],
      // The torch backend fails without `size_divisor`.
      tensor: library === 'pillow' && config.size_divisor === null ? {} : paddedToMultiple(config),
    }),
  },
  DepthProImageProcessor: {
    defaults: { ...allButCrop, ...halfValues, size: square(1536), resample: bilinear },
    ignores: ['do_center_crop', 'crop_size', 'do_pad', 'pad_size'],
    own(config) {
      if (!readFlag(config, 'do_resize')) return { steps: [] };
      checkValuesResize(config);
      const size = fixedSize(config, 'size', readFlag(config, 'default_to_square'));
      return {
        steps: [],
        tensor: { arrangement: { kind: 'resizedValues', size: { fit: 'fill', ...size } } },
      };
    },
  },
  GLPNImageProcessor: {
    defaults: { do_resize: true, do_rescale: true, resample: bilinear, size_divisor: 32 },
    ignores: ['size', 'do_center_crop', 'crop_size', 'do_pad', 'pad_size'],
    own: (config, resampling) => ({
      steps: resized(config, resampling, () => ({
        fit: 'rule',
        rule: {
          kind: 'toMultiple',
          multiple: readWholeNumber(config, 'size_divisor', 1, 65_535),
          rounding: 'down',
        },
      })),
    }),
  },
  PromptDepthAnythingImageProcessor: {
    defaults: { ...depth, prompt_scale_to_meter: 0.001 },
    ignores: ['do_convert_rgb', 'do_center_crop', 'crop_size', 'pad_size'],
    own: (config, resampling) => ({
      steps: resized(config, resampling, () => nearSize(config)),
      tensor: config.size_divisor === null ? {} : paddedToMultiple(config),
    }),
  },
};

function nearSize(config: ConfigValues): { fit: 'rule'; rule: NearSizeRule } {
  return {
    fit: 'rule',
    rule: {
      kind: 'nearSize',
      ...fixedSize(config, 'size'),
      multiple: readWholeNumber(config, 'ensure_multiple_of', 1, 65_535),
      keepsRatio: readFlag(config, 'keep_aspect_ratio'),
    },
  };
}

/** DPTImageProcessor.pad_image */
function paddedToMultiple(config: ConfigValues): Pick<PresetPlan['tensor'], 'arrangement'> {
  if (!readFlag(config, 'do_pad')) return {};
  const multipleOf = readWholeNumber(config, 'size_divisor', 1, 65_535);
  return { arrangement: { kind: 'images', canvas: { multipleOf }, isCentred: true } };
}
