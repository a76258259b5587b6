import { decode, type ExtData } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { Datatype, Numerics, Pixels, TensorContainer } from '../../../gen/image/v1/processor_pb.ts';
import { readHeader } from '../../../src/processor/codecs/read-header.ts';
import type { PixelResult } from '../../../src/processor/image/process-pixels.ts';
import { processPixels } from '../../../src/processor/image/process-pixels.ts';
import { valuesIn } from '../../../src/processor/image/tensor-container.ts';
import { joinVllmContents, type VllmFeatures, vllmBytes } from '../../../src/processor/image/vllm-item.ts';
import { encoded, solid } from '../../support/pictures.ts';
import { invalid, plan, refusal } from '../../support/plan-of-request.ts';
import { plannedImage } from '../../support/plans.ts';

const qwen = { image_processor_type: 'Qwen2VLImageProcessor' };

/** The result of a picture of 100 × 60 pixels: for Qwen, 4 × 8 patches of 14 × 14 pixels, in groups of 2 × 2. */
async function resultOf(
  container: TensorContainer,
  value: object = {},
  config: object = qwen,
): Promise<PixelResult> {
  const content = await encoded(solid(100, 60, [10, 200, 30]), 'png');
  const header = await readHeader(content, 1_000_000);
  const output = { case: 'tensor', value: { container, ...value } } as const;
  const preprocessorConfig = JSON.stringify(config);
  const planned = plannedImage(header, plan({ preprocessorConfig, numerics: Numerics.TORCH, output }));
  const [outcome] = await processPixels({ content, header, images: [{ ...planned, key: 'a-key' }] });
  if (outcome === undefined || 'failure' in outcome) throw new Error('no result');
  expect(outcome.result.content.length).toBeLessThanOrEqual(planned.geometry.maxContentBytes);
  return outcome.result;
}

const featuresOf = ({ content }: { content: Uint8Array }): VllmFeatures =>
  JSON.parse(Buffer.from(content).toString());

interface Field {
  readonly data: readonly [dtype: string, shape: readonly number[], values: ExtData];
  readonly field: unknown;
}

const itemOf = ({ kwargs_data }: VllmFeatures, index = 0) =>
  decode(Buffer.from(kwargs_data.image[index] ?? '', 'base64')) as Readonly<Record<string, Field>>;

describe('format=vllm', () => {
  it('contains the uint8 pixels, the key and the number of tokens', async () => {
    const result = await resultOf(TensorContainer.VLLM);
    expect(result.contentType).toBe('application/json');
    const features = featuresOf(result);
    expect(features).toMatchObject({
      mm_hashes: { image: ['a-key'] },
      num_tokens: { image: [8] },
      pixels: 'uint8',
    });
    expect(itemOf(features)).toMatchObject({
      pixel_values: {
        data: ['uint8', [32, 1176], { type: 3 }],
        field: ['flat', { keep_on_cpu: false, slices: [[[0, 32, null]]], dim: 0 }],
      },
      image_grid_thw: { data: ['int64', [3], { type: 3 }], field: ['batched', { keep_on_cpu: true }] },
    });
  });

  it.each([
    ['normalized', { pixels: Pixels.NORMALIZED }, 'float32'],
    ['normalized', { datatype: Datatype.BF16 }, 'bfloat16'],
    ['uint8', { pixels: Pixels.UINT8 }, 'uint8'],
  ] as const)('has %s pixels on request, with the bytes of safetensors', async (pixels, value, dtype) => {
    const features = featuresOf(await resultOf(TensorContainer.VLLM, value));
    expect(features.pixels).toBe(pixels);
    const { content, tensors } = await resultOf(TensorContainer.SAFETENSORS, value);
    const item = itemOf(features);
    for (const [index, values] of valuesIn(content, tensors).entries()) {
      const { data } = item[tensors[index]?.name ?? ''] as Field;
      expect(Buffer.compare(data[2].data as Uint8Array, values)).toBe(0);
    }
    expect(item.pixel_values?.data[0]).toBe(dtype);
  });

  it('has an item for each image of a batch', async () => {
    const { content } = await resultOf(TensorContainer.VLLM);
    const joined = featuresOf(joinVllmContents([content, content]));
    expect(joined).toMatchObject({ mm_hashes: { image: ['a-key', 'a-key'] }, num_tokens: { image: [8, 8] } });
    expect(itemOf(joined, 1)).toEqual(itemOf(featuresOf({ content })));
    const other = (await resultOf(TensorContainer.VLLM, { pixels: Pixels.NORMALIZED })).content;
    expect(() => joinVllmContents([content, other])).toThrow('pixels of a batch');
  });

  const square = (side: number) => ({ height: side, width: side });
  const file = (type: string, image: object, processor: object) => ({
    ...processor,
    image_processor: { image_processor_type: `${type}ImageProcessor`, ...image },
  });
  const llava = { patch_size: 14, num_additional_image_tokens: 1, vision_feature_select_strategy: 'default' };

  // test/end-to-end/vllm-items.test.ts compares each class with vLLM's own items.
  it.each([
    ['CLIP', {}, llava, { pixel_values: ['bfloat16', 3, 224, 224] }, 256],
    ['CLIP', {}, {}, { pixel_values: ['bfloat16', 3, 224, 224] }, null],
    ['Siglip', { image_seq_length: 256 }, {}, { pixel_values: ['bfloat16', 3, 224, 224] }, 256],
    [
      'LlavaNext',
      { size: { shortest_edge: 336 }, crop_size: square(336) },
      llava,
      { pixel_values: ['bfloat16', 3, 3, 336, 336], image_sizes: ['int64', 2] },
      576 + 24 * (40 + 1),
    ],
    [
      'Gemma3',
      {},
      { image_seq_length: 256 },
      { pixel_values: ['bfloat16', 1, 3, 224, 224], num_patches: ['int64'] },
      256,
    ],
    [
      'SmolVLM',
      { size: { longest_edge: 1024 }, max_image_size: { longest_edge: 512 } },
      { image_seq_len: 64 },
      {
        pixel_values: ['bfloat16', 5, 3, 512, 512],
        pixel_attention_mask: ['int64', 5, 512, 512],
        num_patches: ['int64'],
      },
      5 * 64,
    ],
    [
      'GotOcr2',
      { crop_to_patches: true, size: square(448) },
      { image_token_id: 7, image_seq_length: 256 },
      { pixel_values: ['bfloat16', 7, 3, 448, 448], image_num_patches: ['int64'], image_token_id: ['int64'] },
      7 * 256,
    ],
  ])('has the fields of %s %j %j', async (type, image, processor, fields, tokens) => {
    const features = featuresOf(await resultOf(TensorContainer.VLLM, {}, file(type, image, processor)));
    const shapes = Object.entries(itemOf(features)).map(([name, { data }]) => [name, [data[0], ...data[1]]]);
    expect(Object.fromEntries(shapes)).toEqual(fields);
    expect(features).toMatchObject({ num_tokens: { image: [tokens] }, pixels: 'normalized' });
  });

  it('refuses uint8 where vLLM does not normalize', () => {
    const value = { container: TensorContainer.VLLM, pixels: Pixels.UINT8 };
    const allowed = 'normalized, because vLLM does not normalize the pixels of this model';
    expect(refusal({ preset: 'clip-vit-base-patch32', output: { case: 'tensor', value } })).toEqual(
      invalid('pixels', 'uint8', allowed),
    );
  });

  const inVllm = { case: 'tensor', value: { container: TensorContainer.VLLM } } as const;

  it.each([{ preset: 'vit-base-patch16-224' }, { preset: 'timm/resnet50.a1_in1k' }, {}])(
    'is refused for %j',
    (request) => {
      const { allowed = '' } = refusal({ ...request, output: inVllm }).metadata;
      expect(allowed).toContain('Qwen2VLImageProcessor');
      expect(refusal({ ...request, output: inVllm })).toEqual(invalid('container', 'vllm', allowed));
    },
  );

  it.each([
    ['Phi4Multimodal', {}, {}, "code of the model's repository"],
    ['Ernie4_5_VLMoe', {}, {}, "code of the model's repository"],
    ['GotOcr2', {}, { image_token_id: 7 }, 'crop_to_patches true'],
    ['GotOcr2', { crop_to_patches: true }, {}, 'image_token_id'],
    ['Pixtral', {}, {}, 'spatial_merge_size'],
    [
      'Pixtral',
      { patch_size: square(14) },
      { processor_class: 'PixtralProcessor', patch_size: 14, spatial_merge_size: 2 },
      'patch_size 28',
    ],
    ['Idefics3', { do_pad: false }, {}, 'do_pad'],
    ['SmolVLM', { size: { longest_edge: 700 } }, {}, 'a multiple of that of max_image_size'],
    ['Lfm2Vl', { use_thumbnail: false }, {}, 'use_thumbnail'],
    ['Aria', { split_image: true }, {}, 'split_image'],
  ])('is refused for %s with %j beside %j', (type, image, processor, reason) => {
    const preprocessorConfig = JSON.stringify(file(type, image, processor));
    const { allowed = '' } = refusal({ preprocessorConfig, output: inVllm }).metadata;
    expect(allowed).toContain(reason);
  });

  it('is bounded before it is made', () => {
    expect(vllmBytes(3000)).toBeGreaterThan(4000);
  });
});
