import { parsePreprocessorConfig } from './parse-preprocessor-config.ts';
import type { Preset } from './preset.ts';
import type { PresetPlan } from './preset-plan.ts';

/**
 * A preset of the family transformers.
 *
 * @param name - the model's id on the hub, or the name of its folder or file in PRESETS_DIR
 * @param config - its preprocessor_config.json, read when the preset is used for the first time
 */
export function transformersPreset(name: string, aliases: readonly string[], config: () => string): Preset {
  let plan: PresetPlan | undefined;
  const planOf = () => (plan ??= parsePreprocessorConfig(config()));
  return {
    name,
    aliases,
    family: 'transformers',
    libraries: ['pillow'],
    plan: planOf,
    python: () => pythonOf(name, planOf()),
  };
}

/** A processor that does not convert to RGB by itself needs an image that is RGB. */
function pythonOf(name: string, { alpha }: PresetPlan): string {
  const image = 'ImageOps.exif_transpose(Image.open("photo.jpg"))';
  return `from PIL import Image, ImageOps
from transformers import AutoImageProcessor

processor = AutoImageProcessor.from_pretrained(${JSON.stringify(name)}, backend="pil")
image = ${alpha === 'dropped' ? `${image}.convert("RGB")` : image}
tensors = processor(image, return_tensors="np")
`;
}
