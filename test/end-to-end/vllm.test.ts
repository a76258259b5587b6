import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encoded, photoLike } from '../support/pictures.ts';
import { findPythonWith } from '../support/python.ts';
import { run } from '../support/run.ts';
import { tensorsOfSafetensors } from '../support/safetensors.ts';
import { type Service, startService } from '../support/service.ts';

/*
 * Responses of format=vllm, decoded by vLLM's own classes.
 */

const python = findPythonWith('vllm', 'msgspec', 'torch');
const program = fileURLToPath(new URL('vllm_decode.py', import.meta.url));
const config = JSON.stringify({ image_processor_type: 'Qwen2VLImageProcessor' });

describe.skipIf(python === undefined)('what vLLM decodes', () => {
  let service: Service;
  let photo: Uint8Array<ArrayBuffer>;
  beforeAll(async () => {
    service = await startService({ processor: { WORKERS: '1' } });
    photo = Uint8Array.from(await encoded(photoLike(333, 210), 'png'));
  });
  afterAll(() => service?.stop());

  async function contentOf(format: string, options: object): Promise<Buffer> {
    const query = new URLSearchParams({ preprocessor_config: config, format, ...options });
    const response = await fetch(`${service.url}/v1/images?${query}`, { method: 'POST', body: photo });
    expect(response.status).toBe(200);
    return Buffer.from(await response.arrayBuffer());
  }

  it.for([
    [{ pixels: 'uint8' }, 'uint8'],
    [{ pixels: 'normalized' }, 'float32'],
    [{ pixels: 'normalized', datatype: 'bf16' }, 'bfloat16'],
  ] as const)('is the tensors of safetensors with %j', { timeout: 300_000 }, async ([options, dtype]) => {
    const { code, stdout, stderr } = await run(python ?? '', [program], {
      input: await contentOf('vllm', options),
    });
    expect(code, stderr).toBe(0);
    const tensors = tensorsOfSafetensors(await contentOf('safetensors', options));
    expect(JSON.parse(stdout.toString())).toEqual({
      isSame: true,
      tensors: {
        pixel_values: { dtype, field: 'MultiModalFlatField', ...tensors.pixel_values },
        // A batched field has no axis for the batch.
        image_grid_thw: {
          dtype: 'int64',
          field: 'MultiModalBatchedField',
          ...tensors.image_grid_thw,
          shape: [3],
        },
      },
    });
  });
});
