import { openClipPlan } from './open-clip-config.ts';
import table from './open-clip-presets.json' with { type: 'json' };
import type { Preset } from './preset.ts';

const repositories = Map.groupBy(Object.entries(table.hub), ([, model]) => model);

/**
 * The presets of open_clip's pretrained models, by its model and tag, such as `ViT-B-32:laion2b_s34b_b79k`, with a slash
 * instead of the colon, or by the id of the weights on the hub. test/parity/make_open_clip_presets.py made the table
 * from open_clip itself.
 */
export const openClipPresets: readonly Preset[] = table.presets.flatMap(({ config, models }) =>
  models.split(' ').map((model) => openClipPreset(model, config)),
);

function openClipPreset(name: string, config: (typeof table.presets)[number]['config']): Preset {
  const [model = '', tag = ''] = name.split('/');
  return {
    // The form of open_clip.list_pretrained(as_str=True).
    name: `${model}:${tag}`,
    aliases: [name, ...(repositories.get(name) ?? []).map(([repository]) => repository)],
    family: 'open_clip',
    libraries: ['pillow', 'torch'],
    plan: (library) => openClipPlan(config, library),
    python: () => pythonOf(model, tag),
  };
}

function pythonOf(model: string, tag: string): string {
  return `import open_clip
from PIL import Image, ImageOps

_, preprocess = open_clip.create_model_from_pretrained(${JSON.stringify(model)}, ${JSON.stringify(tag)})
image = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")
tensor = preprocess(image).unsqueeze(0)
`;
}
