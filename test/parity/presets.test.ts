import { createHash } from 'node:crypto';
import process from 'node:process';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ProcessRequestSchema } from '../../gen/image/v1/processor_pb.ts';
import type { ImageHeader } from '../../src/processor/codecs/header.ts';
import { readHeader } from '../../src/processor/codecs/read-header.ts';
import { cropStart } from '../../src/processor/image/crop.ts';
import { geometryOf, stepsOf } from '../../src/processor/image/geometry.ts';
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
  type GoldenPreset,
  goldenPresets,
  picture,
  type Source,
  versions,
} from './preset-goldens.ts';

/*
 * Presets, from the request to the tensor, against transformers' Pillow backend and torchvision's own, bit for bit:
 * make_preset_goldens.py made the goldens with them.
 */

const maxPixels = 200_000_000;
const presets = createPresets({});

/** The plan of a request that names nothing but the preset. */
function plannedFor({ config, weights = '' }: GoldenPreset): Plan {
  const preset = config === undefined ? { preset: weights } : { preprocessorConfig: config };
  const request = create(ProcessRequestSchema, { ...preset, output: { case: 'tensor', value: {} } });
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
  return name.includes('/') ? name : config;
}

describe(`a preset against transformers ${versions.transformers} and torchvision ${versions.torchvision}`, () => {
  it.each(goldenPresets.map((preset) => [titleOf(preset), preset] as const))(
    'gives the pixels and the tensor of %s',
    async (_, preset) => {
      const plan = plannedFor(preset);
      for (const { source, result } of preset.cases) {
        if (result === undefined) {
          expect(await outcomeOf(source, plan)).toMatchObject({ failure: { reason: 'PRESET_UNSUPPORTED' } });
          continue;
        }
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
              name: preset.config === undefined ? 'image' : 'pixel_values',
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
    async ({ samples, ...preset }) => {
      const [first] = preset.cases as [Golden];
      const { content } = await resultOf(first.source, plannedFor({ samples, ...preset }));
      const values = new Float32Array(content.slice().buffer);
      expect(samples.map((_, part) => values[Math.floor((values.length * part) / 7)])).toEqual(samples);
    },
  );

  // Some random presets shrink an image to 2 pixels by lanczos, for example.
  it.skipIf(process.env.PRESET_GOLDENS)(
    'is within 2 levels of torchvision where there is no noise, and within 1 but for 0.5 % of the values',
    () => {
      const cases = goldenPresets.flatMap((preset) => {
        const plan = plannedFor(preset);
        // torchvision's nearest chooses other pixels.
        if (plan.steps.some((step) => step.kind === 'resize' && step.filter === 'nearest')) return [];
        return preset.cases.flatMap(({ source, result }) =>
          result?.torchvision === undefined || source.kind === 'mixed' || isOddlyPadded(source, plan)
            ? []
            : [{ title: titleOf(preset), source, ...result, ...result.torchvision }],
        );
      });
      expect(cases.length).toBeGreaterThan(10);
      const far = cases.filter(({ most, valuesBeyondOne, width, height }) => {
        return most > 2 || valuesBeyondOne > (width * height * 3) / 200;
      });
      expect(far).toEqual([]);
    },
  );

  it('crops the pixels of the torchvision backend when it pads as that backend does', async () => {
    const cases = goldenPresets.flatMap((preset) => {
      const plan = withPixels(paddedAsTorchvision(plannedFor(preset)));
      return preset.cases.flatMap(({ source, result }) =>
        result?.torchvisionPixels === undefined ? [] : [{ source, plan, hash: result.torchvisionPixels }],
      );
    });
    expect(cases.length).toBeGreaterThan(10);
    for (const { source, plan, hash } of cases) {
      const { content } = await resultOf(source, plan);
      expect({ source, hash: hashOf(content) }).toEqual({ source, hash });
    }
  });
});

const plainHeader: ImageHeader = {
  format: 'png',
  width: 1,
  height: 1,
  orientation: 1,
  colour: 'rgb',
  bitDepth: 8,
  hasAlpha: false,
  hasIccProfile: false,
  frames: 1,
  isProgressive: false,
  samplesPerPixel: 3,
};

/** Whether the two backends of transformers put the odd pixel of a padded crop to different sides. */
function isOddlyPadded({ width, height }: Source, plan: Plan): boolean {
  return stepsOf(geometryOf({ ...plainHeader, width, height }, plan)).some(({ step, input }) => {
    if (step.kind !== 'crop') return false;
    const [pillow, torchvision] = (['transformers', 'transformers-torchvision'] as const).map((origin) =>
      [cropStart(input.width, step.width, origin), cropStart(input.height, step.height, origin)].join(),
    );
    return pillow !== torchvision;
  });
}

function paddedAsTorchvision(plan: Plan): Plan {
  const steps = plan.steps.map((step) =>
    step.kind === 'crop' && step.origin === 'transformers'
      ? ({ ...step, origin: 'transformers-torchvision' } as const)
      : step,
  );
  return { ...plan, steps };
}

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
