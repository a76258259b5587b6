import type { CropOrigin } from '../image/crop.ts';
import type { Step } from '../image/steps.ts';
import type { Resampling } from '../image/views/view.ts';
import {
  type ConfigSize,
  ignoring,
  invalid,
  readFlag,
  readNumber,
  readPerChannel,
  readSize,
  readStd,
  unsupportedKeys,
} from './config-values.ts';
import { isOpenClipConfig, openClipPlan } from './open-clip-config.ts';
import type { Preset } from './preset.ts';
import { onWhite, type PresetPlan } from './preset-plan.ts';
import { type ConfigValues, commonDefaults, inertKeys, type ProcessorType } from './processor-types.ts';
import { isTimmConfig, timmPlan } from './timm-config.ts';
import { type Backend, backendOf, readResampling } from './transformers/backends.ts';
import { backendsOf, computedType } from './transformers/computed-types.ts';
import { readConfigFile } from './transformers/config-file.ts';
import { paddedAfterwards } from './transformers/own-steps.ts';
import { type NamedType, resolveType, unsupportedType } from './transformers/resolve-type.ts';
import { bilinear } from './transformers/type-values.ts';

/** A preprocessor config: the part of a preset that it determines. */
export type ConfiguredPreset = Pick<Preset, 'libraries' | 'plan'>;

/**
 * Reads the config of a model as its library does: timm's, open_clip's, or a Hugging Face preprocessor_config.json as
 * transformers 5. A type, key or value that is not computed here exactly as there is refused by name, some of them by
 * `plan`.
 *
 * `torch` is transformers' torchvision backend, which AutoImageProcessor chooses, and `pillow` its Pillow backend, which
 * the suffix `Pil` of a class chooses. The keys `use_fast` and `backend` choose nothing: AutoImageProcessor knows them
 * only as arguments.
 *
 * @throws PRESET_INVALID if transformers would fail too, PRESET_UNSUPPORTED otherwise; `plan` also NUMERICS_UNSUPPORTED
 */
export function parsePreprocessorConfig(json: string): ConfiguredPreset {
  const { image: given, processor } = readConfigFile(json);
  if (isTimmConfig(given)) return ofPillow((library) => timmPlan(given, library));
  if (isOpenClipConfig(given)) return ofPillow((library) => openClipPlan(given, library));
  const { name, suffix } = resolveType(given);
  const type = computedType(name);
  if (type === undefined) throw unsupportedType(name);
  const config = completed(given, type);
  checkKeys(given, config);
  const decisions = ignoring(ignoredKeys(given, type));
  return {
    libraries: librariesOf(name, suffix),
    plan: (library) => ({
      ...withVllm(planOf(config, type, backendOf(library)), type, config, processor),
      ...decisions,
    }),
  };
}

/** A preset of a library that processes Pillow images. */
function ofPillow(plan: ConfiguredPreset['plan']): ConfiguredPreset {
  return { libraries: ['pillow', 'torch'], plan };
}

/** The library of the default backend first. */
function librariesOf(name: string, suffix: NamedType['suffix']): Preset['libraries'] {
  const [first = 'torch', second] = backendsOf(name);
  if (second === undefined) {
    if (suffix !== 'Pil') return [first];
    throw invalid('image_processor_type', `${name}Pil`, `${name}, which has no Pillow backend`);
  }
  return suffix === 'Pil' ? [second, first] : [first, second];
}

/** Whether the class that a config names is computed here. Its keys and values are not read. */
export function isTypeComputed(config: ConfigValues): boolean {
  return computedType(resolveType(config).name) !== undefined;
}

function planOf(config: ConfigValues, type: ProcessorType, backend: Backend): PresetPlan {
  const values = {
    alpha: readFlag(config, 'do_convert_rgb') ? onWhite : 'dropped',
    tensor: tensorValues(config, backend),
  } as const;
  if (type.own === undefined) {
    const arrangement = readFlag(config, 'do_pad') && { arrangement: paddedAfterwards(config) };
    return {
      ...values,
      steps: backendSteps(config, type, backend),
      tensor: { ...values.tensor, ...arrangement },
    };
  }
  const { tensor, ...own } = type.own(config, resamplingOf(config, backend), backend.library);
  return { ...values, ...own, tensor: { ...values.tensor, ...tensor } };
}

/** The plan with how vLLM takes its tensors, if the type declares it. */
function withVllm(
  plan: PresetPlan,
  { vllm }: ProcessorType,
  config: ConfigValues,
  processor: ConfigValues,
): PresetPlan {
  if (vllm === undefined) return plan;
  return { ...plan, tensor: { ...plan.tensor, vllm: vllm(config, processor) } };
}

/** A class that does not resize may have no filter. */
function resamplingOf(config: ConfigValues, backend: Backend): Resampling {
  const isMissing = config.resample === null && !readFlag(config, 'do_resize');
  return readResampling(isMissing ? { resample: bilinear } : config, backend);
}

/** The steps in the order of `_preprocess` of transformers' backends. */
function backendSteps(config: ConfigValues, type: ProcessorType, backend: Backend): readonly Step[] {
  const steps: Step[] = [];
  if (readFlag(config, 'do_resize')) steps.push(...resizeSteps(config, type, backend));
  if (readFlag(config, 'do_center_crop')) {
    if (steps.length > 1) throw unsupportedKeys(['do_center_crop'], 'its resize crops by itself');
    steps.push(cropStep(config, backend));
  }
  return steps;
}

function resizeSteps(config: ConfigValues, type: ProcessorType, backend: Backend): Step[] {
  const resampling = readResampling(config, backend);
  const size = readSize(config, 'size', readFlag(config, 'default_to_square'));
  switch (type.resize ?? 'plain') {
    case 'plain':
      return [{ kind: 'resize', ...size, ...resampling }];
    case 'levit':
      return [{ kind: 'resize', ...levitSize(config, size), ...resampling }];
    case 'cropPct':
      return cropPctSteps(config, size, resampling, backend.cropOrigin);
  }
}

/** LevitImageProcessor.resize. It ignores longest_edge. */
function levitSize(config: ConfigValues, size: ConfigSize): ConfigSize {
  if (size.fit === 'fill') return size;
  if (!('shortestEdge' in size)) throw invalid('size', config.size, '{height, width} or {shortest_edge}');
  return { fit: 'shortestEdge', shortestEdge: Math.trunc((256 / 224) * size.shortestEdge) };
}

/**
 * ConvNextImageProcessor.resize: from 384 on the image is warped, below it is cropped. It ignores longest_edge.
 */
function cropPctSteps(
  config: ConfigValues,
  size: ConfigSize,
  resampling: Resampling,
  origin: CropOrigin,
): Step[] {
  if (!('shortestEdge' in size)) throw invalid('size', config.size, '{shortest_edge}');
  const { shortestEdge } = size;
  const square = { width: shortestEdge, height: shortestEdge };
  if (shortestEdge >= 384) return [{ kind: 'resize', fit: 'fill', ...square, ...resampling }];
  const resized = Math.trunc(shortestEdge / readNumber(config, 'crop_pct'));
  if (resized < 1 || resized > 65_535) {
    throw invalid('crop_pct', config.crop_pct, `what makes ${shortestEdge} / crop_pct 1 to 65535 pixels`);
  }
  return [
    { kind: 'resize', fit: 'shortestEdge', shortestEdge: resized, ...resampling },
    { kind: 'crop', ...square, origin },
  ];
}

function cropStep(config: ConfigValues, { cropOrigin }: Backend): Step {
  const size = readSize(config, 'crop_size', true);
  if (size.fit !== 'fill')
    throw invalid('crop_size', config.crop_size, 'a number, [height, width] or {height, width}');
  return { kind: 'crop', width: size.width, height: size.height, origin: cropOrigin };
}

/** Without rescaling and normalizing, transformers leaves the pixels as uint8. */
function tensorValues(config: ConfigValues, backend: Backend): PresetPlan['tensor'] {
  const rescales = readFlag(config, 'do_rescale');
  const normalizes = readFlag(config, 'do_normalize');
  const rescaleFactor = rescales ? readNumber(config, 'rescale_factor') : 1;
  if (!Number.isFinite(Math.fround(255 * rescaleFactor))) {
    throw invalid('rescale_factor', rescaleFactor, 'a factor that leaves 255 finite in FP32');
  }
  return {
    name: 'pixel_values',
    datatype: rescales || normalizes ? 'FP32' : 'UINT8',
    layout: 'NCHW',
    ...backend.arithmetic({ rescales, normalizes, rescaleFactor }),
    mean: normalizes ? readPerChannel(config, 'image_mean') : [0],
    std: normalizes ? readStd(config) : [1],
    channelOrder: readFlag(config, 'do_flip_channel_order') ? 'BGR' : 'RGB',
  };
}

/** The config with its class's values for missing keys. A null stays null, as in transformers. */
function completed(given: ConfigValues, { defaults, ignores = [], renamed }: ProcessorType): ConfigValues {
  const config: Record<string, unknown> = { ...commonDefaults, ...defaults, ...given, ...renamed?.(given) };
  checkCrop(config);
  if (!defaults.do_resize) checkResize(config);
  for (const key of ignores) config[key] = null;
  return config;
}

/** `validate_preprocess_arguments` of image_utils.py checks it in classes that never crop too. */
function checkCrop(config: ConfigValues): void {
  if (!readFlag(config, 'do_center_crop') || (config.crop_size ?? null) !== null) return;
  throw invalid('crop_size', config.crop_size, 'a size, because do_center_crop is true');
}

/** The same of a class that has no size of its own, because it does not resize by default. */
function checkResize(config: ConfigValues): void {
  if (!readFlag(config, 'do_resize')) return;
  for (const key of ['size', 'resample']) {
    if (config[key] === null) throw invalid(key, null, 'a value, because do_resize is true');
  }
}

/** Keys that transformers ignores for this type, and that are no metadata. */
function ignoredKeys(given: ConfigValues, { defaults, ignores = [] }: ProcessorType): string[] {
  const isRead = (key: string) =>
    !ignores.includes(key) && (Object.hasOwn(commonDefaults, key) || Object.hasOwn(defaults, key));
  return Object.keys(given).filter((key) => !isRead(key) && !inertKeys.has(key));
}

/** Refuses every value that asks for an unsupported computation. */
function checkKeys(given: ConfigValues, config: ConfigValues): void {
  if (config.data_format !== null && config.data_format !== 'channels_first') {
    throw unsupportedKeys(
      ['data_format'],
      'transformers 5 gives channels first, whatever it says; ask for the layout NHWC instead',
    );
  }
  const remoteCode = ['AutoImageProcessor', 'AutoFeatureExtractor'];
  const autoMap: unknown = given.auto_map;
  if (typeof autoMap === 'object' && autoMap !== null && remoteCode.some((key) => key in autoMap)) {
    throw unsupportedKeys(['auto_map'], "the model's own code computes its images");
  }
}
