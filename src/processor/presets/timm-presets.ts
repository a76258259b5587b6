import type { Preset } from './preset.ts';
import { timmPlan } from './timm-config.ts';
import table from './timm-presets.json' with { type: 'json' };
import torchvision from './torchvision-presets.json' with { type: 'json' };

const repositories = Map.groupBy(Object.entries(table.hub), ([, model]) => model);

/**
 * The presets of timm's pretrained models, by their id on the hub, such as
 * `timm/vit_base_patch16_224.augreg2_in21k_ft_in1k`. An architecture's name, such as `vit_base_patch16_224`, means its
 * default weights, as in timm, unless torchvision has a model of that name. test/parity/make_timm_presets.py made the table from timm itself.
 */
export const timmPresets: readonly Preset[] = table.presets.flatMap(({ config, models }) =>
  models.split(' ').map((model) => timmPreset(model, config)),
);

/** @param model - with a `*` at its end if it is the default of its architecture */
function timmPreset(model: string, config: (typeof table.presets)[number]['config']): Preset {
  const name = model.replace('*', '');
  const [architecture = name] = name.split('.');
  const elsewhere = repositories.get(name)?.map(([repository]) => repository) ?? [];
  const short = architecture in torchvision.aliases ? [] : [architecture];
  return {
    name: `timm/${name}`,
    aliases: model.endsWith('*') ? [`timm/${architecture}`, ...short, ...elsewhere] : elsewhere,
    family: 'timm',
    libraries: ['pillow', 'torch'],
    plan: (library) => timmPlan(config, library),
    python: () => pythonOf(name),
  };
}

function pythonOf(name: string): string {
  return `import timm
from PIL import Image, ImageOps

values = timm.data.resolve_data_config(pretrained_cfg=timm.models.get_pretrained_cfg(${JSON.stringify(name)}).to_dict())
transform = timm.data.create_transform(**values, is_training=False)
image = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")
tensor = transform(image).unsqueeze(0)
`;
}
