import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Pipeline } from '../pipelines.ts';

/** The part of @huggingface/transformers that is used here. */
interface Library {
  readonly RawImage: { fromBlob(blob: Blob): Promise<object> };
  readonly CLIPImageProcessor: Processor;
  readonly ViTImageProcessor: Processor;
}

type Processor = new (
  config: object,
) => (image: object) => Promise<{ pixel_values: { data: Float32Array; dims: number[] } }>;

const vit = {
  do_resize: true,
  do_normalize: true,
  do_rescale: true,
  rescale_factor: 1 / 255,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
  resample: 2,
  size: { width: 224, height: 224 },
};

const clip = {
  ...vit,
  do_center_crop: true,
  do_convert_rgb: true,
  crop_size: { width: 224, height: 224 },
  size: { shortest_edge: 224 },
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
  resample: 3,
};

// sharp, with which it reads files in Node, applies a profile.
const optional = {
  'rounding?': '',
  'size?': '',
  'crop?': '',
  'filter?': '',
  'decoder?': '',
  'icc?': 'applied',
};

const table = [
  { name: 'transformers.js ViTImageProcessor, ViT', type: 'ViTImageProcessor', config: vit },
  { name: 'transformers.js CLIPImageProcessor, CLIP', type: 'CLIPImageProcessor', config: clip },
] as const;

/** Pipelines with transformers.js in Node. @param folder - in which it is installed */
export async function transformersJsPipelines(folder: string | undefined): Promise<readonly Pipeline[]> {
  const library = folder === undefined ? undefined : await load(folder);
  return table.map(({ name, type, config }) => ({
    name,
    preset: type === 'ViTImageProcessor' ? 'google/vit-base-patch16-224' : 'openai/clip-vit-base-patch32',
    kind: 'photo',
    expected: { numerics: ['transformers.js', 'libvips', 'sharp'], ...optional },
    missing: library === undefined ? '@huggingface/transformers' : undefined,
    async run({ content }) {
      if (library === undefined) throw new Error('transformers.js is not installed');
      const image = await library.RawImage.fromBlob(new Blob([content]));
      const { pixel_values: tensor } = await new library[type](config)(image);
      return { datatype: 'FP32', shape: tensor.dims, bytes: new Uint8Array(tensor.data.slice().buffer) };
    },
  }));
}

async function load(folder: string): Promise<Library | undefined> {
  try {
    const path = createRequire(`${folder}/`).resolve('@huggingface/transformers');
    return (await import(pathToFileURL(path).href)) as Library;
  } catch (error) {
    console.log(`transformers.js: ${String(error)}`);
    return undefined;
  }
}
