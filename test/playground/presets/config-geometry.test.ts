import { describe, expect, it } from 'vitest';
import { presetOfConfig } from '../../../src/playground/presets/config-geometry.ts';

const clip = {
  image_processor_type: 'CLIPImageProcessor',
  size: { shortest_edge: 256 },
  crop_size: { height: 224, width: 224 },
};
const square = { width: 224, height: 224 };

describe(presetOfConfig, () => {
  it('reads the resize, and the crop if the result has its size', () => {
    const resize = { shortestEdge: 256 };
    expect(presetOfConfig(JSON.stringify(clip), square)).toEqual({ isPlain: true, resize, crop: square });
    expect(presetOfConfig(JSON.stringify(clip), { width: 341, height: 256 })).toEqual({
      isPlain: true,
      resize,
    });
  });

  it('reads a fixed size', () => {
    const vit = { image_processor_type: 'ViTImageProcessorFast', size: square };
    expect(presetOfConfig(JSON.stringify(vit), square)).toEqual({ isPlain: true, resize: square });
  });

  it.each([
    ['a class with steps of its own', { ...clip, image_processor_type: 'ConvNextImageProcessor' }],
    ['no resize', { ...clip, do_resize: false }],
    ['no size', { ...clip, size: 224 }],
    ['no class', {}],
  ])('knows nothing of %s', (_, config) => {
    expect(presetOfConfig(JSON.stringify(config), square)).toBeUndefined();
  });

  it('knows nothing of a text that is no JSON', () => {
    expect(presetOfConfig('{', square)).toBeUndefined();
  });
});
