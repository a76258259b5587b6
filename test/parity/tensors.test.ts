import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Numerics, ProcessRequestSchema, TensorContainer } from '../../gen/image/v1/processor_pb.ts';
import type { DatatypeName } from '../../src/datatypes.ts';
import { readHeader } from '../../src/processor/codecs/read-header.ts';
import { type TensorDescription, valuesIn } from '../../src/processor/image/tensor-container.ts';
import { createPresets } from '../../src/processor/presets/presets.ts';
import { planOf } from '../../src/processor/rules/rules.ts';
import { startWorkerPool, type WorkerPool } from '../../src/processor/workers/pool.ts';
import { processOnePlan } from '../support/one-plan.ts';
import { encoded } from '../support/pictures.ts';
import { createProcessing, startProcessorServer } from '../support/processor.ts';
import { picture, sourceOf } from './preset-goldens.ts';
import goldens from './tensor-goldens.json' with { type: 'json' };

/*
 * Presets of several tensors, from the request to the values, against transformers, bit for bit: make_tensor_goldens.py
 * made the goldens with it.
 */

let pool: WorkerPool;
beforeAll(async () => {
  pool = await startWorkerPool(1);
});
afterAll(() => pool.close());

const maxPixels = 200_000_000;
const presets = createPresets({});
const numerics = { torch: Numerics.TORCH, pillow: Numerics.PILLOW } as const;

/** NumPy's names of the datatypes. */
const dtypes: Readonly<Record<string, string>> = {
  UINT8: 'uint8',
  FP32: 'float32',
  BF16: 'bfloat16',
  BOOL: 'bool',
  INT32: 'int32',
  INT64: 'int64',
};

function requestFor(config: object, backend: string) {
  return {
    preprocessorConfig: JSON.stringify(config),
    numerics: numerics[backend as keyof typeof numerics],
    output: { case: 'tensor', value: { container: TensorContainer.SAFETENSORS } },
  } as const;
}

async function fileOf(shape: string): Promise<Uint8Array> {
  const { data, ...size } = picture(sourceOf(shape));
  return await encoded({ pixels: data, ...size, channels: 3 }, 'png');
}

async function tensorsOf(content: Uint8Array, config: object, backend: string) {
  const header = await readHeader(content, maxPixels);
  const plan = planOf(create(ProcessRequestSchema, requestFor(config, backend)), maxPixels, presets);
  const outcome = await processOnePlan(content, header, plan, maxPixels);
  if ('failure' in outcome) throw new Error(outcome.failure.message);
  return described(outcome.result.content, outcome.result.tensors);
}

/** As make_tensor_goldens.py describes tensors. */
function described(content: Uint8Array, tensors: readonly TensorDescription[]) {
  const values = valuesIn(content, tensors);
  return Object.fromEntries(
    tensors.map(({ name, datatype, shape }, index) => {
      const hash = createHash('sha256').update(values[index] as Uint8Array);
      return [name, `${dtypes[datatype]} ${shape.join('x')} ${hash.digest('hex').slice(0, 16)}`];
    }),
  );
}

describe(`a preset against transformers ${goldens.versions.transformers}`, () => {
  it.each(goldens.presets.map((preset) => [JSON.stringify(preset.config), preset.backend, preset] as const))(
    'gives all tensors of %s with %s',
    async (_, backend, { config, cases }) => {
      for (const [shape, expected] of Object.entries(cases)) {
        expect([shape, await tensorsOf(await fileOf(shape), config, backend)]).toEqual([shape, expected]);
      }
    },
  );
});

describe('a batch', () => {
  it.each(goldens.presets.map((preset) => [JSON.stringify(preset.config), preset.backend, preset] as const))(
    'has the tensors of %s with %s, padded as there',
    async (_, backend, { config, cases, batch }) => {
      await using server = await startProcessorServer(createProcessing(pool));
      const files = await Promise.all(Object.keys(cases).map(fileOf));
      const call = server.client.processBatch({
        requests: files.map((value) => ({
          source: { case: 'content', value },
          ...requestFor(config, backend),
        })),
      });
      if (batch === null) {
        await expect(call).rejects.toThrow(/Give them one size and one datatype/);
        return;
      }
      const { content, tensors } = await call;
      const descriptions = tensors.map(({ name, datatype, shape }) => ({
        name,
        datatype: datatype as DatatypeName,
        shape: shape.map(Number),
      }));
      expect(described(content, descriptions)).toMatchObject(batch);
    },
  );
});
