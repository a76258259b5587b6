import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/failures.ts';
import { openClipPlan } from '../../../src/processor/presets/open-clip-config.ts';
import { parsePreprocessorConfig } from '../../../src/processor/presets/parse-preprocessor-config.ts';

// Pixels and values are compared with open_clip's own in test/parity/presets.test.ts.

function failureOf(config: object): Failure {
  try {
    openClipPlan({ ...config }, 'pillow');
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe(openClipPlan, () => {
  it.each([
    [{ model_cfg: [] }, "The preprocessor config's model_cfg is []; allowed: an object."],
    [{ model_cfg: {} }, 'model_cfg.vision_cfg is missing; allowed: an object.'],
    [
      { model_cfg: { vision_cfg: { image_size: 0 } } },
      'model_cfg.vision_cfg.image_size is 0; allowed: sides',
    ],
    [{ preprocess_cfg: 'x' }, 'preprocess_cfg is "x"; allowed: an object.'],
    [{ mode: 'L' }, 'mode is "L"; allowed: RGB.'],
    [{ size: [224] }, 'size is missing; allowed: sides from 1 to 65535 pixels.'],
    [{ size: [1, 2, 3] }, 'size is [1,2,3]; allowed: a number or [height, width].'],
    [{ interpolation: 'lanczos' }, 'interpolation is "lanczos"; allowed: bicubic, bilinear or random.'],
    [{ resize_mode: 'fit' }, 'resize_mode is "fit"; allowed: shortest, longest or squash.'],
    [
      { resize_mode: 'longest', fill_color: 256 },
      'fill_color is 256; allowed: a whole number from 0 to 255.',
    ],
    [{ mean: ['0.5'] }, 'mean is ["0.5"]; allowed: one number or three.'],
    [{ std: [1e-50] }, 'std is [1e-50]; allowed: one number or three, other than 0.'],
  ])('refuses %j', (config, message) => {
    const failure = failureOf(config);
    expect(failure.reason).toBe('PRESET_INVALID');
    expect(failure.message).toContain(message);
  });

  it('resamples with the library that it is asked for', () => {
    const [torch] = openClipPlan({}, 'torch').steps;
    expect(torch).toMatchObject({ kind: 'resize', library: 'torch' });
  });

  it.each([
    { model_cfg: { vision_cfg: { image_size: 96 } }, preprocess_cfg: { size: 224 } },
    { preprocess_cfg: { size: 96 } },
    { size: 96, resize_mode: 'shortest' },
  ])('reads %j as a preprocessor config', (config) => {
    expect(parsePreprocessorConfig(JSON.stringify(config)).plan('pillow', {}).steps).toEqual([
      { kind: 'resize', fit: 'shortestEdge', shortestEdge: 96, filter: 'bicubic' },
      { kind: 'crop', width: 96, height: 96, origin: 'torchvision' },
    ]);
  });

  it('names what open_clip ignores', () => {
    const model_cfg = { vision_cfg: { image_size: 96 } };
    const plan = (preprocess_cfg: object) => openClipPlan({ model_cfg, preprocess_cfg }, 'pillow');
    expect(plan({ size: 224, antialias: true }).decisions).toEqual(['ignored=size, antialias']);
    expect(plan({ size: [96, 96], mode: 'RGB' })).not.toHaveProperty('decisions');
    expect(openClipPlan({ size: 224, resize_mode: 'squash' }, 'pillow')).not.toHaveProperty('decisions');
  });
});
