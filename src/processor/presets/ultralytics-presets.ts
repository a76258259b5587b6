import type { TensorPlan } from '../image/plan.ts';
import type { Size } from '../image/shortest-edge.ts';
import type { Step } from '../image/steps.ts';
import type { Preset, PresetSettings, SettingName } from './preset.ts';
import type { PresetPlan } from './preset-plan.ts';
import table from './ultralytics-names.json' with { type: 'json' };

/** How a predictor of Ultralytics makes the model's input. */
interface Input {
  /** Of the model, in pixels. A request may choose another. */
  readonly imgsz: number;
  readonly stride: number;
  /**
   * - `letterbox`: proportions kept, gray around it (BasePredictor in ultralytics/engine/predictor.py).
   * - `stretch`: proportions not kept (its subclasses with scale_fill).
   * - `crop`: the shorter side is resized, then the centre is cropped (classify_transforms in
   *   ultralytics/data/augment.py).
   */
  readonly geometry: 'letterbox' | 'stretch' | 'crop';
}

/** The names of the models are in a table that test/parity/make_ultralytics_names.py made from the package. */
type Name = keyof typeof table.names;

const inputs: Readonly<Record<Name, Input>> = {
  'ultralytics/yolo': { imgsz: 640, stride: 32, geometry: 'letterbox' },
  'ultralytics/yolo-obb': { imgsz: 1024, stride: 32, geometry: 'letterbox' },
  'ultralytics/yolo-p6': { imgsz: 1280, stride: 64, geometry: 'letterbox' },
  'ultralytics/yolo-cls': { imgsz: 224, stride: 32, geometry: 'crop' },
  'ultralytics/yolo-depth': { imgsz: 768, stride: 32, geometry: 'stretch' },
  'ultralytics/rtdetr': { imgsz: 640, stride: 32, geometry: 'stretch' },
};

/** The presets of Ultralytics' models, also by the names of their files: `yolo11n` and `yolo11n.pt`. */
export const ultralyticsPresets: readonly Preset[] = Object.entries(inputs).map(([name, input]) => ({
  name,
  aliases: table.names[name as Name].flatMap((model) => [model, `${model}.pt`]),
  family: 'ultralytics',
  libraries: [input.geometry === 'crop' ? 'pillow' : 'opencv'],
  settings: settingsOf(input),
  plan: (_, settings) => planOf(input, settings),
  python: () => pythonOf(input),
}));

function settingsOf({ geometry }: Input): readonly SettingName[] {
  return geometry === 'letterbox' ? ['imgsz', 'stride', 'rect'] : ['imgsz', 'stride'];
}

function planOf(input: Input, settings: PresetSettings): PresetPlan {
  const { stride = input.stride, rect = false } = settings;
  const given = settings.imgsz ?? { width: input.imgsz, height: input.imgsz };
  const size = wholeStrides(given, stride);
  const isRounded = size.width !== given.width || size.height !== given.height;
  return {
    alpha: 'dropped',
    steps: stepsOf(input, size, rect ? { multipleOf: stride } : size),
    tensor: {
      ...tensor,
      ...(input.geometry === 'letterbox' && {
        extras: [{ name: 'ratio_pad', kind: 'ratioPad', box: size }],
      }),
    },
    ...(isRounded && {
      decisions: [`imgsz=${shown(given)} rounded up to ${shown(size)}, multiples of ${stride}`],
    }),
  };
}

function shown({ width, height }: Size): string {
  return `${height},${width}`;
}

/** check_imgsz of ultralytics/utils/checks.py. */
function wholeStrides({ width, height }: Size, stride: number): Size {
  const whole = (side: number) => Math.ceil(side / stride) * stride;
  return { width: whole(width), height: whole(height) };
}

function stepsOf({ geometry }: Input, size: Size, canvas: Size | { readonly multipleOf: number }): Step[] {
  const openCv = { kind: 'resize', filter: 'bilinear', library: 'opencv' } as const;
  switch (geometry) {
    case 'letterbox':
      return [
        { ...openCv, fit: 'rule', rule: { kind: 'letterbox', box: size } },
        { kind: 'padTo', to: canvas, at: 'centre', colour: [114, 114, 114] },
      ];
    case 'stretch':
      return [{ ...openCv, fit: 'fill', ...size }];
    case 'crop':
      return [
        size.width === size.height
          ? { kind: 'resize', filter: 'bilinear', fit: 'shortestEdge', shortestEdge: size.width }
          : { kind: 'resize', filter: 'bilinear', fit: 'fill', ...size },
        { kind: 'crop', ...size, origin: 'torchvision' },
      ];
  }
}

/** The name is that of the input of the models that Ultralytics exports. */
const tensor: Omit<TensorPlan, 'kind' | 'container'> = {
  name: 'images',
  datatype: 'FP32',
  layout: 'NCHW',
  rescaleFactor: 1 / 255,
  mean: [0],
  std: [1],
  channelOrder: 'RGB',
};

function pythonOf({ imgsz, stride, geometry }: Input): string {
  if (geometry === 'crop') {
    return `import cv2
from PIL import Image
from ultralytics.data.augment import classify_transforms

image = Image.fromarray(cv2.cvtColor(cv2.imread("photo.jpg"), cv2.COLOR_BGR2RGB))
images = classify_transforms(${imgsz})(image).unsqueeze(0)
`;
  }
  const options = geometry === 'stretch' ? 'scale_fill=True' : `auto=False, stride=${stride}`;
  return `import cv2
import torch
from ultralytics.data.augment import LetterBox

image = LetterBox((${imgsz}, ${imgsz}), ${options})(image=cv2.imread("photo.jpg"))
images = torch.from_numpy(image).permute(2, 0, 1).flip(0).unsqueeze(0).float() / 255
`;
}
