import { describe, expect, it } from 'vitest';
import type { Pixels } from '../../../src/processor/image/pixels.ts';
import { applyPreset, applyPresetSteps, presetSize } from '../../../src/processor/presets/apply-preset.ts';
import type { PresetPlan, PresetStep } from '../../../src/processor/presets/preset-plan.ts';

const tensor: PresetPlan['tensor'] = {
  datatype: 'FP32',
  layout: 'NCHW',
  rescaleFactor: 1 / 255,
  mean: [0],
  std: [1],
  channelOrder: 'RGB',
};

const gray = (width: number, ...values: number[]): Pixels => ({
  data: Uint8Array.from(values),
  width,
  height: values.length / width,
  channels: 1,
});

const resizeTo = (width: number, height: number): PresetStep => ({
  kind: 'resize',
  to: { kind: 'exact', width, height },
  filter: 'box',
});

const cropTo = (width: number, height: number): PresetStep => ({
  kind: 'centerCrop',
  width,
  height,
  origin: 'transformers',
});

const shortestEdge: PresetStep = {
  kind: 'resize',
  to: { kind: 'shortestEdge', shortestEdge: 224 },
  filter: 'bicubic',
};

describe(applyPreset, () => {
  it('gives the pixels as RGB and their tensor', () => {
    const plan: PresetPlan = { alpha: 'dropped', steps: [resizeTo(1, 1)], tensor };
    const { pixels, tensor: values } = applyPreset(gray(2, 0, 51), plan, 1000);
    expect(pixels).toEqual({ data: Uint8Array.of(26, 26, 26), width: 1, height: 1, channels: 3 });
    expect(values.tensor).toEqual({ datatype: 'FP32', shape: [1, 3, 1, 1] });
    const floats = new Float32Array(values.content.slice().buffer);
    expect([...floats]).toEqual([26 / 255, 26 / 255, 26 / 255].map(Math.fround));
  });
});

describe(applyPresetSteps, () => {
  it('does the steps in their order', () => {
    const image = gray(4, 10, 20, 30, 40);
    expect(applyPresetSteps(image, [resizeTo(2, 1), cropTo(1, 1)], 1000)).toEqual(gray(1, 15));
    expect(applyPresetSteps(image, [cropTo(2, 1), resizeTo(1, 1)], 1000)).toEqual(gray(1, 25));
  });

  it('leaves the image as it is without steps', () => {
    const image = gray(2, 1, 2);
    expect(applyPresetSteps(image, [], 1000)).toEqual(image);
  });
});

describe(presetSize, () => {
  it('is the size after the last step', () => {
    expect(presetSize({ width: 640, height: 480 }, [], 1e6)).toEqual({ width: 640, height: 480 });
    expect(presetSize({ width: 640, height: 480 }, [shortestEdge], 1e6)).toEqual({ width: 298, height: 224 });
    expect(presetSize({ width: 640, height: 480 }, [shortestEdge, cropTo(224, 200)], 1e6)).toMatchObject({
      width: 224,
      height: 200,
    });
  });

  it('refuses a step that makes too many pixels, even if the next one cuts them off again', () => {
    expect(() =>
      presetSize({ width: 1, height: 5000 }, [shortestEdge, cropTo(224, 224)], 25_000_000),
    ).toThrow('The preset makes 224 × 1120000 pixels of 1 × 5000, 250880000 in all; the limit is 25000000.');
  });

  it('refuses a step that leaves no pixels', () => {
    const within: PresetStep = {
      kind: 'resize',
      to: { kind: 'within', maxWidth: 100, maxHeight: 100 },
      filter: 'bicubic',
    };
    expect(() => presetSize({ width: 5000, height: 1 }, [within], 1e6)).toThrow(
      expect.objectContaining({
        reason: 'PRESET_UNSUPPORTED',
        message: expect.stringContaining('The preset makes 100 × 0 pixels of 5000 × 1'),
      }),
    );
  });
});
