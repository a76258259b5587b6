import type { FilterName } from '../image/kernels/weights.ts';
import type { ResizeFit } from '../image/resize.ts';
import type { Step } from '../image/steps.ts';
import type { Preset } from './preset.ts';
import type { PresetPlan } from './preset-plan.ts';
import table from './torchvision-presets.json' with { type: 'json' };

/** The parameters of a transform that differ from most. Without sizes the image keeps its own. */
interface Parameters {
  /** Of the shorter side, or [height, width]. */
  readonly resize_size?: number | readonly number[];
  readonly crop_size?: number;
  readonly interpolation?: string;
  /** False in VideoClassification, which takes the frames of a video. */
  readonly antialias?: boolean;
  readonly detection?: Detection;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

/** Of a GeneralizedRCNNTransform. */
interface Detection {
  readonly min_size?: number;
  readonly max_size?: number;
  readonly fixed_size?: readonly number[];
  readonly size_divisible: number;
}

const aliases = Map.groupBy(Object.entries(table.aliases), ([, name]) => name);

/**
 * The presets of torchvision's weights, by names such as `ResNet50_Weights.IMAGENET1K_V2`. A model's name, such as
 * `resnet50`, means its default weights. test/parity/make_torchvision_presets.py made the table from torchvision itself.
 *
 * - ImageClassification and SemanticSegmentation, as they treat a Pillow image: a tensor they resize as FP32, which is
 *   not computed here;
 * - VideoClassification of one frame; a batch has the frames of a video, [T, C, H, W];
 * - OpticalFlow's values of one of its two images;
 * - detection up to the model's backbone: ObjectDetection, then the model's own GeneralizedRCNNTransform.
 */
export const torchvisionPresets: readonly Preset[] = Object.entries<Parameters>(table.weights).map(
  ([name, preset]) => ({
    name,
    aliases: (aliases.get(name) ?? []).map(([alias]) => alias),
    family: 'torchvision',
    libraries: librariesOf(preset),
    plan: () => planOf(preset),
    python: () => pythonOf(name, preset),
  }),
);

function librariesOf({ detection, antialias, resize_size: size }: Parameters): Preset['libraries'] {
  if (detection !== undefined || antialias === false) return ['torch'];
  return size === undefined ? ['pillow', 'torch'] : ['pillow'];
}

function planOf(preset: Parameters): PresetPlan {
  return {
    alpha: 'dropped',
    steps: stepsOf(preset),
    tensor: {
      name: 'image',
      datatype: 'FP32',
      layout: 'NCHW',
      rescaleFactor: 1 / 255,
      mean: preset.mean ?? table.mean,
      std: preset.std ?? table.std,
      channelOrder: 'RGB',
      ...(preset.detection && detectionTensors(preset.detection)),
    },
  };
}

function stepsOf({
  resize_size: size,
  crop_size: side,
  interpolation,
  antialias,
}: Parameters): readonly Step[] {
  const steps: Step[] = [];
  if (size !== undefined) {
    // The table contains only bilinear and bicubic, which have the same names in Pillow.
    const filter = interpolation as FilterName;
    const library = antialias === false ? ({ library: 'torchLinear' } as const) : {};
    steps.push({ kind: 'resize', ...fitOf(size), filter, ...library });
  }
  if (side !== undefined) steps.push({ kind: 'crop', width: side, height: side, origin: 'torchvision' });
  return steps;
}

function fitOf(size: number | readonly number[]): ResizeFit {
  if (typeof size === 'number') return { fit: 'shortestEdge', shortestEdge: size };
  const [height, width] = size as readonly [number, number];
  return { fit: 'fill', width, height };
}

/** The ImageList that the model passes on, and the sizes that map its boxes back to the image. */
function detectionTensors(detection: Detection) {
  const [width, height] = detection.fixed_size ?? [];
  const { min_size: shortestEdge = 0, max_size: longestEdge = 0, size_divisible: multipleOf } = detection;
  const size =
    width === undefined || height === undefined
      ? { shortestEdge, longestEdge }
      : ({ fit: 'fill', width, height } as const);
  return {
    name: 'images',
    arrangement: { kind: 'resizedValues', size, canvas: { multipleOf } },
    extras: [
      { name: 'image_sizes', kind: 'detectionSizes', size },
      { name: 'original_image_sizes', kind: 'imageSizes' },
    ],
  } as const satisfies Partial<PresetPlan['tensor']>;
}

function pythonOf(name: string, { detection, antialias, resize_size: size }: Parameters): string {
  const lines = ['image = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")'];
  const isVideo = antialias === false;
  if (isVideo) {
    lines.push(
      'transforms = weights.transforms()',
      '# [T, C, H, W] of one frame; the model takes [N, C, T, H, W].',
      'tensor = transforms(pil_to_tensor(image).unsqueeze(0)).permute(1, 0, 2, 3)',
    );
  } else if (detection === undefined) {
    const ofOne = size === undefined ? 'transforms(image, image)[0]' : 'transforms(image)';
    lines.push('transforms = weights.transforms()', `tensor = ${ofOne}.unsqueeze(0)`);
  } else {
    lines.push(
      `model = get_model("${modelOf(name)}", weights=weights).eval()`,
      'images, _ = model.transform([weights.transforms()(image)])',
      'tensor, image_sizes = images.tensors, images.image_sizes',
    );
  }
  return `from PIL import Image, ImageOps
from torchvision.models import ${detection === undefined ? 'get_weight' : 'get_model, get_weight'}${isVideo ? '\nfrom torchvision.transforms.functional import pil_to_tensor' : ''}

weights = get_weight("${name}")
${lines.join('\n')}
`;
}

/** The name of the model that has these weights. */
function modelOf(name: string): string | undefined {
  const [weights] = name.split('.');
  return Object.keys(table.aliases).find(
    (alias) =>
      !alias.includes('.') && table.aliases[alias as keyof typeof table.aliases].startsWith(`${weights}.`),
  );
}
