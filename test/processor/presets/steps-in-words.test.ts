import { describe, expect, it } from 'vitest';
import type { PresetPlan } from '../../../src/processor/presets/preset-plan.ts';
import { createPresets } from '../../../src/processor/presets/presets.ts';
import { stepsInWords } from '../../../src/processor/presets/steps-in-words.ts';

const presets = createPresets({});
const [start, toRgb] = ['turn upright by the EXIF orientation', 'convert to RGB and drop alpha'];

const plan: PresetPlan = {
  alpha: 'dropped',
  steps: [],
  tensor: {
    name: 'pixels',
    datatype: 'UINT8',
    layout: 'NHWC',
    rescaleFactor: 1,
    mean: [0],
    std: [1],
    channelOrder: 'BGR',
  },
};

describe(stepsInWords, () => {
  it('has a sentence for every step of a preset, in their order', () => {
    const { plan: planOf } = presets.find('resnet50');
    expect(stepsInWords(planOf('pillow', {}))).toEqual([
      start,
      toRgb,
      'resize the shorter side to 232 (bilinear, Pillow)',
      'crop 224 × 224 from the centre',
      'rescale by 1/255, subtract mean 0.485, 0.456, 0.406, divide by std 0.229, 0.224, 0.225 (each operation rounded to FP32)',
      'write the tensor image: FP32, channels in the order RGB, [pictures, channels, height, width]',
    ]);
  });

  it('leaves out operations that change nothing', () => {
    expect(stepsInWords(plan)).toEqual([
      start,
      toRgb,
      'keep the values 0 to 255',
      'write the tensor pixels: UINT8, channels in the order BGR, [pictures, height, width, channels]',
    ]);
  });

  it('names the library, the colours and the tensors beside the pixels', () => {
    const steps = stepsInWords({
      ...plan,
      alpha: [255, 255, 255],
      steps: [
        { kind: 'resize', fit: 'fill', width: 30, height: 20, filter: 'bicubic', library: 'torch' },
        { kind: 'pad', width: 40, height: 40, colour: [114, 114, 114] },
        { kind: 'crop', width: 10, height: 10, origin: { left: 1, top: 2 } },
        { kind: 'grayscale' },
      ],
      tensor: {
        ...plan.tensor,
        rescaleFactor: 0.0078,
        mean: [1],
        rounding: 'fused',
        arrangement: { kind: 'patches', size: 14, merge: 2, repeats: 2 },
        extras: [{ kind: 'patchGrid', name: 'grid', size: 14 }],
      },
    });
    expect(steps.slice(1)).toEqual([
      'convert to RGB and draw transparent pixels over white',
      'resize to 30 × 20 (bicubic, torch)',
      'pad to 40 × 40 with RGB 114,114,114, the image in the centre',
      'crop 10 × 10 at column 1, row 2',
      'convert to grayscale by Rec. 601 luma',
      'rescale by 0.0078, subtract mean 1 (rescaling and normalization fused, rounded to FP32)',
      'write the tensor pixels: UINT8, channels in the order BGR, patches of 14 × 14 pixels in groups of 2 × 2 patches, [patches, channels × 2 × 14 × 14]',
      'write the tensor grid: 1, then the rows and columns of patches of 14 × 14 pixels',
    ]);
  });

  it('describes the pictures of a preset that makes several', () => {
    const views = {
      kind: 'anyResolution',
      resolutions: [{ width: 672, height: 336 }],
      whole: { width: 336, height: 336 },
      tile: 336,
      each: [],
      filter: 'bicubic',
    } as const;
    expect(stepsInWords({ ...plan, views })).toContain(
      'make pictures: the whole image at 336 × 336, then tiles of 336 × 336 of the image inside the best of 672 × 336, black around it (bicubic, Pillow)',
    );
  });

  it('names the tensor of the other pictures, and its own normalization', () => {
    const of = (rest: NonNullable<PresetPlan['tensor']['rest']>) =>
      stepsInWords({ ...plan, tensor: { ...plan.tensor, rest } }).at(-1);
    expect(of({ name: 'tiles' })).toBe('write the tensor tiles: the pictures after the first one');
    expect(of({ name: 'tiles', mean: [1, 2, 3], std: [4] })).toBe(
      'write the tensor tiles: the pictures after the first one, normalized by mean 1, 2, 3 and std 4',
    );
  });

  it('describes every preset in every library without a missing value', () => {
    for (const preset of presets.all) {
      for (const library of preset.libraries) {
        for (const step of stepsInWords(preset.plan(library, {}))) {
          expect(step, preset.name).not.toMatch(/undefined|object|NaN|^$/);
        }
      }
    }
  });
});
