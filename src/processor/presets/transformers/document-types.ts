import type { ResizeFit } from '../../image/resize.ts';
import type { Step } from '../../image/steps.ts';
import type { Resampling } from '../../image/views/view.ts';
import { readFlag, readPerChannel, readWholeNumber } from '../config-values.ts';
import type { PresetLibrary } from '../preset.ts';
import type { ConfigValues, ProcessorType } from '../processor-types.ts';
import { layout, layoutOfFloats } from './layout-steps.ts';
import { cropped, fixedSize, plainSize, refuse, resized, shortestEdge } from './own-steps.ts';
import { textDetection } from './text-steps.ts';
import { all, allButCrop, bicubic, bilinear, halfValues, imagenetValues, square } from './type-values.ts';

/*
 * Image processors of transformers for documents and text in images.
 */

const ocr = { apply_ocr: true, ocr_lang: null, tesseract_config: '' };
const ignoresPadding = ['do_pad', 'pad_size'];
const ignoresCrop = ['do_center_crop', 'crop_size'];
const docLayout = {
  ...allButCrop,
  image_mean: [0, 0, 0],
  image_std: [1, 1, 1],
  size: square(800),
  resample: bicubic,
};
const longAxis = { do_thumbnail: true, do_align_long_axis: false, do_pad: true };

const nougat: ProcessorType = {
  defaults: {
    ...allButCrop,
    ...imagenetValues,
    ...longAxis,
    size: { height: 896, width: 672 },
    resample: bilinear,
    do_crop_margin: true,
  },
  ignores: [...ignoresCrop, 'pad_size'],
  own(config, resampling, library) {
    refuse(config, 'do_crop_margin', 'the margins, and so the sizes, depend on the pixels');
    if (library === 'torch') refuse(config, 'do_align_long_axis', 'the torchvision backend turns other axes');
    // The Pillow backend reduces the image first, with reducing_gap=2.
    if (library === 'pillow') refuse(config, 'do_thumbnail', 'numerics=torch computes it');
    return { steps: longAxisSteps(config, resampling, { ...resampling, filter: 'bicubic' }, library) };
  },
};

/** Image processors by the name of their class. */
export const documentTypes: Readonly<Record<string, ProcessorType>> = {
  DonutImageProcessor: {
    defaults: {
      ...allButCrop,
      ...halfValues,
      ...longAxis,
      size: { height: 2560, width: 1920 },
      resample: bilinear,
    },
    ignores: ['pad_size'],
    own: (config, resampling, library) => ({ steps: donutSteps(config, resampling, library) }),
    // A list is [width, height].
    renamed: ({ size }) => (Array.isArray(size) ? { size: size.toReversed() } : {}),
  },
  LayoutLMv2ImageProcessor: {
    defaults: { ...ocr, do_resize: true, size: square(224), resample: bilinear, rescale_factor: null },
    ignores: [...ignoresCrop, ...ignoresPadding, 'do_rescale', 'do_normalize', 'image_mean', 'image_std'],
    own(config, resampling) {
      refuseOcr(config);
      return {
        steps: resized(config, resampling, () => plainSize(config)),
        tensor: { channelOrder: 'BGR' },
      };
    },
  },
  LayoutLMv3ImageProcessor: {
    defaults: { ...allButCrop, ...halfValues, ...ocr, size: square(224), resample: bilinear },
    ignores: ignoresPadding,
    own(config, resampling, library) {
      refuseOcr(config);
      return {
        steps: [...resized(config, resampling, () => plainSize(config)), ...cropped(config, library)],
      };
    },
  },
  NougatImageProcessor: nougat,
  PPDocLayoutV2ImageProcessor: { defaults: docLayout, own: layout },
  PPDocLayoutV3ImageProcessor: { defaults: docLayout, own: layout },
  PPDocLayoutV4ImageProcessor: { defaults: docLayout, own: layoutOfFloats },
  PPOCRV5ServerDetImageProcessor: {
    defaults: {
      ...allButCrop,
      image_mean: [0.406, 0.456, 0.485],
      image_std: [0.225, 0.224, 0.229],
      size: square(960),
      resample: bilinear,
      limit_side_len: 960,
      limit_type: 'max',
      max_side_limit: 4000,
    },
    ignores: [...ignoresCrop, ...ignoresPadding, 'size'],
    own: textDetection,
  },
  PPFormulaNetImageProcessor: {
    ...nougat,
    defaults: {
      ...nougat.defaults,
      image_mean: [0.7931, 0.7931, 0.7931],
      image_std: [0.1738, 0.1738, 0.1738],
      size: square(768),
    },
  },
  PPLCNetImageProcessor: {
    defaults: {
      ...all,
      image_mean: imagenetValues.image_mean.toReversed(),
      image_std: imagenetValues.image_std.toReversed(),
      size: square(256),
      crop_size: square(224),
      resample: bilinear,
      resize_short: 256,
      size_divisor: 1,
    },
    ignores: ignoresPadding,
    own: (config, resampling, library) => ({
      steps: [...resized(config, resampling, () => lcNetSize(config)), ...cropped(config, library)],
      tensor: { channelOrder: 'BGR', ...reversedValues(config) },
    }),
  },
  TextNetImageProcessor: {
    defaults: {
      ...allButCrop,
      ...imagenetValues,
      size: { shortest_edge: 640 },
      default_to_square: false,
      crop_size: square(224),
      resample: bilinear,
      do_center_crop: false,
      do_convert_rgb: true,
      size_divisor: 32,
    },
    ignores: ignoresPadding,
    own: (config, resampling, library) => ({
      steps: [...resized(config, resampling, () => textNetSize(config)), ...cropped(config, library)],
    }),
  },
};

function refuseOcr(config: ConfigValues): void {
  refuse(config, 'apply_ocr', 'Tesseract reads the words; send apply_ocr as false for only the pixels');
}

function donutSteps(config: ConfigValues, resampling: Resampling, library: PresetLibrary): Step[] {
  // The Pillow backend takes resample=0 for a missing value.
  const isBicubic = library === 'pillow' && config.resample === 0;
  const thumbnail = isBicubic ? ({ ...resampling, filter: 'bicubic' } as const) : resampling;
  return [...longAxisSteps(config, resampling, thumbnail, library), ...cropped(config, library)];
}

/** DonutImageProcessor._preprocess up to its padding. */
function longAxisSteps(
  config: ConfigValues,
  resampling: Resampling,
  thumbnail: Resampling,
  library: PresetLibrary,
): Step[] {
  const size = fixedSize(config, 'size');
  // The Pillow backend pads by NumPy, which refuses a negative number of pixels; torchvision cuts.
  const padding = { kind: 'padTo', to: size, at: 'centre' } as const;
  const padded: Step = library === 'pillow' ? { ...padding, refusesLarger: true } : padding;
  return [
    ...(readFlag(config, 'do_align_long_axis') ? [{ kind: 'turnLongAxis', ...size } as const] : []),
    ...resized(config, resampling, () => ({
      fit: 'shortestEdge',
      shortestEdge: Math.min(size.width, size.height),
    })),
    ...(readFlag(config, 'do_thumbnail')
      ? [{ kind: 'resize', fit: 'rule', rule: { kind: 'thumbnail', ...size }, ...thumbnail } as const]
      : []),
    ...(readFlag(config, 'do_pad') ? [padded] : []),
  ];
}

/** PPLCNetImageProcessor.get_image_size */
function lcNetSize(config: ConfigValues): ResizeFit {
  if (config.resize_short === null) return plainSize(config);
  return {
    fit: 'rule',
    rule: {
      kind: 'shortSide',
      shortestEdge: readWholeNumber(config, 'resize_short', 1, 65_535),
      ...(config.size_divisor !== null && {
        multiple: readWholeNumber(config, 'size_divisor', 1, 65_535),
      }),
    },
  };
}

/** It normalizes before it reverses the channels. */
function reversedValues(config: ConfigValues): { mean?: readonly number[]; std?: readonly number[] } {
  if (!readFlag(config, 'do_normalize')) return {};
  return {
    mean: readPerChannel(config, 'image_mean').toReversed(),
    std: readPerChannel(config, 'image_std').toReversed(),
  };
}

function textNetSize(config: ConfigValues): ResizeFit {
  return {
    fit: 'rule',
    rule: {
      kind: 'toMultiple',
      multiple: readWholeNumber(config, 'size_divisor', 1, 65_535),
      rounding: 'up',
      edges: { shortestEdge: shortestEdge(config) },
    },
  };
}
