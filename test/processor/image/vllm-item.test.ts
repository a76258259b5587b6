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

const qwen = JSON.stringify({ image_processor_type: 'Qwen2VLImageProcessor' });

/** The result of a picture of 100 × 60 pixels: 4 × 8 patches of 14 × 14 pixels, in groups of 2 × 2. */
async function resultOf(container: TensorContainer, value: object = {}): Promise<PixelResult> {
  const content = await encoded(solid(100, 60, [10, 200, 30]), 'png');
  const header = await readHeader(content, 1_000_000);
  const output = { case: 'tensor', value: { container, ...value } } as const;
  const planned = plannedImage(header, plan({ preprocessorConfig: qwen, numerics: Numerics.TORCH, output }));
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
        field: ['flat', { keep_on_cpu: false, slices: [[0, 32, null]], dim: 0 }],
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

  it.each([{ preset: 'clip-vit-base-patch32' }, {}])('is refused for %j', (request) => {
    const output = { case: 'tensor', value: { container: TensorContainer.VLLM } } as const;
    const { allowed = '' } = refusal({ ...request, output }).metadata;
    expect(allowed).toContain('Qwen2VLImageProcessor');
    expect(refusal({ ...request, output })).toEqual(invalid('container', 'vllm', allowed));
  });

  it('is bounded before it is made', () => {
    expect(vllmBytes(3000)).toBeGreaterThan(4000);
  });
});
