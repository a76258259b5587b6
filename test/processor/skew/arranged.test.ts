import { describe, expect, it } from 'vitest';
import { Numerics } from '../../../gen/image/v1/processor_pb.ts';
import { encoded, photoLike } from '../../support/pictures.ts';
import { compared, madeTensor, stepsOf } from '../../support/skew.ts';

/** A tensor of FP32 with the values of red and blue exchanged: [rows, channel, …] as rows of patches have it. */
function withoutRed(content: Uint8Array, rowLength: number): Uint8Array {
  const values = new Float32Array(Uint8Array.from(content).buffer);
  const third = rowLength / 3;
  for (let row = 0; row < values.length; row += rowLength) {
    const red = values.slice(row, row + third);
    values.copyWithin(row, row + 2 * third, row + rowLength);
    values.set(red, row + 2 * third);
  }
  return new Uint8Array(values.buffer);
}

describe('tensors that are no pictures', () => {
  it.each(['Qwen/Qwen2.5-VL-7B-Instruct', 'llava-hf/llava-v1.6-mistral-7b-hf'])(
    'names the numerics of %s',
    async (preset) => {
      const image = await encoded(photoLike(330, 250, 3), 'png');
      const given = await madeTensor(image, { preset, numerics: Numerics.PILLOW });
      const report = await compared(image, { preset }, given);
      expect(report.cause?.exact).toBe(true);
      expect(stepsOf(report)).toHaveProperty('numerics', expect.stringContaining('Pillow'));
      expect(stepsOf(report)).not.toHaveProperty('layout');
    },
  );

  it('is exact only if all pictures of a tensor agree', async () => {
    const preset = 'llava-hf/llava-v1.6-mistral-7b-hf';
    const image = await encoded(photoLike(330, 250, 3), 'png');
    const given = await madeTensor(image, { preset, numerics: Numerics.PILLOW });
    const other = await madeTensor(image, { preset });
    const [, pictures = 0] = given.shape;
    const bytes = given.content.length / pictures;
    // The whole image, which is the first picture, by torch; its tiles by Pillow.
    const content = Buffer.concat([other.content.subarray(0, bytes), given.content.subarray(bytes)]);
    expect(content.equals(given.content)).toBe(false);
    const report = await compared(image, { preset }, { ...given, content });
    expect(report.cause?.exact).toBe(false);
    expect(stepsOf(report)).toHaveProperty('numerics', expect.stringContaining('Pillow'));
  });

  it('names the numerics of a preset that resizes twice', async () => {
    const preprocessorConfig = JSON.stringify({
      image_processor_type: 'Idefics3ImageProcessor',
      size: { longest_edge: 512 },
      max_image_size: { longest_edge: 128 },
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.5, 0.5, 0.5],
    });
    const image = await encoded(photoLike(330, 250, 3), 'png');
    const given = await madeTensor(image, { preprocessorConfig, numerics: Numerics.PILLOW });
    const report = await compared(image, { preprocessorConfig }, given);
    expect(report.cause?.exact).toBe(true);
    expect(stepsOf(report)).toHaveProperty('numerics', expect.stringContaining('Pillow'));
    expect(stepsOf(report)).not.toHaveProperty('size');
  });

  it('names the order of the channels of patches', async () => {
    const preset = 'Qwen/Qwen2.5-VL-7B-Instruct';
    const image = await encoded(photoLike(330, 250, 3), 'png');
    const options = { preset, output: { case: 'tensor', value: { pixels: 2 } } } as const;
    const { content, shape } = await madeTensor(image, options);
    const floats = Float32Array.from(content);
    const exchanged = withoutRed(new Uint8Array(floats.buffer), shape[1] ?? 0);
    const report = await compared(image, options, { datatype: 'FP32', shape, content: exchanged });
    expect(report.cause?.exact).toBe(true);
    expect(stepsOf(report)).toMatchObject({ channel_order: 'BGR' });
  });

  it('finds a grid of another size', async () => {
    const image = await encoded(photoLike(330, 250, 3), 'png');
    const preset = 'Qwen/Qwen2.5-VL-7B-Instruct';
    const smaller = await madeTensor(image, {
      preprocessorConfig: JSON.stringify({
        image_processor_type: 'Qwen2VLImageProcessor',
        min_pixels: 3136,
        max_pixels: 50_176,
        patch_size: 14,
        temporal_patch_size: 2,
        merge_size: 2,
        image_mean: [0.48145466, 0.4578275, 0.40821073],
        image_std: [0.26862954, 0.26130258, 0.27577711],
      }),
    });
    const report = await compared(image, { preset }, smaller);
    expect(report.cause?.exact).toBe(true);
    expect(stepsOf(report)).toHaveProperty('size', expect.stringContaining('252 × 168'));
  });
});
