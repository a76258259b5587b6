import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { Numerics, ProcessRequestSchema } from '../../gen/image/v1/processor_pb.ts';
import { datatypes } from '../../src/datatypes.ts';
import { readHeader } from '../../src/processor/codecs/read-header.ts';
import { joinedShape, writeJoined } from '../../src/processor/image/join-tensors.ts';
import type { Plan, TensorPlan } from '../../src/processor/image/plan.ts';
import { batchRulesOf } from '../../src/processor/image/tensor.ts';
import { type Tensor, valuesIn } from '../../src/processor/image/tensor-container.ts';
import { createPresets } from '../../src/processor/presets/presets.ts';
import { commonDefaults, inertKeys } from '../../src/processor/presets/processor-types.ts';
import { patchTypes } from '../../src/processor/presets/transformers/patch-types.ts';
import { planOf } from '../../src/processor/rules/rules.ts';
import { processOnePlan } from '../support/one-plan.ts';
import { encoded } from '../support/pictures.ts';
import { type PatchCase, patchClassValues, patchGoldens, versions } from './patch-goldens.ts';
import { picture, type Source } from './preset-goldens.ts';

/*
 * Presets that cut an image into patches, from the request to every tensor, against transformers, bit for bit:
 * make_patch_goldens.py made the goldens with it.
 */

const maxPixels = 200_000_000;
const presets = createPresets({});

const numerics = { pillow: Numerics.PILLOW, torch: Numerics.TORCH } as const;

function plannedFor(config: string, backend: PatchCase['backend']): Plan {
  const request = create(ProcessRequestSchema, {
    preprocessorConfig: config,
    numerics: numerics[backend],
    output: { case: 'tensor', value: { container: 3 } },
  });
  return planOf(request, maxPixels, presets);
}

/** @throws Failure */
async function tensorsOf(source: Source, plan: Plan): Promise<readonly Tensor[]> {
  const { data, channels, ...size } = picture(source);
  if (channels === 2) throw new Error('no such picture is made');
  const content = await encoded({ pixels: data, channels, ...size }, 'png');
  const outcome = await processOnePlan(content, await readHeader(content, maxPixels), plan, maxPixels);
  if ('failure' in outcome) throw new Error(outcome.failure.reason);
  const { tensors, content: bytes } = outcome.result;
  return valuesIn(bytes, tensors).map((values, index) => ({ ...tensors[index], values }) as Tensor);
}

/** The tensors of a batch. */
async function joined(sources: readonly Source[], plan: Plan): Promise<readonly Tensor[]> {
  const parts: (readonly Tensor[])[] = [];
  for (const source of sources) parts.push(await tensorsOf(source, plan));
  return batchRulesOf(plan.output as TensorPlan).map((rule, each) => {
    const tensors = parts.map((part) => part[each] as Tensor);
    const [{ name, datatype }] = tensors as [Tensor];
    const shape = joinedShape(
      tensors.map((tensor) => tensor.shape),
      rule,
    );
    const values = new Uint8Array(shape.reduce((product, side) => product * side, datatypes[datatype].bytes));
    let at = 0;
    for (const tensor of tensors) {
      writeJoined(tensor.values, tensor, at, values, shape);
      at += tensor.shape[0] ?? 1;
    }
    return { name, datatype, shape, values };
  });
}

const numpyNames: Readonly<Record<string, string>> = {
  FP32: 'float32',
  UINT8: 'uint8',
  INT64: 'int64',
  INT32: 'int32',
  BOOL: 'bool',
};

function lineOf({ name, datatype, shape, values }: Tensor): string {
  const hash = createHash('sha256').update(values).digest('hex').slice(0, 16);
  return `${name} ${numpyNames[datatype]} ${shape.join('x')} ${hash}`;
}

async function resultOf({ sources }: PatchCase, plan: Plan): Promise<readonly string[] | undefined> {
  try {
    return (await joined(sources, plan)).map(lineOf);
  } catch (error) {
    const { message } = error as Error;
    if (refusals.includes(message)) return undefined;
    throw error;
  }
}

const refusals = ['ASPECT_RATIO_OVER_LIMIT', 'IMAGE_TOO_SMALL', 'IMAGE_SIZE_INDIVISIBLE'];

describe(`patches against transformers ${versions.transformers}`, () => {
  it.each(patchGoldens.map((golden) => [golden.config, golden] as const))(
    'has every tensor of %s',
    async (config, { cases }) => {
      for (const each of cases) {
        const { backend, sources, tensors } = each;
        const computed = await resultOf(each, plannedFor(config, backend));
        expect({ backend, sources, tensors: computed }).toEqual({ backend, sources, tensors });
      }
    },
  );
});

describe('patchTypes', () => {
  it.each([...patchClassValues])('has the values of the class %s', (name, theirs) => {
    const { defaults = {}, ignores = [] } = patchTypes[name] ?? {};
    const isRead = ([key, value]: [string, unknown]) =>
      !ignores.includes(key) && !inertKeys.has(key) && (value ?? false) !== false;
    const values = (all: Readonly<Record<string, unknown>>) =>
      Object.fromEntries(Object.entries(all).filter(isRead));
    expect(values({ ...commonDefaults, ...defaults })).toEqual(values(theirs));
  });

  it('has only types that were compared', () => {
    expect([...patchClassValues.keys()]).toEqual(Object.keys(patchTypes));
  });
});
