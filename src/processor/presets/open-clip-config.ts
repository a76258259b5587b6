import type { Colour } from '../image/pixels.ts';
import type { Size } from '../image/shortest-edge.ts';
import type { Step } from '../image/steps.ts';
import { ignoring, invalid } from './config-values.ts';
import { fileOf, isUnset, isWithoutType, perChannel, sideOf } from './data-config.ts';
import type { PresetLibrary } from './preset.ts';
import { type PresetPlan, resamplingBy } from './preset-plan.ts';
import type { ConfigValues } from './processor-types.ts';

/** OPENAI_DATASET_MEAN and OPENAI_DATASET_STD of open_clip/constants.py. */
const openai = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const;

/** Whether a config is open_clip's: its open_clip_config.json, or a `preprocess_cfg` of it. */
export function isOpenClipConfig(config: ConfigValues): boolean {
  return ['preprocess_cfg', 'model_cfg', 'resize_mode'].some((key) => key in config) && isWithoutType(config);
}

/**
 * open_clip's evaluation of one image: `image_transform_v2(PreprocessCfg(…), is_train=False)` (open_clip/transform.py),
 * with the values that create_model joins. As there, the size is that of the model if the file contains one, null is the
 * default, and `random` means bicubic.
 *
 * @param config - open_clip_config.json or a `preprocess_cfg`
 * @throws PRESET_INVALID
 */
export function openClipPlan(config: ConfigValues, library: PresetLibrary): PresetPlan {
  const values = preprocessing(config);
  if (!isUnset(values.mode) && values.mode !== 'RGB') throw invalid('mode', values.mode, 'RGB');
  return {
    alpha: 'dropped',
    steps: stepsOf(values, sizeOf(config, values), library),
    tensor: {
      name: 'image',
      datatype: 'FP32',
      layout: 'NCHW',
      rescaleFactor: 1 / 255,
      mean: perChannel(values, 'mean', openai.mean),
      std: perChannel(values, 'std', openai.std, (std) => std !== 0),
      channelOrder: 'RGB',
    },
    ...ignoring(ignoredKeys(config, values)),
  };
}

const readKeys = new Set(['size', 'mode', 'mean', 'std', 'interpolation', 'resize_mode', 'fill_color']);

/** Keys that open_clip does not know, and the size where that of the model counts. */
function ignoredKeys(config: ConfigValues, values: ConfigValues): readonly string[] {
  const unknown = Object.keys(values).filter((key) => !readKeys.has(key));
  const { size } = values;
  const isOfModel = values !== config && 'model_cfg' in config;
  if (!isOfModel || isUnset(size)) return unknown;
  const [height, width]: readonly unknown[] = Array.isArray(size) ? size : [size, size];
  const model = sizeOf(config, values);
  const isEqual = height === model.height && width === model.width;
  return isEqual ? unknown : ['size', ...unknown];
}

/** The `preprocess_cfg` of a file, which may have none, or the config itself. */
function preprocessing(config: ConfigValues): ConfigValues {
  if (!('model_cfg' in config)) return fileOf(config, 'preprocess_cfg');
  return isUnset(config.preprocess_cfg) ? {} : fileOf(config, 'preprocess_cfg');
}

/** image_transform by resize_mode. Its resize to a size that is not square is bicubic for every interpolation. */
function stepsOf(values: ConfigValues, size: Size, library: PresetLibrary): readonly Step[] {
  const resize = { kind: 'resize', filter: interpolation(values), ...resamplingBy(library) } as const;
  const crop = { kind: 'crop', ...size, origin: 'torchvision' } as const;
  switch (resizeMode(values)) {
    case 'squash':
      return [{ ...resize, fit: 'fill', ...size }];
    case 'longest':
      return [
        { ...resize, fit: 'rule', rule: { kind: 'keepRatio', ...size, edge: 'longest' } },
        { ...crop, colour: fillColour(values) },
      ];
    case 'shortest':
      return size.width === size.height
        ? [{ ...resize, fit: 'shortestEdge', shortestEdge: size.width }, crop]
        : [
            {
              ...resize,
              fit: 'rule',
              rule: { kind: 'keepRatio', ...size, edge: 'shortest' },
              filter: 'bicubic',
            },
            crop,
          ];
  }
}

function sizeOf(config: ConfigValues, values: ConfigValues): Size {
  if (!('model_cfg' in config)) return readSize('size', values.size);
  const model = fileOf(config, 'model_cfg');
  if (!('vision_cfg' in model)) throw invalid('model_cfg.vision_cfg', undefined, 'an object');
  return readSize('model_cfg.vision_cfg.image_size', fileOf(model, 'vision_cfg').image_size);
}

function readSize(key: string, value: unknown): Size {
  if (value === undefined || value === null) return { width: 224, height: 224 };
  const [height, width, ...others]: readonly unknown[] = Array.isArray(value) ? value : [value, value];
  if (others.length > 0) throw invalid(key, value, 'a number or [height, width]');
  return { width: sideOf(key, width), height: sideOf(key, height) };
}

function interpolation({ interpolation: value }: ConfigValues): 'bicubic' | 'bilinear' {
  if (isUnset(value) || value === 'random' || value === 'bicubic') return 'bicubic';
  if (value !== 'bilinear') throw invalid('interpolation', value, 'bicubic, bilinear or random');
  return value;
}

function resizeMode({ resize_mode: value }: ConfigValues): 'shortest' | 'longest' | 'squash' {
  if (isUnset(value) || value === 'shortest') return 'shortest';
  if (value !== 'longest' && value !== 'squash') {
    throw invalid('resize_mode', value, 'shortest, longest or squash');
  }
  return value;
}

/** One level for all channels. */
function fillColour({ fill_color: value = 0 }: ConfigValues): Colour {
  const level = value ?? 0;
  if (Number.isInteger(level) && (level as number) >= 0 && (level as number) <= 255) {
    return [level as number, level as number, level as number];
  }
  throw invalid('fill_color', value, 'a whole number from 0 to 255');
}
