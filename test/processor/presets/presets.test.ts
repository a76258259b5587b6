import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EnvironmentError } from '../../../src/environment.ts';
import type { PresetPlan } from '../../../src/processor/presets/preset-plan.ts';
import { createPresets, type Presets } from '../../../src/processor/presets/presets.ts';

const presets = createPresets({});

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'presets-'));
});
afterAll(() => rm(root, { recursive: true }));

/** A directory with these files. */
async function directoryOf(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(root, 'directory-'));
  for (const [file, text] of Object.entries(files)) {
    await mkdir(join(directory, file, '..'), { recursive: true });
    await writeFile(join(directory, file), text);
  }
  return directory;
}

function planOf(catalogue: Presets, name: string): PresetPlan {
  const { libraries, plan } = catalogue.find(name);
  return plan(libraries[0], {});
}

function problemsOf(directory: string): string[] {
  try {
    createPresets({ directory });
  } catch (error) {
    if (error instanceof EnvironmentError) return error.message.split('\n');
    throw error;
  }
  throw new Error('it started');
}

const tiny = JSON.stringify({ image_processor_type: 'ViTImageProcessor', size: 8 });
const tinySteps = [
  { kind: 'resize', fit: 'fill', width: 8, height: 8, filter: 'bilinear', library: 'torch' },
];

describe(createPresets, () => {
  it('contains the well-known models', () => {
    expect(planOf(presets, 'openai/clip-vit-base-patch32')).toMatchObject({
      alpha: [255, 255, 255],
      steps: [
        { kind: 'resize', fit: 'shortestEdge', shortestEdge: 224, filter: 'bicubic', library: 'torch' },
        { kind: 'crop', width: 224, height: 224, origin: 'transformers-torchvision' },
      ],
      tensor: { mean: [0.48145466, 0.4578275, 0.40821073] },
    });
    expect(planOf(presets, 'microsoft/resnet-50').steps).toMatchObject([
      { shortestEdge: 256, filter: 'bicubic' },
      { width: 224, height: 224 },
    ]);
    expect(presets.all.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'facebook/dinov2-giant',
        'google/siglip-so400m-patch14-384',
        'google/vit-base-patch16-224-in21k',
      ]),
    );
  });

  it("has torchvision's weights", () => {
    expect(planOf(presets, 'EfficientNet_V2_L_Weights.IMAGENET1K_V1')).toEqual({
      alpha: 'dropped',
      steps: [
        { kind: 'resize', fit: 'shortestEdge', shortestEdge: 480, filter: 'bicubic' },
        { kind: 'crop', width: 480, height: 480, origin: 'torchvision' },
      ],
      tensor: {
        name: 'image',
        datatype: 'FP32',
        layout: 'NCHW',
        rescaleFactor: 1 / 255,
        mean: [0.5, 0.5, 0.5],
        std: [0.5, 0.5, 0.5],
        channelOrder: 'RGB',
      },
    });
    expect(planOf(presets, 'ResNet50_Weights.IMAGENET1K_V1').steps).toMatchObject([
      { shortestEdge: 256, filter: 'bilinear' },
      { width: 224 },
    ]);
    expect(planOf(presets, 'ResNet50_Weights.IMAGENET1K_V2').steps).toMatchObject([
      { shortestEdge: 232, filter: 'bilinear' },
      { width: 224 },
    ]);
  });

  it('lists every preset once, in the order of the names', () => {
    const names = presets.all.map(({ name }) => name.toLowerCase());
    expect(names.length).toBe(new Set(names).size);
    expect(names).toContain('alexnet_weights.imagenet1k_v1');
    expect(names.indexOf('openai/clip-vit-base-patch16')).toBe(
      names.indexOf('openai/clip-vit-base-patch32') - 1,
    );
  });

  it('makes a plan of every preset in each of its libraries', () => {
    for (const preset of presets.all) {
      for (const library of preset.libraries) {
        expect(preset.plan(library, {}).tensor.name, preset.name).not.toBe('');
      }
    }
  });

  it('reads files and folders of a directory', async () => {
    const directory = await directoryOf({ 'one.json': tiny, 'two/preprocessor_config.json': tiny });
    const own = createPresets({ directory });
    expect(planOf(own, 'one').steps).toEqual(tinySteps);
    expect(planOf(own, 'TWO').steps).toEqual(tinySteps);
    expect(own.all).toHaveLength(presets.all.length + 2);
  });

  it('prefers those of the directory to presets of the same name, and to aliases', async () => {
    const directory = await directoryOf({
      'CLIP-vit-base-patch16.json': tiny,
      'OpenAI/clip-vit-base-patch32/preprocessor_config.json': tiny,
    });
    const own = createPresets({ directory });
    expect(planOf(own, 'clip-vit-base-patch16').steps).toEqual(tinySteps);
    expect(planOf(own, 'openai/clip-vit-base-patch16')).toEqual(planOf(presets, 'clip-vit-base-patch16'));
    expect(planOf(own, 'openai/clip-vit-base-patch32').steps).toEqual(tinySteps);
    expect(planOf(own, 'clip-vit-base-patch32').steps).toEqual(tinySteps);
    expect(own.all).toHaveLength(presets.all.length + 1);
  });

  it("reads folders of an organization's models", async () => {
    const directory = await directoryOf({
      'acme/vit/preprocessor_config.json': tiny,
      'acme/README.json.md': '',
      'acme/tokenizer.json': '{}',
    });
    const own = createPresets({ directory });
    expect(own.find('acme/vit').name).toBe('acme/vit');
    expect(own.find('vit').name).toBe('acme/vit');
    expect(own.all).toHaveLength(presets.all.length + 1);
  });

  it('ignores files that are no presets, and the folders in which Kubernetes keeps a ConfigMap', async () => {
    const directory = await directoryOf({
      'README.md': 'models',
      'empty/model.safetensors': '',
      '..2026_11_23/one.json': tiny,
      '..2026_11_23/preprocessor_config.json': tiny,
    });
    await symlink('..2026_11_23', join(directory, '..data'));
    await symlink('..data/one.json', join(directory, 'one.json'));
    const own = createPresets({ directory });
    expect(planOf(own, 'one').steps).toEqual(tinySteps);
    expect(own.all).toHaveLength(presets.all.length + 1);
  });

  it('does not start with a bad file, and names each with its reason', async () => {
    const directory = await directoryOf({
      'broken.json': '{',
      'good.json': tiny,
      'huge.json': ' '.repeat(65_537),
      'video/preprocessor_config.json': '{"image_processor_type": "VideoMAEImageProcessor"}',
    });
    const problems = problemsOf(directory);
    expect(problems).toHaveLength(3);
    expect(problems[0]).toContain('PRESETS_DIR: broken.json: The preprocessor config is not JSON.');
    expect(problems[1]).toBe('PRESETS_DIR: huge.json: has 65537 bytes; the limit is 65536');
    expect(problems[2]).toContain(
      'PRESETS_DIR: video/preprocessor_config.json: The image processor "VideoMAE',
    );
  });

  it('does not start with two files of one name', async () => {
    const directory = await directoryOf({ 'one.json': tiny, 'one/preprocessor_config.json': tiny });
    expect(problemsOf(directory)).toEqual([
      expect.stringMatching(/^PRESETS_DIR: one.* has the same name as one/),
    ]);
  });

  it('does not start without the directory', () => {
    expect(problemsOf(join(root, 'none'))).toEqual([
      `PRESETS_DIR is "${join(root, 'none')}"; allowed: a directory that can be read`,
    ]);
  });
});
