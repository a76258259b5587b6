import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Numerics, ProcessRequestSchema, TensorContainer } from '../../gen/image/v1/processor_pb.ts';
import type { DatatypeName } from '../../src/datatypes.ts';
import { readHeader } from '../../src/processor/codecs/read-header.ts';
import { type TensorDescription, valuesIn } from '../../src/processor/image/tensor-container.ts';
import { createPresets } from '../../src/processor/presets/presets.ts';
import { commonDefaults, inertKeys } from '../../src/processor/presets/processor-types.ts';
import { classificationTypes } from '../../src/processor/presets/transformers/classification-types.ts';
import { computedType } from '../../src/processor/presets/transformers/computed-types.ts';
import { depthTypes } from '../../src/processor/presets/transformers/depth-types.ts';
import { detectionTypes } from '../../src/processor/presets/transformers/detection-types.ts';
import { documentTypes } from '../../src/processor/presets/transformers/document-types.ts';
import { languageTypes } from '../../src/processor/presets/transformers/language-types.ts';
import { segmentationTypes } from '../../src/processor/presets/transformers/segmentation-types.ts';
import { tileTypes } from '../../src/processor/presets/transformers/tile-types.ts';
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

type Described = Readonly<Record<string, string>>;

async function tensorsOf(content: Uint8Array, config: object, backend: string, expected: Described) {
  const header = await readHeader(content, maxPixels);
  const plan = planOf(create(ProcessRequestSchema, requestFor(config, backend)), maxPixels, presets);
  const outcome = await processOnePlan(content, header, plan, maxPixels);
  if ('failure' in outcome) throw new Error(outcome.failure.message);
  return described(outcome.result.content, outcome.result.tensors, expected);
}

/** As make_tensor_goldens.py describes tensors. */
function described(
  content: Uint8Array,
  tensors: readonly TensorDescription[],
  expected: Described,
): Described {
  const values = valuesIn(content, tensors);
  return Object.fromEntries(
    tensors.map(({ name, datatype, shape }, index) => {
      const bytes = values[index] as Uint8Array;
      const description = `${dtypes[datatype]} ${shape.join('x')}`;
      const [theirs, samples] = expected[name]?.split(' ~') ?? [];
      if (samples !== undefined && theirs === description && areClose(bytes, samples)) {
        return [name, `${description} ~${samples}`];
      }
      return [name, `${description} ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`];
    }),
  );
}

/** Whether values are within 10⁻⁶ of the largest magnitude of some of them. */
function areClose(bytes: Uint8Array, text: string): boolean {
  const values = new Float32Array(Uint8Array.from(bytes).buffer);
  const samples = text.split(',').map(Number);
  const largest = Math.max(...samples.map(Math.abs));
  return samples.every((sample, part) => {
    const value = values[Math.floor((values.length * part) / samples.length)] ?? Number.NaN;
    return Math.abs(value - sample) <= 1e-6 * largest;
  });
}

describe(`a preset against transformers ${goldens.versions.transformers}`, () => {
  it.each(goldens.presets.map((preset) => [JSON.stringify(preset.config), preset.backend, preset] as const))(
    'gives all tensors of %s with %s',
    async (_, backend, { config, cases }) => {
      for (const [shape, expected] of Object.entries(cases)) {
        expect([shape, await tensorsOf(await fileOf(shape), config, backend, expected)]).toEqual([
          shape,
          expected,
        ]);
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
      expect(described(content, descriptions, batch)).toEqual(batch);
    },
  );
});

describe('an image whose height Emu3ImageProcessor takes for its number of channels', () => {
  const emu3 = { image_processor_type: 'Emu3ImageProcessor', min_pixels: 2000, max_pixels: 5000 };
  const tensorsOfHeight = async (height: number) =>
    tensorsOf(await fileOf(`5x${height}x3 mixed`), emu3, 'pillow', {});

  it.each([1, 3])('is refused: %i', async (height) => {
    await expect(tensorsOfHeight(height)).rejects.toThrow(/a height of 1 or 3 for the number of channels/);
  });

  it.each([2, 4])('is another height than %i', async (height) => {
    expect(Object.keys(await tensorsOfHeight(height))).toEqual(['pixel_values', 'image_sizes']);
  });
});

describe('the types with a _preprocess of their own', () => {
  it.each(Object.entries(goldens.classes))('have the values of the class %s', (name, theirs) => {
    const isSet = ([key, value]: [string, unknown]) => !inertKeys.has(key) && (value ?? false) !== false;
    const values = (all: object) => Object.fromEntries(Object.entries(all).filter(isSet));
    const { default_to_square: _, ...ours } = { ...commonDefaults, ...computedType(name)?.defaults };
    const { default_to_square: __, ...given } = JSON.parse(theirs);
    expect(values(ours)).toEqual(values(given));
  });

  it('are all compared', () => {
    const tables = [
      classificationTypes,
      depthTypes,
      detectionTypes,
      documentTypes,
      languageTypes,
      segmentationTypes,
      tileTypes,
    ];
    expect(Object.keys(goldens.classes).toSorted()).toEqual(
      tables.flatMap((types) => Object.keys(types)).toSorted(),
    );
  });
});
