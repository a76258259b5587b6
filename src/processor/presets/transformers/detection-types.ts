import type { ResizeFit } from '../../image/resize.ts';
import type { Step } from '../../image/steps.ts';
import { type ConfigSize, invalid, readFlag, readSize, readWholeNumber } from '../config-values.ts';
import type { ConfigValues, OwnPlan, ProcessorType } from '../processor-types.ts';
import {
  checkValuesResize,
  edgesOf,
  fixedSize,
  paddedWithMask,
  padSize,
  resized,
  unfusedValues,
} from './own-steps.ts';
import { allButCrop, bilinear, clipValues, imagenetValues, square } from './type-values.ts';

/*
 * Image processors of transformers for detection and segmentation that keep an image's proportions and pad a batch,
 * with a mask.
 */

/** Owlv2ImageProcessor pads to a square, blurs and resizes values. Its resize is bilinear, whatever `resample` is. */
function blurredSquare(config: ConfigValues): OwnPlan {
  if (!readFlag(config, 'do_rescale')) throw invalid('do_rescale', config.do_rescale, 'true');
  const steps: readonly Step[] = readFlag(config, 'do_pad')
    ? [{ kind: 'padTo', to: 'square', at: 'topLeft' }]
    : [];
  if (!readFlag(config, 'do_resize')) throw invalid('do_resize', config.do_resize, 'true');
  const size = { fit: 'fill', ...fixedSize(config, 'size') } as const;
  return {
    steps,
    tensor: { rounding: 'resized', arrangement: { kind: 'resizedValues', size, antialias: 'blur' } },
  };
}

/** RfDetrImageProcessor rescales, resizes and normalizes. */
function valuesWithMask(config: ConfigValues): OwnPlan {
  const pads = readFlag(config, 'do_pad');
  const padding = paddedWithMask(config, pads);
  if (!readFlag(config, 'do_resize')) {
    return { steps: [], tensor: { ...unfusedValues(config), ...padding } };
  }
  checkValuesResize(config);
  const size = detrSize(config);
  const canvas = padSize(config) ?? ({ multipleOf: 1 } as const);
  const extras = padding.extras?.map((mask) => ({ ...mask, resizedTo: size }));
  return {
    steps: [],
    tensor: {
      rounding: 'resized',
      arrangement: { kind: 'resizedValues', size, ...(pads && { canvas }) },
      ...(extras && { extras }),
    },
  };
}

const detection = {
  ...allButCrop,
  ...imagenetValues,
  resample: bilinear,
  size: { shortest_edge: 800, longest_edge: 1333 },
  default_to_square: false,
};

const annotations = { format: 'coco_detection', do_convert_annotations: true };
const detrDefaults = {
  ...detection,
  ...annotations,
  do_pad: true,
  max_size: null,
  pad_and_return_pixel_mask: null,
};
const ignoresCrop = ['do_center_crop', 'crop_size'];

const detr: ProcessorType = {
  defaults: detrDefaults,
  ignores: ignoresCrop,
  own: (config, resampling) => ({
    steps: resized(config, resampling, () => detrSize(config)),
    tensor: paddedWithMask(config, readFlag(config, 'do_pad')),
  }),
  renamed: detrKeys,
};

const maskFormer: ProcessorType = {
  defaults: {
    ...detection,
    max_size: null,
    size_divisor: 32,
    do_reduce_labels: false,
    ignore_index: null,
    num_labels: null,
  },
  ignores: [...ignoresCrop, 'do_pad'],
  own: (config, resampling) => ({
    steps: resized(config, resampling, () => {
      const multiple = readWholeNumber(config, 'size_divisor', 0, 65_535);
      const size = detrSize(config);
      return multiple === 0
        ? size
        : { fit: 'rule', rule: { kind: 'toMultiple', multiple, rounding: 'up', edges: edgesOf(size) } };
    }),
    tensor: paddedWithMask(config, true),
  }),
  renamed: maskFormerKeys,
};

/** Image processors by the name of their class. */
export const detectionTypes: Readonly<Record<string, ProcessorType>> = {
  Owlv2ImageProcessor: {
    defaults: {
      do_convert_rgb: true,
      do_resize: true,
      do_rescale: true,
      do_normalize: true,
      do_pad: true,
      ...clipValues,
      size: square(960),
      resample: bilinear,
      crop_size: null,
      rescale: null,
    },
    ignores: ['do_center_crop', 'crop_size', 'pad_size'],
    isTorchOnly: true,
    own: blurredSquare,
  },
  ConditionalDetrImageProcessor: detr,
  DeformableDetrImageProcessor: detr,
  DetrImageProcessor: detr,
  GroundingDinoImageProcessor: detr,
  Mask2FormerImageProcessor: maskFormer,
  MaskFormerImageProcessor: maskFormer,
  OneFormerImageProcessor: {
    defaults: {
      ...detection,
      do_convert_rgb: true,
      repo_path: 'shi-labs/oneformer_demo',
      class_info_file: null,
      num_text: null,
      num_labels: null,
      ignore_index: null,
      do_reduce_labels: false,
    },
    ignores: [...ignoresCrop, 'do_pad', 'pad_size'],
    own: (config, resampling) => ({
      steps: resized(config, resampling, () =>
        readSize(config, 'size', readFlag(config, 'default_to_square')),
      ),
      tensor: paddedWithMask(config, true),
    }),
  },
  RfDetrImageProcessor: {
    defaults: detrDefaults,
    ignores: ignoresCrop,
    own: valuesWithMask,
    renamed: detrKeys,
  },
  RTDetrImageProcessor: {
    ...detr,
    defaults: {
      ...detection,
      ...annotations,
      do_normalize: false,
      do_pad: false,
      size: { height: 640, width: 640 },
    },
    renamed: undefined,
  },
  YolosImageProcessor: {
    ...detr,
    own: (config, resampling) => ({
      steps: resized(config, resampling, () => yolosSize(config)),
      tensor: paddedWithMask(config, readFlag(config, 'do_pad')),
    }),
  },
};

/** DetrImageProcessor.resize: two edges, both sides, or a size to fit into. */
function detrSize(config: ConfigValues): ConfigSize {
  const size = readSize(config, 'size', readFlag(config, 'default_to_square'));
  if (size.fit !== 'shortestEdge' || size.longestEdge !== undefined) return size;
  throw invalid(
    'size',
    config.size,
    '{shortest_edge, longest_edge}, {height, width} or {max_height, max_width}',
  );
}

/** get_size_with_aspect_ratio_yolos (image_processing_yolos.py): sides by edges are multiples of 16. */
function yolosSize(config: ConfigValues): ResizeFit {
  const size = detrSize(config);
  if (size.fit !== 'shortestEdge') return size;
  return { fit: 'rule', rule: { kind: 'toMultiple', multiple: 16, rounding: 'down', edges: edgesOf(size) } };
}

/** DetrImageProcessor.__init__ */
function detrKeys(given: ConfigValues): ConfigValues {
  const { size = null, max_size: maxSize = 1333, pad_and_return_pixel_mask: pads } = given;
  return {
    ...(size === null && { size: detection.size }),
    ...(typeof size === 'number' && { size: { shortest_edge: size, longest_edge: maxSize } }),
    ...(!('do_pad' in given) && pads !== undefined && { do_pad: pads }),
  };
}

/** Mask2FormerImageProcessor.__init__ */
function maskFormerKeys({ size = null, max_size: maxSize = null }: ConfigValues): ConfigValues {
  if (maxSize === null) return {};
  if (size === null) return { size: { ...detection.size, longest_edge: maxSize } };
  return typeof size === 'number' ? { size: { shortest_edge: size, longest_edge: maxSize } } : {};
}
