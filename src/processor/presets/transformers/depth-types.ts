import type { NearSizeRule } from '../../image/size-rules/near-size.ts';
import type { Resampling } from '../../image/views/view.ts';
import { invalid, readFlag, readNumber, readWholeNumber, unsupportedKeys } from '../config-values.ts';
import type { PresetLibrary } from '../preset.ts';
import type { PresetPlan } from '../preset-plan.ts';
import type { ConfigValues, OwnPlan, ProcessorType } from '../processor-types.ts';
import { checkValuesResize, cropped, fixedSize, resized, unfusedValues } from './own-steps.ts';
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
  ZoeDepthImageProcessor: {
    defaults: {
      ...allButCrop,
      ...halfValues,
      size: { height: 384, width: 512 },
      resample: bilinear,
      do_pad: true,
      keep_aspect_ratio: true,
      ensure_multiple_of: 1 / 32,
    },
    ignores: ['do_center_crop', 'crop_size', 'pad_size'],
    own: mirroredAndResized,
  },
};

/** ZoeDepthImageProcessor rescales, pads, resizes and normalizes. Its resize is PyTorch's of floats with both backends. */
function mirroredAndResized(config: ConfigValues, { filter }: Resampling, library: PresetLibrary): OwnPlan {
  const steps = readFlag(config, 'do_pad')
    ? [{ kind: 'reflectPad', repeats: library === 'pillow' } as const]
    : [];
  if (!readFlag(config, 'do_resize')) {
    return { steps, ...(library === 'torch' && { tensor: unfusedValues(config) }) };
  }
  if (!readFlag(config, 'do_rescale')) {
    throw unsupportedKeys(['do_rescale'], 'pixels would be resized with their corners aligned');
  }
  if (filter !== 'bilinear' && filter !== 'bicubic') throw invalid('resample', config.resample, '2 or 3');
  const multiple = readNumber(config, 'ensure_multiple_of');
  if (multiple <= 0) throw invalid('ensure_multiple_of', multiple, 'a number over 0');
  const keepsRatio = readFlag(config, 'keep_aspect_ratio');
  const rule = { kind: 'nearSize', ...fixedSize(config, 'size'), multiple, keepsRatio } as const;
  return {
    steps,
    tensor: {
      rounding: library === 'torch' ? 'resized' : 'resizedStepwise',
      arrangement: {
        kind: 'resizedValues',
        size: { fit: 'rule', rule },
        plain: filter,
        alignsCorners: true,
        // The Pillow backend drops axes of length 1.
        leastSide: library === 'pillow' ? 2 : 1,
      },
    },
  };
}

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
