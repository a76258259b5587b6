import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/failures.ts';
import type { Family, Preset } from '../../../src/processor/presets/preset.ts';
import { createPresetNames, keyOf } from '../../../src/processor/presets/preset-names.ts';
import { createPresets, ownPresets } from '../../../src/processor/presets/presets.ts';
import { transformersPreset } from '../../../src/processor/presets/transformers-preset.ts';

const presets = createPresets({});

function failureOf(name: string, { find } = createPresets({})): Failure {
  try {
    find(name);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it was found');
}

function preset(name: string, family: Family = 'transformers', aliases: readonly string[] = []): Preset {
  return {
    ...transformersPreset(name, aliases, () => '{"image_processor_type":"ViTImageProcessor"}'),
    family,
  };
}

describe(createPresetNames, () => {
  it.each([
    'openai/clip-vit-base-patch32',
    'OpenAI/CLIP-ViT-Base-Patch32',
    ' clip-vit-base-patch32 ',
    'hf-hub:openai/clip-vit-base-patch32',
    'hf_hub:openai/clip-vit-base-patch32',
    'https://huggingface.co/openai/clip-vit-base-patch32',
  ])('finds a model of the hub by %s', (name) => {
    expect(presets.find(name).name).toBe('openai/clip-vit-base-patch32');
  });

  it.each([
    'ResNet50_Weights.IMAGENET1K_V2',
    'resnet50_weights.imagenet1k_v2',
    'RESNET50.IMAGENET1K_V2',
    'ResNet50_Weights.DEFAULT',
    'resnet50',
  ])("finds torchvision's weights by %s", (name) => {
    expect(presets.find(name).name).toBe('ResNet50_Weights.IMAGENET1K_V2');
  });

  it.each([
    'http://huggingface.co/openai/clip-vit-base-patch32',
    'https://huggingface.co/openai/clip-vit-base-patch32/',
    'https://huggingface.co/openai/clip-vit-base-patch32/tree/main',
    'https://example.com/openai/clip-vit-base-patch32',
    'https://huggingface.co/clip-vit-base-patch32',
    'hf-hub:resnet50',
    'hf-hub:ResNet50_Weights.DEFAULT',
    'other/clip-vit-base-patch32',
    'openai/clip-vit-base',
    '',
    'x'.repeat(100_000),
    '../../etc/passwd',
    '__proto__',
  ])('does not find %.60s', (name) => {
    const failure = failureOf(name);
    expect(failure.reason).toBe('PRESET_UNKNOWN');
    expect(failure.message.length).toBeLessThan(500);
  });

  it('names the presets nearest to an unknown name', () => {
    expect(failureOf('clip-vit-base-patch-32')).toMatchObject({
      message: 'There is no preset "clip-vit-base-patch-32". Nearest to it: openai/clip-vit-base-patch32.',
      metadata: { preset: 'clip-vit-base-patch-32', nearest: 'openai/clip-vit-base-patch32' },
    });
    expect(failureOf('ResNet50_Weights.IMAGENET1K_V3').metadata.nearest).toBe(
      'ResNet50_Weights.IMAGENET1K_V1, ResNet50_Weights.IMAGENET1K_V2',
    );
  });

  it('names presets of other organizations, and those whose names contain the name', () => {
    expect(failureOf('laion/clip-vit-base-patch32').metadata.nearest).toBe('openai/clip-vit-base-patch32');
    expect(failureOf('meta/dinov2-bas').metadata.nearest).toBe('facebook/dinov2-base');
    expect(failureOf('facebook/dinov2').metadata.nearest).toContain('facebook/dinov2-base');
  });

  it('names at most five', () => {
    expect(failureOf('siglip').metadata.nearest?.split(', ')).toHaveLength(5);
  });

  it('refuses a name that several organizations use, and names them', () => {
    const names = createPresetNames([preset('a/vit'), preset('b/vit'), preset('c/vit', 'keras')]);
    const find = (name: string) => names.find(name);
    expect(() => find('vit')).toThrow(
      'The name "vit" belongs to several presets. Send one of them with its organization: a/vit, b/vit.',
    );
    expect(find('b/vit').name).toBe('b/vit');
    expect(names.aliasesOf(find('b/vit'))).toEqual([]);
  });

  it('prefers a name and an alias to a name without its organization', () => {
    const names = createPresetNames([
      preset('Net_Weights.V1', 'torchvision', ['net']),
      preset('timm/net', 'timm'),
      preset('keras/net', 'keras'),
    ]);
    expect(names.find('net').name).toBe('Net_Weights.V1');
    expect(names.find('hf-hub:timm/net').name).toBe('timm/net');
    expect(names.aliasesOf(names.find('timm/net'))).toEqual([]);
    expect(() => names.find('hf-hub:keras/net')).toThrow('There is no preset');
  });

  it('requires the whole name of a preset that is not on the hub', () => {
    const names = createPresetNames([preset('keras/xception', 'keras')]);
    expect(names.find('keras/xception').name).toBe('keras/xception');
    expect(() => names.find('xception')).toThrow('Nearest to it: keras/xception.');
  });

  it('lists the aliases of a preset', () => {
    expect(presets.aliasesOf(presets.find('resnet50'))).toEqual(['ResNet50_Weights.DEFAULT', 'resnet50']);
    expect(presets.aliasesOf(presets.find('facebook/dinov2-base'))).toEqual(['dinov2-base']);
  });
});

describe('the presets that come with the service', () => {
  it('share no name and no alias', () => {
    const owners = Map.groupBy(
      ownPresets.flatMap(({ name, aliases }) =>
        [...new Set([name, ...aliases].map(keyOf))].map((key) => ({ key, name })),
      ),
      ({ key }) => key,
    );
    const shared = [...owners.values()].filter(({ length }) => length > 1);
    expect(shared).toEqual([]);
  });

  it('can each be found by its name and by its aliases', () => {
    for (const one of presets.all) {
      for (const name of [one.name, ...presets.aliasesOf(one)]) expect(presets.find(name)).toBe(one);
    }
  });
});
