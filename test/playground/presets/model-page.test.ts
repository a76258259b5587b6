import { describe, expect, it } from 'vitest';
import { modelPage } from '../../../src/playground/presets/model-page.ts';
import { createPresets } from '../../../src/processor/presets/presets.ts';

describe(modelPage, () => {
  it.each([
    ['openai/clip-vit-base-patch32', 'transformers', 'https://huggingface.co/openai/clip-vit-base-patch32'],
    ['coca_ViT-B-32:mscoco', 'open_clip', 'https://github.com/mlfoundations/open_clip'],
    ['ultralytics/yolo', 'ultralytics', 'https://docs.ultralytics.com/models/'],
  ])('of %s of %s is %s', (name, family, expected) => {
    expect(modelPage(name, family)).toBe(expected);
  });

  it('exists for every preset that comes with the service', () => {
    const without = createPresets({}).all.filter(({ name, family }) => modelPage(name, family) === undefined);
    expect(without.map(({ name }) => name)).toEqual([]);
  });

  it('is unknown for a preset of a directory', () => {
    expect(modelPage('ours', 'transformers')).toBeUndefined();
  });
});
