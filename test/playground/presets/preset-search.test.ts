import { describe, expect, it } from 'vitest';
import { searchPresets } from '../../../src/playground/presets/preset-search.ts';

const presets = [
  { name: 'keras/VGG16', aliases: ['VGG16'], family: 'keras' },
  { name: 'openai/clip-vit-base-patch32', aliases: ['clip-vit-base-patch32'], family: 'transformers' },
  { name: 'openai/clip-vit-large-patch14', aliases: [], family: 'transformers' },
  { name: 'own', aliases: [], family: 'other' },
];

describe(searchPresets, () => {
  it('lists all by family, the most wanted first, and counts what it leaves out', () => {
    expect(searchPresets(presets, '', 1)).toEqual([
      { family: 'other', names: ['own'], total: 1 },
      { family: 'transformers', names: ['openai/clip-vit-base-patch32'], total: 2 },
      { family: 'keras', names: ['keras/VGG16'], total: 1 },
    ]);
  });

  it.each([
    ['CLIP patch14', ['openai/clip-vit-large-patch14']],
    ['transformers large', ['openai/clip-vit-large-patch14']],
    ['vgg16', ['keras/VGG16']],
    ['clip vgg', []],
  ])('finds each of the words %j in name, aliases or family', (text, expected) => {
    expect(searchPresets(presets, text, 9).flatMap(({ names }) => names)).toEqual(expected);
  });
});
