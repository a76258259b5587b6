import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { flatten } from '../../src/processor/image/alpha.ts';
import { cropStart } from '../../src/processor/image/center-crop.ts';
import type { Pixels } from '../../src/processor/image/pixels.ts';
import { applyPreset, presetSize } from '../../src/processor/presets/apply-preset.ts';
import { parsePreprocessorConfig } from '../../src/processor/presets/parse-preprocessor-config.ts';
import type { PresetPlan } from '../../src/processor/presets/preset-plan.ts';
import { createPresets } from '../../src/processor/presets/presets.ts';
import { commonDefaults, inertKeys, processorTypes } from '../../src/processor/presets/processor-types.ts';

/*
 * Presets against transformers' Pillow backend and torchvision, bit for bit: make_preset_goldens.py made the
 * goldens with them. PRESET_GOLDENS is another file of its making.
 */

interface Golden {
  readonly source: readonly [
    width: number,
    height: number,
    channels: Pixels['channels'],
    kind: 'mixed' | 'smooth',
  ];
  readonly error?: string;
  readonly size: readonly [width: number, height: number];
  readonly dtype: 'float32' | 'uint8';
  readonly pixels: string;
  readonly tensor: string;
  readonly samples?: readonly number[];
  /** The most levels that a torchvision pixel is away, and how many are more than one level away. */
  readonly torchvision?: readonly [most: number, beyondOne: number];
  readonly torchvision_pixels?: string;
}

interface GoldenPreset {
  readonly name: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly weights?: string;
  readonly cases: readonly Golden[];
}

const path = process.env.PRESET_GOLDENS ?? new URL('preset-goldens.json', import.meta.url);
const goldens: {
  readonly versions: Readonly<Record<string, string>>;
  readonly classes: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly presets: readonly GoldenPreset[];
} = JSON.parse(readFileSync(path, 'utf8'));

const maxPixels = 50_000_000;
const presets = createPresets({});

const pictures = new Map<string, Pixels>();

function picture(source: Golden['source']): Pixels {
  const key = source.join();
  const known = pictures.get(key) ?? makePicture(source);
  pictures.set(key, known);
  return known;
}

/** The pictures of make_preset_goldens.py: waves, and blocks of noise. */
function makePicture([width, height, channels, kind]: Golden['source']): Pixels {
  const data = new Uint8Array(width * height * channels);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isNoise = kind === 'mixed' && ((x >> 4) + (y >> 4)) % 4 === 0;
      for (let channel = 0; channel < channels; channel++) {
        const wave = (x * 5 + y * 3 + channel * 85) % 512;
        const mixed = Math.imul(x, 73_856_093) ^ Math.imul(y, 19_349_663) ^ Math.imul(channel, 83_492_791);
        const noise = Math.imul(mixed, 2_654_435_761) >>> 24;
        data[at++] = isNoise ? noise : wave < 256 ? wave : 511 - wave;
      }
    }
  }
  return { data, width, height, channels };
}

/** As the worker makes an image opaque before its preset. */
function opaque(image: Pixels, { alpha }: PresetPlan): Pixels {
  return flatten(image, alpha === 'onWhite' ? [255, 255, 255] : undefined);
}

/** The model's name, or the type with what its config says. */
function titleOf({ name, config }: GoldenPreset): string {
  return name.includes('/') || config === undefined ? name : JSON.stringify(config);
}

function planOf({ config, weights }: GoldenPreset): PresetPlan {
  return weights === undefined ? parsePreprocessorConfig(JSON.stringify(config)) : presets.find(weights);
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}

function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

const { transformers, torchvision } = goldens.versions;

describe(`presets against transformers ${transformers} and torchvision ${torchvision}`, () => {
  it.each(goldens.presets.map((preset) => [titleOf(preset), preset] as const))(
    'gives the pixels and the tensor of %s',
    (_, preset) => {
      const plan = planOf(preset);
      for (const golden of preset.cases) {
        const image = opaque(picture(golden.source), plan);
        if (golden.error !== undefined) {
          expect(() => applyPreset(image, plan, maxPixels)).toThrow('that is no image');
          continue;
        }
        const { pixels, tensor } = applyPreset(image, plan, maxPixels);
        const [width, height] = golden.size;
        expect({
          source: golden.source,
          size: [pixels.width, pixels.height],
          pixels: hashOf(pixels.data),
          datatype: tensor.tensor.datatype,
          shape: tensor.tensor.shape,
          tensor: hashOf(tensor.content),
        }).toEqual({
          source: golden.source,
          size: golden.size,
          pixels: golden.pixels,
          datatype: golden.dtype === 'float32' ? 'FP32' : 'UINT8',
          shape: [1, 3, height, width],
          tensor: golden.tensor,
        });
        if (golden.samples !== undefined) {
          const values = golden.dtype === 'float32' ? floatsOf(tensor.content) : tensor.content;
          const samples = golden.samples.map((_, part) => values[Math.floor((values.length * part) / 7)]);
          expect(samples).toEqual(golden.samples);
        }
      }
    },
  );

  it('is within 2 levels of torchvision where there is no noise, and within 1 but for 0.5 % of the values', () => {
    const cases = goldens.presets
      .map((preset) => ({ ...preset, plan: planOf(preset) }))
      // torchvision's nearest takes other pixels.
      .filter(({ plan }) => plan.steps.every((step) => step.kind !== 'resize' || step.filter !== 'nearest'))
      .flatMap(({ name, cases, plan }) => cases.map((golden) => ({ name, plan, ...golden })))
      .filter(({ torchvision }) => torchvision !== undefined)
      .filter(({ source, plan }) => source[3] === 'smooth' && !isOddlyPadded(source, plan));
    const far = cases.filter(({ torchvision: [most, beyondOne] = [0, 0], size: [width, height] }) => {
      return most > 2 || beyondOne > (width * height * 3) / 200;
    });
    expect(cases.length).toBeGreaterThan(10);
    expect(far).toEqual([]);
  });

  it('crops the pixels of the torchvision backend when it is told to pad as that does', () => {
    const cases = goldens.presets
      .flatMap((preset) => preset.cases.map((golden) => ({ ...golden, plan: planOf(preset) })))
      .filter((golden) => golden.torchvision_pixels !== undefined);
    for (const { source, plan, torchvision_pixels } of cases) {
      const image = opaque(picture(source), plan);
      const { pixels } = applyPreset(image, paddedAsTorchvision(plan), maxPixels);
      expect({ source, pixels: hashOf(pixels.data) }).toEqual({ source, pixels: torchvision_pixels });
    }
    expect(cases.length).toBeGreaterThan(10);
  });
});

/** Whether the two backends of transformers put the odd pixel of a padded crop to different sides. */
function isOddlyPadded([width, height]: Golden['source'], { steps }: PresetPlan): boolean {
  return steps.some((step, index) => {
    if (step.kind === 'resize') return false;
    const before = presetSize({ width, height }, steps.slice(0, index), maxPixels);
    const starts = (['transformers', 'transformers-torchvision'] as const).map((origin) =>
      [cropStart(before.width, step.width, origin), cropStart(before.height, step.height, origin)].join(),
    );
    return starts[0] !== starts[1];
  });
}

function paddedAsTorchvision(plan: PresetPlan): PresetPlan {
  const steps = plan.steps.map((step) =>
    step.kind === 'centerCrop' && step.origin === 'transformers'
      ? ({ ...step, origin: 'transformers-torchvision' } as const)
      : step,
  );
  return { ...plan, steps };
}

describe('processorTypes', () => {
  it.each(Object.entries(goldens.classes))('has the values of the class %s', (name, values) => {
    const ours = { ...commonDefaults, ...processorTypes[name]?.defaults };
    const ignored = processorTypes[name]?.ignores ?? [];
    const set = Object.entries(ours).filter(([key, value]) => value !== null && !ignored.includes(key));
    const theirs = Object.entries(values).filter(([key]) => !inertKeys.has(key) && !ignored.includes(key));
    // False and unset are the same.
    const isOn = ([, value]: [string, unknown]) => value !== false;
    expect(Object.fromEntries(set.filter(isOn))).toEqual(Object.fromEntries(theirs.filter(isOn)));
  });

  it('has no type that was not compared', () => {
    expect(Object.keys(goldens.classes)).toEqual(Object.keys(processorTypes));
  });
});
