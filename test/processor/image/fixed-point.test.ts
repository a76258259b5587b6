import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ProcessRequestSchema } from '../../../gen/image/v1/processor_pb.ts';
import { readHeader } from '../../../src/processor/codecs/read-header.ts';
import type { PixelResult } from '../../../src/processor/image/process-pixels.ts';
import { createPresets } from '../../../src/processor/presets/presets.ts';
import { planOf } from '../../../src/processor/rules/rules.ts';
import { processOnePlan } from '../../support/one-plan.ts';
import { encoded, noise } from '../../support/pictures.ts';

const maxPixels = 25_000_000;
const presets = createPresets({});

async function processed(content: Uint8Array, type: string, output: 'png' | 'tensors'): Promise<PixelResult> {
  const request = create(ProcessRequestSchema, {
    preprocessorConfig: JSON.stringify({ image_processor_type: type }),
    output:
      output === 'png'
        ? { case: 'image', value: { format: 2 } }
        : { case: 'tensor', value: { container: 3 } },
  });
  const header = await readHeader(content, maxPixels);
  const outcome = await processOnePlan(content, header, planOf(request, maxPixels, presets), maxPixels);
  if ('failure' in outcome) throw new Error(outcome.failure.reason);
  return outcome.result;
}

describe('the image of a preset that cuts patches', () => {
  it.each([
    ['Qwen2VLImageProcessor', 301, 200],
    ['Qwen2VLImageProcessor', 1280, 720],
    ['Qwen2VLImageProcessorPil', 37, 54],
    ['Glm4vImageProcessor', 301, 200],
    ['Glm5NextImageProcessor', 301, 200],
    ['Kimi_K25ImageProcessor', 301, 200],
    ['PaddleOCRVLImageProcessor', 333, 517],
  ])('gives %s the same tensors as the source of %i × %i pixels', async (type, width, height) => {
    const source = await encoded(noise(width, height), 'png');
    const image = await processed(source, type, 'png');
    const [first, again] = [
      await processed(source, type, 'tensors'),
      await processed(image.content, type, 'tensors'),
    ];
    expect(again.tensors).toEqual(first.tensors);
    expect(Buffer.compare(again.content, first.content)).toBe(0);
  });
});
