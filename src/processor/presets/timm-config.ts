import { Failure } from '../../failures.ts';
import type { CropStep } from '../image/crop.ts';
import type { FilterName } from '../image/kernels/weights.ts';
import { roundHalfToEven, type Size } from '../image/shortest-edge.ts';
import type { Step } from '../image/steps.ts';
import { ignoring, invalid, unsupportedKeys } from './config-values.ts';
import { fileOf, imagenet, isUnset, isWithoutType, perChannel, sideOf } from './data-config.ts';
import type { PresetLibrary } from './preset.ts';
import { type PresetPlan, resamplingBy } from './preset-plan.ts';
import type { ConfigValues } from './processor-types.ts';

/** The class of transformers that computes with timm, whose config.json it reads. */
export const timmType = 'TimmWrapperImageProcessor';

/** Whether a config is timm's: its config.json, a `pretrained_cfg` of it, or the result of resolve_data_config. */
export function isTimmConfig(config: ConfigValues): boolean {
  if ('pretrained_cfg' in config || isOfWrapper(config)) return true;
  return isWithoutType(config) && ('input_size' in config || 'architecture' in config);
}

/** Whether a config names {@link timmType}, or its model. */
function isOfWrapper(config: ConfigValues): boolean {
  if (config.image_processor_type === timmType) return true;
  return isWithoutType(config) && config.model_type === 'timm_wrapper';
}

/**
 * timm's evaluation of one image: `create_transform(**resolve_data_config(pretrained_cfg=…), is_training=False)`
 * (timm/data/config.py, transforms_factory.py), which transformers' TimmWrapperImageProcessor calls as well. As there,
 * `test_input_size` and `test_crop_pct` do not count, a value that Python calls false is the default, and an unknown
 * `crop_mode` is `center`.
 *
 * @param config - config.json or a `pretrained_cfg`
 * @throws PRESET_INVALID, NUMERICS_UNSUPPORTED
 */
export function timmPlan(config: ConfigValues, library: PresetLibrary): PresetPlan {
  const pretrained = fileOf(config, 'pretrained_cfg');
  if (isOfWrapper(config)) checkArguments(config, pretrained);
  const size = inputSize(config, pretrained);
  const filter = interpolation(pretrained, library);
  const mean = perChannel(pretrained, 'mean', imagenet.mean);
  const resize = { kind: 'resize', filter, ...resamplingBy(library) } as const;
  const scaled = scaledSize(pretrained, size);
  const crop: CropStep = { kind: 'crop', ...size, origin: 'torchvision' };
  return {
    alpha: 'dropped',
    steps: stepsOf(pretrained, resize, scaled, crop, mean),
    tensor: {
      name: 'pixel_values',
      datatype: 'FP32',
      layout: 'NCHW',
      rescaleFactor: 1 / 255,
      mean,
      std: perChannel(pretrained, 'std', imagenet.std, (std) => std !== 0),
      channelOrder: 'RGB',
    },
    ...ignoring(Object.keys(pretrained).filter((key) => !readKeys.has(key) && !inertKeys.has(key))),
  };
}

/** TimmWrapperImageProcessor hands the `pretrained_cfg` to resolve_data_config as its `args`, which allow less. */
function checkArguments(config: ConfigValues, pretrained: ConfigValues): void {
  if (pretrained === config) throw invalid('pretrained_cfg', undefined, 'an object');
  const sizes = ['in_chans', 'chans', 'img_size'].filter((key) => (pretrained[key] ?? null) !== null);
  if (sizes.length > 0) throw unsupportedKeys(sizes, 'it would replace the size; write input_size');
  for (const key of ['mean', 'std']) {
    const value = pretrained[key] ?? [0];
    if (!Array.isArray(value) || value.length === 0)
      throw invalid(key, value, 'a list of one number or three');
  }
}

const readKeys = new Set(['input_size', 'interpolation', 'crop_pct', 'crop_mode', 'mean', 'std']);

/** The keys of PretrainedCfg and of old files that do not affect an image's pixels. */
const inertKeys = new Set([
  'url',
  'file',
  'state_dict',
  'hf_hub_id',
  'hf_hub_filename',
  'source',
  'architecture',
  'tag',
  'custom_load',
  'min_input_size',
  'fixed_input_size',
  'num_classes',
  'num_features',
  'global_pool',
  'label_offset',
  'label_names',
  'label_descriptions',
  'labels',
  'pool_size',
  'test_pool_size',
  'first_conv',
  'classifier',
  'license',
  'description',
  'origin_url',
  'paper_name',
  'paper_ids',
  'notes',
  'model_args',
]);

/** transforms_imagenet_eval by crop_mode. */
function stepsOf(
  { crop_mode: mode }: ConfigValues,
  resize: { readonly kind: 'resize'; readonly filter: FilterName },
  scaled: Size,
  crop: CropStep,
  mean: readonly number[],
): readonly Step[] {
  if (!isUnset(mode) && typeof mode !== 'string') {
    throw invalid('crop_mode', mode, 'center, squash or border');
  }
  if (mode === 'squash') return [{ ...resize, fit: 'fill', ...scaled }, crop];
  if (mode === 'border') {
    const colour = borderColour(mean);
    return [
      { ...resize, fit: 'rule', rule: { kind: 'keepRatio', ...scaled, edge: 'longest' } },
      { ...crop, colour },
    ];
  }
  return scaled.width === scaled.height
    ? [{ ...resize, fit: 'shortestEdge', shortestEdge: scaled.width }, crop]
    : [{ ...resize, fit: 'rule', rule: { kind: 'keepRatio', ...scaled, edge: 'shortest' } }, crop];
}

function borderColour(mean: readonly number[]): readonly [number, number, number] {
  const [red = 0, green = red, blue = red] = mean.map((value) => roundHalfToEven(255 * value));
  const colour = [red, green, blue] as const;
  if (colour.every((value) => value >= 0 && value <= 255)) return colour;
  throw invalid('mean', mean, 'numbers from 0 to 1, because the border has this colour');
}

/**
 * Of config.json, `model_args.img_size` replaces the size of a model that requires its own (`_parse_model_cfg` in
 * timm/models/_hub.py). transformers, whose files contain a `model_type`, does not do so.
 */
function inputSize(config: ConfigValues, pretrained: ConfigValues): Size {
  const args = config.model_args;
  const isOfTimm = config !== pretrained && isUnset(config.model_type);
  if (isOfTimm && typeof args === 'object' && args !== null && pretrained.fixed_input_size === true) {
    const size = (args as ConfigValues).img_size;
    if (!isUnset(size)) return sizeOf('model_args.img_size', Array.isArray(size) ? size : [size, size]);
  }
  const size = pretrained.input_size;
  if (isUnset(size)) return { width: 224, height: 224 };
  const isOfColour = Array.isArray(size) && size.length === 3 && size[0] === 3;
  if (!isOfColour) throw invalid('input_size', size, '[3, height, width]');
  return sizeOf('input_size', size.slice(1));
}

function sizeOf(key: string, [height, width]: readonly unknown[]): Size {
  return { width: sideOf(key, width), height: sideOf(key, height) };
}

/** The size before the crop: each side divided by crop_pct, rounded down. */
function scaledSize({ crop_pct: cropPct }: ConfigValues, { width, height }: Size): Size {
  const share = isUnset(cropPct) ? 0.875 : cropPct;
  const allowed = `a number that makes ${height} × ${width} / crop_pct 1 to 65535 pixels a side`;
  if (typeof share !== 'number') throw invalid('crop_pct', cropPct, allowed);
  const scaled = { width: Math.floor(width / share), height: Math.floor(height / share) };
  if (Object.values(scaled).every((side) => side >= 1 && side <= 65_535)) return scaled;
  throw invalid('crop_pct', cropPct, allowed);
}

const filters: readonly FilterName[] = ['nearest', 'bilinear', 'bicubic', 'box', 'hamming', 'lanczos'];

function interpolation({ interpolation: value }: ConfigValues, library: PresetLibrary): FilterName {
  if (isUnset(value)) return 'bicubic';
  const filter = filters.find((name) => name === value);
  if (filter === undefined) throw invalid('interpolation', value, filters.join(', '));
  if (library === 'pillow' || (filter !== 'box' && filter !== 'hamming')) return filter;
  throw new Failure(
    'NUMERICS_UNSUPPORTED',
    `The preprocessor config's interpolation is ${filter}, a filter that torch does not have; ask for numerics=pillow.`,
    { numerics: library, filter, allowed: 'pillow' },
  );
}
