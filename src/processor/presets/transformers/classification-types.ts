import type { ResizeFit } from '../../image/resize.ts';
import type { Step } from '../../image/steps.ts';
import { invalid, readFlag, readNumber, readStd, readWholeNumber } from '../config-values.ts';
import type { PresetLibrary } from '../preset.ts';
import type { ConfigValues, OwnPlan, OwnTensor, ProcessorType } from '../processor-types.ts';
import {
  cropOrigin,
  cropped,
  fixedSize,
  paddedAfterwards,
  plainSize,
  refuse,
  resized,
  unfusedValues,
} from './own-steps.ts';
import {
  all,
  allButCrop,
  bicubic,
  bilinear,
  halfValues,
  imagenetValues,
  shortest,
  square,
} from './type-values.ts';

/*
 * Image processors of transformers that classify, describe or enlarge an image.
 */

/** DINOv3ViTImageProcessor rescales, resizes and normalizes. */
function resizedValues(config: ConfigValues): OwnPlan {
  refuse(config, 'do_center_crop', 'it crops values, not pixels');
  if (!readFlag(config, 'do_resize')) return { steps: [], tensor: unfusedValues(config) };
  if (!readFlag(config, 'do_rescale')) throw invalid('do_rescale', config.do_rescale, 'true');
  const size = plainSize(config);
  if (size.fit !== 'fill') throw invalid('size', config.size, '{height, width}');
  const antialias = config.resample === bilinear ? 'bilinear' : 'bicubic';
  if (config.resample !== bilinear && config.resample !== bicubic) {
    throw invalid('resample', config.resample, '2, which is bilinear, or 3, which is bicubic');
  }
  return {
    steps: [],
    tensor: { rounding: 'resized', arrangement: { kind: 'resizedValues', size, antialias } },
  };
}

const ignoresCrop = ['do_center_crop', 'crop_size'];
const ignoresPadding = ['do_pad', 'pad_size'];

/** Image processors by the name of their class. */
export const classificationTypes: Readonly<Record<string, ProcessorType>> = {
  DINOv3ViTImageProcessor: {
    defaults: {
      do_resize: true,
      do_rescale: true,
      do_normalize: true,
      ...imagenetValues,
      size: square(224),
      resample: bilinear,
    },
    ignores: ignoresPadding,
    own: resizedValues,
  },
  EfficientNetImageProcessor: {
    defaults: {
      ...allButCrop,
      ...halfValues,
      size: square(346),
      crop_size: square(289),
      resample: bicubic,
      do_center_crop: false,
      rescale_offset: false,
      include_top: true,
    },
    ignores: ignoresPadding,
    own: (config, resampling, library) => ({
      steps: [...resized(config, resampling, () => plainSize(config)), ...cropped(config, library)],
      tensor: efficientNetValues(config, library),
    }),
  },
  PerceiverImageProcessor: {
    defaults: { ...all, ...imagenetValues, size: square(224), crop_size: square(256), resample: bicubic },
    ignores: ignoresPadding,
    own: (config, resampling, library) => ({
      steps: [...croppedRelatively(config, library), ...resized(config, resampling, () => plainSize(config))],
    }),
  },
  PoolFormerImageProcessor: {
    defaults: {
      ...all,
      ...imagenetValues,
      ...shortest(224),
      crop_size: square(224),
      crop_pct: 0.9,
      resample: bicubic,
    },
    own: (config, resampling, library) => ({
      steps: [...resized(config, resampling, () => poolFormerSize(config)), ...cropped(config, library)],
      tensor: { ...(readFlag(config, 'do_pad') && { arrangement: paddedAfterwards(config) }) },
    }),
  },
  SuperPointImageProcessor: {
    defaults: {
      do_resize: true,
      size: { height: 480, width: 640 },
      default_to_square: false,
      resample: bilinear,
      do_rescale: true,
      do_grayscale: false,
    },
    ignores: [...ignoresCrop, ...ignoresPadding, 'do_normalize', 'image_mean', 'image_std'],
    own(config, resampling) {
      refuse(config, 'do_grayscale', 'it leaves an image as it is whose channels are equal');
      return { steps: resized(config, resampling, () => plainSize(config)) };
    },
  },
  Swin2SRImageProcessor: {
    defaults: { do_rescale: true, do_pad: true, size_divisor: 8 },
    ignores: [...ignoresCrop, 'do_resize', 'size', 'resample', 'do_normalize', 'image_mean', 'image_std'],
    own: (config, _, library) => ({ steps: mirrored(config, library) }),
    // The old name of size_divisor.
    renamed: ({ size_divisor: divisor, pad_size: size = null }) =>
      size === null ? {} : { size_divisor: divisor ?? size },
  },
  Tipsv2DptImageProcessor: {
    defaults: {
      do_resize: true,
      do_rescale: true,
      do_convert_rgb: true,
      size: square(448),
      resample: bilinear,
    },
  },
  Tipsv2ImageProcessor: {
    defaults: {
      do_resize: true,
      do_rescale: true,
      do_convert_rgb: true,
      size: square(448),
      resample: bilinear,
    },
  },
};

/** EfficientNetImageProcessor subtracts 1 if it rescales with an offset, and divides by the std again for its classifier. */
function efficientNetValues(config: ConfigValues, library: PresetLibrary): OwnTensor {
  const [rescales, normalizes] = [readFlag(config, 'do_rescale'), readFlag(config, 'do_normalize')];
  const isAgain = readFlag(config, 'include_top');
  if (isAgain && library === 'torch' && !rescales && !normalizes) {
    throw invalid('include_top', config.include_top, 'false, because torchvision does not normalize uint8');
  }
  return {
    ...(rescales &&
      readFlag(config, 'rescale_offset') && {
        offset: 1,
        ...(library === 'torch' && unfusedValues(config)),
      }),
    ...(isAgain && { secondStd: readStd(config), datatype: 'FP32' }),
  };
}

/** PerceiverImageProcessor.center_crop: `size` of `crop_size`, in relation to the shorter side. */
function croppedRelatively(config: ConfigValues, library: PresetLibrary): Step[] {
  if (!readFlag(config, 'do_center_crop')) return [];
  const size = fixedSize(config, 'size');
  const whole = fixedSize(config, 'crop_size');
  return [
    {
      kind: 'relativeCrop',
      heightShare: size.height / whole.height,
      widthShare: size.width / whole.width,
      origin: cropOrigin(library),
    },
  ];
}

/** PoolFormerImageProcessor.resize */
function poolFormerSize(config: ConfigValues): ResizeFit {
  const size = plainSize(config);
  if (config.crop_pct === null) return size;
  const pct = readNumber(config, 'crop_pct');
  const enlarged = (side: number) => {
    const length = Math.trunc(side / pct);
    if (length >= 1 && length <= 65_535) return length;
    throw invalid('crop_pct', config.crop_pct, `what makes ${side} / crop_pct 1 to 65535 pixels`);
  };
  if (size.fit === 'shortestEdge') return { fit: 'shortestEdge', shortestEdge: enlarged(size.shortestEdge) };
  if (size.fit !== 'fill') throw invalid('size', config.size, '{shortest_edge} or {height, width}');
  const { width, height } = { width: enlarged(size.width), height: enlarged(size.height) };
  return size.width === size.height
    ? { fit: 'shortestEdge', shortestEdge: height }
    : { fit: 'fill', width, height };
}

function mirrored(config: ConfigValues, library: PresetLibrary): Step[] {
  if (!readFlag(config, 'do_pad')) return [];
  return [
    {
      kind: 'mirrorPad',
      multiple: readWholeNumber(config, 'size_divisor', 1, 65_535),
      repeats: library === 'pillow',
    },
  ];
}
