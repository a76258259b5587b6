import type { FilterName } from '../image/kernels/weights.ts';
import type { Preset } from './preset.ts';
import type { PresetPlan } from './preset-plan.ts';
import table from './torchvision-presets.json' with { type: 'json' };

interface ImageClassification {
  readonly resize_size: number;
  readonly crop_size: number;
  readonly interpolation: string;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

const aliases = Map.groupBy(Object.entries(table.aliases), ([, name]) => name);

/**
 * The presets of torchvision's weights, by names such as `ResNet50_Weights.IMAGENET1K_V2`: its
 * ImageClassification as it treats a Pillow image. A model's name, such as `resnet50`, means its default weights.
 * test/parity/make_torchvision_presets.py made the table from torchvision itself.
 */
export const torchvisionPresets: readonly Preset[] = Object.entries<ImageClassification>(table.weights).map(
  ([name, preset]) => ({
    name,
    aliases: (aliases.get(name) ?? []).map(([alias]) => alias),
    family: 'torchvision',
    libraries: ['pillow'],
    plan: () => planOf(preset),
    python: () => pythonOf(name),
  }),
);

function planOf(preset: ImageClassification): PresetPlan {
  const { resize_size: shortestEdge, crop_size: side, interpolation } = preset;
  return {
    alpha: 'dropped',
    steps: [
      {
        kind: 'resize',
        fit: 'shortestEdge',
        shortestEdge,
        // The table contains only bilinear and bicubic, which have the same names in Pillow.
        filter: interpolation as FilterName,
      },
      { kind: 'crop', width: side, height: side, origin: 'torchvision' },
    ],
    tensor: {
      name: 'image',
      datatype: 'FP32',
      layout: 'NCHW',
      rescaleFactor: 1 / 255,
      mean: preset.mean ?? table.mean,
      std: preset.std ?? table.std,
      channelOrder: 'RGB',
    },
  };
}

function pythonOf(name: string): string {
  const [weights = '', member = ''] = name.split('.');
  return `from PIL import Image, ImageOps
from torchvision.models import ${weights}

image = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")
tensor = ${weights}.${member}.transforms()(image).unsqueeze(0)
`;
}
