import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VllmFeatures } from '../../src/processor/image/vllm-item.ts';
import { encoded, photoLike } from '../support/pictures.ts';
import { findPythonWith } from '../support/python.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';

/*
 * Items of format=vllm beside those that the code of vLLM's models makes of transformers' tensors of the same image.
 */

const python = findPythonWith('vllm', 'msgspec', 'torch', 'torchvision', 'transformers');
const program = fileURLToPath(new URL('vllm_items.py', import.meta.url));

/** The keys of processor_config.json, and of the image processor in it. */
type Case = readonly [family: string, type: string, image: object, processor: object, isUint8?: 'uint8'];

const square = (side: number) => ({ height: side, width: side });
const clip = { patch_size: 14, num_additional_image_tokens: 1, vision_feature_select_strategy: 'default' };
const siglip = { patch_size: 14, num_additional_image_tokens: 0, vision_feature_select_strategy: 'full' };
const clipSize = { size: { shortest_edge: 336 }, crop_size: square(336) };
const split = { size: { longest_edge: 1092 }, return_row_col_info: true };
const pixtral = { processor_class: 'PixtralProcessor', patch_size: 14 };

const cases: readonly Case[] = [
  ['qwen2_vl', 'Qwen2VL', {}, {}, 'uint8'],
  ['glm4v', 'Glm4v', {}, {}, 'uint8'],
  ['glm4v', 'Glm46V', {}, {}, 'uint8'],
  ['glm5next', 'Glm5Next', {}, {}, 'uint8'],
  ['paddleocr_vl', 'PaddleOCRVL', {}, {}],
  ['cohere_compass', 'CohereCompass', {}, {}],
  ['cosmos3_edge', 'Cosmos3Edge', {}, {}],
  ['muse_glimmer', 'MuseGlimmer', {}, {}],
  ['llava', 'CLIP', clipSize, clip],
  ['llava', 'Llava', { ...clipSize, do_pad: true }, clip],
  ['llava_siglip', 'Siglip', { size: square(384) }, siglip],
  ['paligemma', 'Siglip', { size: square(224), image_seq_length: 256 }, { image_seq_length: 256 }],
  ['blip2', 'Blip', { size: square(224) }, { num_query_tokens: 32 }],
  ['llava_next', 'LlavaNext', clipSize, clip],
  [
    'llava_onevision',
    'LlavaOnevision',
    {},
    { num_image_tokens: 729, vision_feature_select_strategy: 'full' },
  ],
  ['gemma3', 'Gemma3', {}, { image_seq_length: 256 }],
  ['gemma4', 'Gemma4', {}, {}],
  ['gemma4_unified', 'Gemma4Unified', {}, {}],
  ['idefics3', 'Idefics3', split, { image_seq_len: 169 }],
  [
    'smolvlm',
    'SmolVLM',
    { ...split, size: { longest_edge: 2048 }, max_image_size: { longest_edge: 512 } },
    { image_seq_len: 64 },
  ],
  ['cohere2_vision', 'Cohere2Vision', {}, {}],
  ['llama4', 'Llama4', {}, { patch_size: 14, pixel_shuffle_ratio: 0.5 }],
  ['aria', 'Aria', {}, {}],
  ['lfm2_vl', 'Lfm2Vl', {}, {}],
  [
    'internvl',
    'GotOcr2',
    { size: square(448), crop_to_patches: true },
    { image_seq_length: 256, image_token_id: 151_667 },
  ],
  ['pixtral', 'Pixtral', { patch_size: square(16) }, { ...pixtral, patch_size: 16, spatial_merge_size: 1 }],
  [
    'mistral3',
    'Pixtral',
    { patch_size: square(28), size: { longest_edge: 1540 } },
    { ...pixtral, spatial_merge_size: 2 },
    'uint8',
  ],
];

/** Wide, tall, small, and large enough for several tiles. */
const sizes = [
  [700, 420],
  [310, 905],
  [57, 40],
  [1500, 1100],
] as const;

describe.skipIf(python === undefined)("the item beside that of vLLM's own code", () => {
  let service: Service;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vllm-items-'));
    service = await startService({ processor: { WORKERS: '1' } });
  });
  afterAll(async () => {
    await service?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** The default first. */
  const optionsOf = ([, , , , isUint8]: Case) =>
    isUint8
      ? ([
          [{}, 'uint8', 'fp32'],
          [{ pixels: 'normalized' }, 'normalized', 'fp32'],
        ] as const)
      : ([
          [{}, 'normalized', 'bf16'],
          [{ datatype: 'fp32' }, 'normalized', 'fp32'],
        ] as const);

  async function featuresOf(
    photo: Uint8Array<ArrayBuffer>,
    config: string,
    options: object,
  ): Promise<VllmFeatures> {
    const query = new URLSearchParams({ preprocessor_config: config, format: 'vllm', ...options });
    const response = await fetch(`${service.url}/v1/images?${query}`, { method: 'POST', body: photo });
    const text = await response.text();
    expect(response.status, text).toBe(200);
    return JSON.parse(text);
  }

  it.for(sizes)('is equal for an image of %i × %i', { timeout: 600_000 }, async ([width, height]) => {
    const photo = Uint8Array.from(await encoded(photoLike(width, height), 'png'));
    const image = join(folder, `${width}.png`);
    await writeFile(image, photo);
    const asked = [];
    const counts = [];
    const requests = cases.flatMap((row) => {
      // Large items take long, and their values do not depend on the size.
      const options = width < 100 ? optionsOf(row) : optionsOf(row).slice(0, 1);
      return options.map(([given, pixels, dtype]) => ({ row, options: given, pixels, dtype }));
    });
    for (const { row, options, pixels, dtype } of requests) {
      const [family, type, config, processor] = row;
      const file = {
        ...processor,
        image_processor: { image_processor_type: `${type}ImageProcessor`, ...config },
      };
      const features = await featuresOf(photo, JSON.stringify(file), options);
      expect(features.pixels).toBe(pixels);
      counts.push(features.num_tokens.image[0]);
      const item = join(folder, `${counts.length}.item`);
      await writeFile(item, features.kwargs_data.image[0] ?? '');
      asked.push({ family, config: file, pixels, dtype, item });
    }
    const { code, stdout, stderr } = await run(python ?? '', [program], {
      input: Buffer.from(JSON.stringify({ image, requests: asked })),
    });
    expect(code, stderr).toBe(0);
    const compared = JSON.parse(stdout.toString()) as { decoded: object; expected: object; tokens: number }[];
    const named = (values: readonly unknown[]) =>
      Object.fromEntries(
        requests.map(({ row, pixels, dtype }, index) => [
          `${row[0]} ${row[1]} ${pixels} ${dtype}`,
          values[index],
        ]),
      );
    expect(named(compared.map(({ decoded }) => decoded))).toEqual(
      named(compared.map(({ expected }) => expected)),
    );
    expect(named(counts)).toEqual(named(compared.map(({ tokens }) => tokens)));
  });
});
