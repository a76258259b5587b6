import type { TensorPlan } from '../image/plan.ts';
import table from './keras-presets.json' with { type: 'json' };
import type { Preset } from './preset.ts';
import type { PresetPlan } from './preset-plan.ts';

interface Model {
  /** Of keras.applications. */
  readonly module: string;
  /** Both sides of the input, in pixels. */
  readonly size: number;
  readonly mode: string;
}

/**
 * The values of preprocess_input by its mode, as its NumPy branch computes them (`_preprocess_numpy_input` in
 * keras/src/applications/imagenet_utils.py). With `none` the model contains this step and takes 0…255.
 */
const modes: Readonly<Record<string, Pick<TensorPlan, 'rescaleFactor' | 'mean' | 'std' | 'channelOrder'>>> = {
  caffe: { rescaleFactor: 1, mean: [103.939, 116.779, 123.68], std: [1], channelOrder: 'BGR' },
  tf: { rescaleFactor: 1 / 127.5, mean: [1], std: [1], channelOrder: 'RGB' },
  torch: {
    rescaleFactor: 1 / 255,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
    channelOrder: 'RGB',
  },
  none: { rescaleFactor: 1, mean: [0], std: [1], channelOrder: 'RGB' },
};

/**
 * The presets of keras.applications, such as `keras/ResNet50`: `load_img` with the model's size and its default
 * interpolation, nearest, then the model's `preprocess_input`. test/parity/make_keras_presets.py made the table from
 * Keras itself.
 */
export const kerasPresets: readonly Preset[] = Object.entries<Model>(table.models).map(([name, model]) => ({
  name: `keras/${name}`,
  aliases: [`keras.applications.${name}`, `tf.keras.applications.${name}`],
  family: 'keras',
  libraries: ['pillow'],
  plan: () => planOf(model),
  python: () => pythonOf(model),
}));

function planOf({ size, mode }: Model): PresetPlan {
  const values = modes[mode];
  if (values === undefined) throw new Error(`keras.applications has no mode ${mode}`);
  return {
    alpha: 'dropped',
    steps: [{ kind: 'resize', fit: 'fill', width: size, height: size, filter: 'nearest' }],
    // Keras names the input of the first model so.
    tensor: { name: 'input_layer', datatype: 'FP32', layout: 'NHWC', ...values },
  };
}

function pythonOf({ module, size }: Model): string {
  return `import numpy
from keras.applications.${module} import preprocess_input
from keras.utils import img_to_array, load_img

image = load_img("photo.jpg", target_size=(${size}, ${size}))
input_layer = preprocess_input(numpy.expand_dims(img_to_array(image), 0))
`;
}
