import type { Resampling } from '../image/views/view.ts';
import type { VllmPlan, VllmRefusal } from '../image/vllm-plan.ts';
import { readFlag } from './config-values.ts';
import type { PresetLibrary } from './preset.ts';
import type { PresetPlan } from './preset-plan.ts';
import {
  all,
  allButCrop,
  bicubic,
  bilinear,
  clipValues,
  halfValues,
  imagenetValues,
  lanczos,
  shortest,
  square,
} from './transformers/type-values.ts';
import { vllmPicture } from './transformers/vllm-values.ts';

/**
 * The image processors of transformers 5 that are computed here, and the values of their classes for keys that a config
 * omits. Most are pure configuration: they override only these values of PilBackend.
 * test/parity/presets.test.ts compares the values and the pixels of each with transformers' own.
 */
export interface ProcessorType {
  /** Overrides {@link commonDefaults}. */
  readonly defaults: ConfigValues;
  /** How it resizes, if not as PilBackend does: with `crop_pct`, or to 256/224 of `shortest_edge`. */
  readonly resize?: 'cropPct' | 'levit';
  /** Whether its Pillow backend is not computed. */
  readonly isTorchOnly?: true;
  /** Common keys that it ignores. */
  readonly ignores?: readonly string[];
  /** Values that its constructor makes of other keys. Unset: none. */
  readonly renamed?: ((given: ConfigValues) => ConfigValues) | undefined;
  /** Its own `_preprocess`. Unset: that of the backends. */
  readonly own?: (config: ConfigValues, resampling: Resampling, library: PresetLibrary) => OwnPlan;
  /** How vLLM's model takes the tensors (vllm-values.ts). Unset: it is not known. */
  readonly vllm?: VllmDeclaration;
}

/** @param processor - the keys of the model's processor, of which a preprocessor_config.json has none */
export type VllmDeclaration = (config: ConfigValues, processor: ConfigValues) => VllmPlan | VllmRefusal;

/** The parts of a plan that a class with its own `_preprocess` determines. The values are those of the backends. */
export interface OwnPlan extends Pick<PresetPlan, 'steps' | 'views' | 'unreadableHeights'> {
  readonly tensor?: OwnTensor;
}

/** The parts of a tensor's plan that replace those of the backends. */
export type OwnTensor = Partial<Omit<PresetPlan['tensor'], 'vllm'>>;

/** Keys as in preprocessor_config.json. */
export type ConfigValues = Readonly<Record<string, unknown>>;

/** Keys of BaseImageProcessor and PilBackend. Unset is false, or missing. */
export const commonDefaults = {
  do_convert_rgb: null,
  do_resize: null,
  size: null,
  default_to_square: true,
  resample: null,
  do_center_crop: null,
  crop_size: null,
  do_rescale: null,
  rescale_factor: 1 / 255,
  do_normalize: null,
  image_mean: null,
  image_std: null,
  do_pad: null,
  pad_size: null,
  data_format: null,
} as const satisfies ConfigValues;

const clip = {
  ...all,
  ...shortest(224),
  ...clipValues,
  crop_size: square(224),
  resample: bicubic,
  do_convert_rgb: true,
};
const mobileNet = { ...all, ...shortest(256), ...halfValues, crop_size: square(224), resample: bilinear };

/** Image processors by the name of their class. */
export const processorTypes: Readonly<Record<string, ProcessorType>> = {
  BeitImageProcessor: {
    defaults: {
      ...allButCrop,
      ...halfValues,
      size: square(224),
      do_center_crop: false,
      crop_size: square(224),
      resample: bicubic,
    },
    ignores: ['do_pad', 'pad_size'],
  },
  BitImageProcessor: { defaults: clip },
  BlipImageProcessor: {
    defaults: {
      ...allButCrop,
      ...clipValues,
      size: square(384),
      resample: bicubic,
      do_convert_rgb: true,
    },
    vllm: vllmPicture,
  },
  ChameleonImageProcessor: {
    defaults: {
      ...all,
      ...shortest(512),
      crop_size: square(512),
      resample: lanczos,
      rescale_factor: 0.0078,
      image_mean: [1, 1, 1],
      image_std: [1, 1, 1],
      do_convert_rgb: true,
    },
  },
  ChineseCLIPImageProcessor: { defaults: clip },
  CLIPImageProcessor: {
    defaults: { ...clip, use_square_size: null },
    // KOSMOS-2's
    renamed: (given) => (readFlag(given, 'use_square_size') ? { size: square(224) } : {}),
    vllm: vllmPicture,
  },
  ConvNextImageProcessor: {
    defaults: { ...allButCrop, ...shortest(384), ...halfValues, resample: bicubic, crop_pct: 224 / 256 },
    resize: 'cropPct',
    ignores: ['do_pad', 'pad_size'],
  },
  DeiTImageProcessor: {
    defaults: { ...all, ...halfValues, size: square(256), crop_size: square(224), resample: bicubic },
  },
  LevitImageProcessor: {
    defaults: { ...all, ...shortest(224), ...imagenetValues, crop_size: square(224), resample: bicubic },
    resize: 'levit',
  },
  MobileNetV1ImageProcessor: { defaults: mobileNet },
  MobileNetV2ImageProcessor: { defaults: mobileNet, ignores: ['do_pad', 'pad_size'] },
  MobileViTImageProcessor: {
    defaults: {
      do_resize: true,
      ...shortest(224),
      resample: bicubic,
      do_center_crop: true,
      crop_size: square(256),
      do_rescale: true,
      do_flip_channel_order: true,
    },
    ignores: ['do_normalize', 'image_mean', 'image_std', 'do_pad', 'pad_size'],
  },
  OwlViTImageProcessor: {
    defaults: {
      ...allButCrop,
      ...clipValues,
      size: square(768),
      do_center_crop: false,
      crop_size: square(768),
      resample: bicubic,
      do_convert_rgb: true,
      rescale: null,
    },
    renamed: (given) => ('rescale' in given ? { do_rescale: given.rescale } : {}),
  },
  PPChart2TableImageProcessor: {
    defaults: { ...allButCrop, ...clipValues, size: square(1024), resample: bicubic },
  },
  PvtImageProcessor: {
    defaults: { ...allButCrop, ...imagenetValues, size: square(224), resample: bicubic },
  },
  SegformerImageProcessor: {
    defaults: { ...allButCrop, ...imagenetValues, size: square(512), resample: bilinear },
    ignores: ['do_center_crop', 'crop_size', 'do_pad', 'pad_size'],
  },
  SiglipImageProcessor: {
    defaults: {
      ...allButCrop,
      ...halfValues,
      size: square(224),
      default_to_square: false,
      resample: bicubic,
      do_convert_rgb: true,
    },
    vllm: vllmPicture,
  },
  ViTImageProcessor: {
    defaults: { ...allButCrop, ...halfValues, size: square(224), resample: bilinear },
  },
};

/** Keys that do not affect an image's pixels. */
export const inertKeys: ReadonlySet<string> = new Set([
  'image_processor_type',
  'feature_extractor_type',
  'model_type',
  'processor_class',
  '_processor_class',
  '_valid_processor_keys',
  '_valid_kwargs_names',
  'auto_map',
  'transformers_version',
  'use_fast',
  'backend',
  'device',
  'disable_grouping',
  'return_tensors',
  'input_data_format',
  'model_input_names',
  'image_seq_length',
  // Segmentation maps are not processed here.
  'do_reduce_labels',
  'reduce_labels',
]);
