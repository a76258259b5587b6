import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { Numerics, ProcessRequestSchema } from '../../gen/image/v1/processor_pb.ts';
import { Failure } from '../../src/failures.ts';
import { readHeader } from '../../src/processor/codecs/read-header.ts';
import type { Pixels } from '../../src/processor/image/pixels.ts';
import type { Plan, TensorPlan } from '../../src/processor/image/plan.ts';
import type { PixelOutcome, PixelResult } from '../../src/processor/image/process-pixels.ts';
import { createPresets } from '../../src/processor/presets/presets.ts';
import { commonDefaults, inertKeys, processorTypes } from '../../src/processor/presets/processor-types.ts';
import { planOf } from '../../src/processor/rules/rules.ts';
import { processOnePlan } from '../support/one-plan.ts';
import { encoded } from '../support/pictures.ts';
import { tensor } from '../support/tensors.ts';
import {
  classValues,
  type Golden,
  type GoldenLibrary,
  type GoldenPreset,
  goldenLibraries,
  goldenPresets,
  picture,
  type Source,
  versions,
} from './preset-goldens.ts';

/*
 * Presets, from the request to the tensor, against both backends of transformers and against torchvision, timm and
 * open_clip, bit for bit: make_preset_goldens.py and make_timm_goldens.py made the goldens with them.
 */

const maxPixels = 200_000_000;
const presets = createPresets({});

const numerics = { pillow: Numerics.PILLOW, torch: Numerics.TORCH } as const;

/** The plan of a request that names nothing but the preset and its library. */
function plannedFor({ config, weights = '' }: GoldenPreset, library: GoldenLibrary): Plan {
  const preset = config === undefined ? { preset: weights } : { preprocessorConfig: config };
  const output = { case: 'tensor', value: {} } as const;
  const request = create(ProcessRequestSchema, { ...preset, output, numerics: numerics[library] });
  return planOf(request, maxPixels, presets);
}

/** The plan whose output is the pixels themselves, [1, height, width, 3] before they are rescaled. */
function withPixels(plan: Plan): Plan {
  const output: TensorPlan = {
    kind: 'tensor',
    name: 'image',
    datatype: 'UINT8',
    layout: 'NHWC',
    rescaleFactor: 1,
    mean: [0],
    std: [1],
    channelOrder: 'RGB',
    container: 'raw',
  };
  return { ...plan, output };
}

const files = new Map<Source, Promise<Uint8Array>>();

/** The picture as a PNG. */
function fileOf(source: Source): Promise<Uint8Array> {
  const { data, channels, ...size } = picture(source);
  if (channels === 2) throw new Error('no such picture is made');
  const file = files.get(source) ?? encoded({ pixels: data, channels, ...size }, 'png');
  files.set(source, file);
  return file;
}

async function outcomeOf(source: Source, plan: Plan): Promise<PixelOutcome> {
  const content = await fileOf(source);
  const header = await readHeader(content, maxPixels);
  return processOnePlan(content, header, plan, maxPixels);
}

/** The reason with which a preset, or an image for it, is refused. */
async function refusalOf(source: Source, preset: GoldenPreset, library: GoldenLibrary) {
  try {
    const outcome = await outcomeOf(source, plannedFor(preset, library));
    return 'failure' in outcome ? outcome.failure.reason : undefined;
  } catch (error) {
    if (error instanceof Failure) return error.reason;
    throw error;
  }
}

async function resultOf(source: Source, plan: Plan): Promise<PixelResult> {
  const outcome = await outcomeOf(source, plan);
  if ('failure' in outcome) throw new Error(outcome.failure.message);
  return outcome.result;
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

/** The model's name, or its config. */
function titleOf({ name, config = name }: GoldenPreset): string {
  return name.includes('/') || config === name ? name : config;
}

const against = ['transformers', 'torchvision', 'timm', 'open_clip']
  .map((name) => `${name} ${versions[name]}`)
  .join(', ');

describe.each(goldenLibraries)(`a preset by %s, against ${against}`, (library) => {
  it.each(goldenPresets.map((preset) => [titleOf(preset), preset] as const))(
    'gives the pixels and the tensor of %s',
    async (_, preset) => {
      for (const { source, results } of preset.cases) {
        const result = results[library];
        if (result === undefined) {
          expect(await refusalOf(source, preset, library)).toMatch(/^(PRESET|NUMERICS)_UNSUPPORTED$/);
          continue;
        }
        const plan = plannedFor(preset, library);
        const { content, width, height } = await resultOf(source, withPixels(plan));
        const pixels: Pixels = { data: content, width, height, channels: 3 };
        const values = tensor(pixels, plan.output as TensorPlan);
        expect({
          source,
          size: [width, height],
          pixels: hashOf(content),
          description: values.tensors,
          tensor: hashOf(values.content),
        }).toEqual({
          source,
          size: [result.width, result.height],
          pixels: result.pixels,
          description: [
            {
              name: preset.tensor,
              datatype: result.datatype,
              shape: [1, 3, result.height, result.width],
            },
          ],
          tensor: result.tensor,
        });
      }
    },
  );

  // The whole path in one call. Compared by values, because hashes do not show how results differ.
  it.each(goldenPresets.filter(({ name }) => name.includes('/')))(
    'gives the values of $name',
    async (preset) => {
      const [first] = preset.cases as [Golden];
      const samples = preset.samples[library];
      const { content } = await resultOf(first.source, plannedFor(preset, library));
      const values = new Float32Array(content.slice().buffer);
      expect(samples.map((_, part) => values[Math.floor((values.length * part) / 7)])).toEqual(samples);
    },
  );
});

describe('processorTypes', () => {
  it.each([...classValues])('has the values of the class %s', (name, theirs) => {
    const { defaults = {}, ignores = [] } = processorTypes[name] ?? {};
    const isRead = ([key, value]: [string, unknown]) =>
      !ignores.includes(key) && !inertKeys.has(key) && (value ?? false) !== false;
    const values = (all: Readonly<Record<string, unknown>>) =>
      Object.fromEntries(Object.entries(all).filter(isRead));
    expect(values({ ...commonDefaults, ...defaults })).toEqual(values(theirs));
  });

  it('has only types that were compared', () => {
    expect([...classValues.keys()]).toEqual(Object.keys(processorTypes));
  });
});
