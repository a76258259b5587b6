import type { JsonObject } from './json-object.ts';

/*
 * Examples of requests and of the JSON of their responses. test/end-to-end/openapi-examples.test.ts sends each request of the
 * document to both services, and compares the status, the content type and the members of the JSON.
 */

/** The image of the examples over HTTP; the test has it at this address. */
export const exampleUrl = 'https://images.example/cat.jpg';

export const examplePreset = 'openai/clip-vit-base-patch32';

/** An example of OpenAPI. */
const example = (summary: string, value: unknown): JsonObject => ({ summary, value });

/** Fields of a form. A file is its name. */
export const formExamples = {
  tensor: example('The input tensor of a model', { image: 'photo.jpg', preset: examplePreset }),
  thumbnail: example('A thumbnail', { image: 'photo.jpg', width: 320, format: 'webp', grayscale: false }),
  variants: example('Both, of one upload', {
    image: 'photo.jpg',
    variants: JSON.stringify([
      { name: 'input', preset: examplePreset },
      { name: 'thumbnail', width: 320, format: 'webp', grayscale: false },
    ]),
  }),
};

export const jsonExamples = {
  tensor: example('The input tensor of a model', { url: exampleUrl, preset: examplePreset }),
  thumbnail: example('A thumbnail', { url: exampleUrl, width: 320, format: 'webp', grayscale: false }),
};

export const urlEncodedExamples = {
  tensor: example('The input tensor of a model', { url: exampleUrl, preset: examplePreset }),
};

const describedTensor = {
  source: {
    format: 'jpeg',
    width: 640,
    height: 480,
    orientation: 1,
  },
  outputs: [
    {
      name: 'pixel_values',
      datatype: 'FP32',
      shape: [1, 3, 224, 224],
      bytes: 602112,
    },
  ],
  decisions: [],
  key: '4fad443357e1e891153db4b3d04a30b9be35d8bab8893e5c490629d8a5a01b04',
};

const describedImage = { ...describedTensor, outputs: [{ format: 'webp', width: 320, height: 240 }] };

export const descriptionExamples = {
  tensor: example('The input tensor of a model', describedTensor),
  image: example('An image', describedImage),
  variants: example('With variants', {
    variants: [
      { name: 'input', ...describedTensor },
      { name: 'thumbnail', ...describedImage },
    ],
  }),
};

export const presetListExample = {
  presets: [
    {
      name: 'openai/clip-vit-base-patch32',
      aliases: ['clip-vit-base-patch32'],
      family: 'transformers',
      numerics: ['torch', 'pillow', 'fast'],
      outputs: ['pixel_values'],
    },
  ],
};

export const presetExample = {
  name: 'openai/clip-vit-base-patch32',
  aliases: ['clip-vit-base-patch32'],
  family: 'transformers',
  numerics: ['torch', 'pillow', 'fast'],
  outputs: ['pixel_values'],
  steps: [
    'turn upright by the EXIF orientation',
    'convert to RGB and draw transparent pixels over white',
    'resize the shorter side to 224 (bicubic, torch)',
    'crop 224 × 224 from the centre',
    'rescale by 1/255, subtract mean 0.48145466, 0.4578275, 0.40821073, divide by std 0.26862954, 0.26130258, 0.27577711 (rescaling and normalization fused, rounded to FP32)',
    'write the tensor pixel_values: FP32, channels in the order RGB, [pictures, channels, height, width]',
  ],
  python:
    'from PIL import Image, ImageOps\nfrom transformers import AutoImageProcessor\n\nprocessor = AutoImageProcessor.from_pretrained("openai/clip-vit-base-patch32")\nimage = ImageOps.exif_transpose(Image.open("photo.jpg"))\ntensors = processor(image, return_tensors="np")\n',
};
