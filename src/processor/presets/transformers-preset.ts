import { type ConfiguredPreset, parsePreprocessorConfig } from './parse-preprocessor-config.ts';
import type { Preset } from './preset.ts';

/**
 * A preset of the family transformers.
 *
 * @param name - the model's id on the hub, or the name of its folder or file in PRESETS_DIR
 * @param config - its preprocessor_config.json, read when the preset is used for the first time
 */
export function transformersPreset(name: string, aliases: readonly string[], config: () => string): Preset {
  let configured: ConfiguredPreset | undefined;
  const read = () => (configured ??= parsePreprocessorConfig(config()));
  return {
    name,
    aliases,
    family: 'transformers',
    get libraries() {
      return read().libraries;
    },
    plan: (library, settings) => read().plan(library, settings),
    python: () => pythonOf(name, read()),
  };
}

/** A processor that does not convert to RGB by itself needs an image that is RGB. */
function pythonOf(name: string, { libraries, plan }: ConfiguredPreset): string {
  const [library] = libraries;
  const { alpha } = plan(library, {});
  const backend = library === 'pillow' ? ', backend="pil"' : '';
  const image = 'ImageOps.exif_transpose(Image.open("photo.jpg"))';
  return `from PIL import Image, ImageOps
from transformers import AutoImageProcessor

processor = AutoImageProcessor.from_pretrained(${JSON.stringify(name)}${backend})
image = ${alpha === 'dropped' ? `${image}.convert("RGB")` : image}
tensors = processor(image, return_tensors="np")
`;
}
