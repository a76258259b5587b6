import { Failure } from '../../../failures.ts';
import { invalid, shown } from '../config-values.ts';
import type { ConfigValues } from '../processor-types.ts';
import library from './library-types.json' with { type: 'json' };
import { notComputed } from './not-computed.ts';

/** The class that a config names. */
export interface NamedType {
  /** Without its suffix. */
  readonly name: string;
  /** The backend as the config spells it; `Fast` is what transformers 4 called the one of torchvision. */
  readonly suffix: 'Fast' | 'Pil' | undefined;
}

/**
 * Finds the class of a config as AutoImageProcessor.from_pretrained does: `image_processor_type`, then
 * `feature_extractor_type` under its new name, then the class of `model_type`.
 *
 * @throws PRESET_INVALID if the config names no class
 */
export function resolveType(config: ConfigValues): NamedType {
  const written = config.image_processor_type ?? config.feature_extractor_type;
  const ofModel = typeOfModel(config.model_type);
  if (typeof written === 'string') {
    const [, base = written, suffix] = /^(.*?)(Fast|Pil)?$/s.exec(written) ?? [];
    const name = base.replace(/FeatureExtractor$/, 'ImageProcessor');
    return {
      name: knownTypes.get(name.toLowerCase()) ?? ofModel ?? name,
      suffix: suffix as NamedType['suffix'],
    };
  }
  if (written === undefined || written === null) {
    if (ofModel !== undefined) return { name: ofModel, suffix: undefined };
    if (config.model_type !== undefined) {
      throw invalid('model_type', config.model_type, 'a model of transformers that has an image processor');
    }
  }
  throw invalid(
    'image_processor_type',
    written,
    'the name of an image processor of transformers, such as "CLIPImageProcessor"; or add the model_type of the model\'s config.json',
  );
}

/** Old configs spell a class as `GroundingDINOImageProcessor`, which transformers finds by the model's type. */
const knownTypes = new Map(Object.keys(library.types).map((name) => [name.toLowerCase(), name]));

const models = new Map(Object.entries(library.models));

function typeOfModel(model: unknown): string | undefined {
  return typeof model === 'string' ? models.get(model) : undefined;
}

/** PRESET_UNSUPPORTED for a type that is not computed here. */
export function unsupportedType(name: string): Failure {
  const why = Object.hasOwn(notComputed, name)
    ? notComputed[name]
    : `transformers ${library.transformers} has no image processor of this name`;
  return new Failure(
    'PRESET_UNSUPPORTED',
    `The image processor ${shown(name)} is not computed here: ${why}. docs/models.md lists the computed ones.`,
    { type: name.slice(0, 80), missing: why as string },
  );
}
