import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/failures.ts';
import { parsePreprocessorConfig } from '../../../src/processor/presets/parse-preprocessor-config.ts';
import { timmPlan } from '../../../src/processor/presets/timm-config.ts';

// Pixels and values are compared with timm's own in test/parity/presets.test.ts.

function failureOf(config: object): Failure {
  try {
    timmPlan({ ...config }, 'pillow');
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe(timmPlan, () => {
  it.each([
    [{ pretrained_cfg: null }, "The preprocessor config's pretrained_cfg is null; allowed: an object."],
    [{ input_size: [1, 28, 28] }, 'input_size is [1,28,28]; allowed: [3, height, width].'],
    [{ input_size: [224, 224] }, 'input_size is [224,224]; allowed: [3, height, width].'],
    [{ input_size: [3, 0, 224] }, 'input_size is 0; allowed: sides from 1 to 65535 pixels.'],
    [{ interpolation: 'random' }, 'interpolation is "random"; allowed: nearest, bilinear'],
    [{ crop_pct: '0.9' }, 'crop_pct is "0.9"; allowed: a number that makes 224 × 224 / crop_pct 1 to 65535'],
    [{ crop_pct: -1 }, 'crop_pct is -1'],
    [{ crop_pct: 1e-9 }, 'crop_pct is 1e-9'],
    [{ crop_pct: 1000 }, 'crop_pct is 1000'],
    [{ crop_mode: 1 }, 'crop_mode is 1; allowed: center, squash or border.'],
    [{ mean: [0.5, 0.5] }, 'mean is [0.5,0.5]; allowed: one number or three.'],
    [{ mean: 1e300 }, 'mean is 1e+300; allowed: one number or three.'],
    [{ std: [0.5, 0, 0.5] }, 'std is [0.5,0,0.5]; allowed: one number or three, other than 0.'],
    [{ crop_mode: 'border', mean: [2] }, 'mean is [2]; allowed: numbers from 0 to 1, because the border'],
    [
      { model_args: { img_size: 0.5 }, pretrained_cfg: { fixed_input_size: true } },
      'model_args.img_size is 0.5; allowed: sides from 1 to 65535 pixels.',
    ],
  ])('refuses %j', (config, message) => {
    const failure = failureOf(config);
    expect(failure.reason).toBe('PRESET_INVALID');
    expect(failure.message).toContain(message);
  });

  it.each([
    [{}, "The preprocessor config's pretrained_cfg is missing; allowed: an object."],
    [{ pretrained_cfg: { mean: 0.5 } }, 'mean is 0.5; allowed: a list of one number or three.'],
    [{ pretrained_cfg: { std: [] } }, 'std is []; allowed: a list of one number or three.'],
    [{ pretrained_cfg: { img_size: 64 } }, "The preprocessor config's img_size is not computed here"],
  ])('refuses %j of TimmWrapperImageProcessor, which refuses or reads it otherwise', (config, message) => {
    const json = JSON.stringify({ image_processor_type: 'TimmWrapperImageProcessor', ...config });
    expect(() => parsePreprocessorConfig(json).plan('pillow', {})).toThrow(message);
  });

  it('refuses the config of a model of TimmWrapperImageProcessor without pretrained_cfg', () => {
    expect(() => parsePreprocessorConfig('{"model_type":"timm_wrapper"}').plan('pillow', {})).toThrow(
      "The preprocessor config's pretrained_cfg is missing; allowed: an object.",
    );
  });

  it('refuses a filter that torch does not have', () => {
    expect(() => timmPlan({ interpolation: 'box' }, 'torch')).toThrow(
      "The preprocessor config's interpolation is box, a filter that torch does not have",
    );
  });

  it('resamples with the library that it is asked for', () => {
    const [torch] = timmPlan({}, 'torch').steps;
    expect(torch).toMatchObject({ kind: 'resize', library: 'torch' });
    const [pillow] = timmPlan({}, 'pillow').steps;
    expect(pillow).not.toHaveProperty('library');
  });

  it.each([
    { pretrained_cfg: { crop_pct: 1 } },
    { architecture: 'resnet18', crop_pct: 1 },
    { input_size: [3, 224, 224], crop_pct: 1 },
    { image_processor_type: 'TimmWrapperImageProcessor', pretrained_cfg: { crop_pct: 1 } },
  ])('reads %j as a preprocessor config', (config) => {
    expect(parsePreprocessorConfig(JSON.stringify(config)).plan('pillow', {}).steps).toEqual([
      { kind: 'resize', fit: 'shortestEdge', shortestEdge: 224, filter: 'bicubic' },
      { kind: 'crop', width: 224, height: 224, origin: 'torchvision' },
    ]);
  });

  it('leaves a config with the type of another processor to that processor', () => {
    const config = { image_processor_type: 'ViTImageProcessor', architecture: 'x', resize_mode: 'squash' };
    const { decisions, tensor } = parsePreprocessorConfig(JSON.stringify(config)).plan('pillow', {});
    expect(decisions).toEqual(['ignored=architecture, resize_mode']);
    expect(tensor.mean).toEqual([0.5, 0.5, 0.5]);
  });

  it('names what timm ignores', () => {
    const pretrained_cfg = { crop_pct: 1, test_input_size: [3, 288, 288], num_classes: 10, antialias: true };
    expect(timmPlan({ num_classes: 10, pretrained_cfg }, 'pillow').decisions).toEqual([
      'ignored=test_input_size, antialias',
    ]);
    expect(timmPlan({ architecture: 'resnet18' }, 'pillow')).not.toHaveProperty('decisions');
  });
});
