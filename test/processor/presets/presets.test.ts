import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EnvironmentError } from '../../../src/environment.ts';
import { Failure } from '../../../src/failures.ts';
import { createPresets } from '../../../src/processor/presets/presets.ts';

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

function failureOf(name: string): Failure {
  try {
    presets.find(name);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it was found');
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
const tinySteps = [{ kind: 'resize', fit: 'fill', width: 8, height: 8, filter: 'bilinear' }];

describe(createPresets, () => {
  it('contains the well-known models', () => {
    expect(presets.find('clip-vit-base-patch32')).toMatchObject({
      alpha: [255, 255, 255],
      steps: [
        { kind: 'resize', fit: 'shortestEdge', shortestEdge: 224, filter: 'bicubic' },
        { kind: 'crop', width: 224, height: 224, origin: 'transformers' },
      ],
      tensor: { mean: [0.48145466, 0.4578275, 0.40821073] },
    });
    expect(presets.find('resnet-50').steps).toMatchObject([
      { shortestEdge: 256, filter: 'bicubic' },
      { width: 224, height: 224 },
    ]);
    expect(presets.names()).toEqual(
      expect.arrayContaining(['dinov2-giant', 'siglip-so400m-patch14-384', 'vit-base-patch16-224-in21k']),
    );
  });

  it("has torchvision's weights", () => {
    expect(presets.find('EfficientNet_V2_L_Weights.IMAGENET1K_V1')).toEqual({
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
    expect(presets.find('ResNet50_Weights.IMAGENET1K_V1').steps).toMatchObject([
      { shortestEdge: 256, filter: 'bilinear' },
      { width: 224 },
    ]);
    expect(presets.find('ResNet50_Weights.IMAGENET1K_V2').steps).toMatchObject([
      { shortestEdge: 232, filter: 'bilinear' },
      { width: 224 },
    ]);
  });

  it.each(['resnet50_weights.imagenet1k_v2', 'ResNet50.IMAGENET1K_V2', 'RESNET50.IMAGENET1K_V2'])(
    'finds weights by %s',
    (name) => {
      expect(presets.find(name)).toBe(presets.find('ResNet50_Weights.IMAGENET1K_V2'));
    },
  );

  it('names the presets nearest to an unknown name', () => {
    const misspelt = failureOf('clip-vit-base-patch-32');
    expect(misspelt).toMatchObject({
      reason: 'PRESET_UNKNOWN',
      message: 'There is no preset "clip-vit-base-patch-32". Nearest to it: clip-vit-base-patch32.',
      metadata: { preset: 'clip-vit-base-patch-32', nearest: 'clip-vit-base-patch32' },
    });
    expect(failureOf('ResNet50_Weights.IMAGENET1K_V3').metadata.nearest).toBe(
      'ResNet50_Weights.IMAGENET1K_V1, ResNet50_Weights.IMAGENET1K_V2',
    );
    expect(failureOf('openai/clip-vit-base-patch32').metadata.nearest).toBe('clip-vit-base-patch32');
  });

  it.each(['', 'x'.repeat(100_000), '../../etc/passwd', '__proto__'])('does not find %.20s', (name) => {
    const failure = failureOf(name);
    expect(failure.reason).toBe('PRESET_UNKNOWN');
    expect(failure.message.length).toBeLessThan(300);
  });

  it('lists every name once, in order', () => {
    const names = presets.names();
    expect(names.length).toBe(new Set(names.map((name) => name.toLowerCase())).size);
    expect(names).toContain('AlexNet_Weights.IMAGENET1K_V1');
    expect(names.indexOf('clip-vit-base-patch16')).toBe(names.indexOf('clip-vit-base-patch32') - 1);
  });

  it('reads files and folders of a directory', async () => {
    const directory = await directoryOf({ 'one.json': tiny, 'two/preprocessor_config.json': tiny });
    const own = createPresets({ directory });
    expect(own.find('one').steps).toEqual(tinySteps);
    expect(own.find('TWO').steps).toEqual(tinySteps);
    expect(own.names()).toHaveLength(presets.names().length + 2);
  });

  it('prefers those of the directory to its own', async () => {
    const directory = await directoryOf({ 'CLIP-vit-base-patch32.json': tiny });
    const own = createPresets({ directory });
    expect(own.find('clip-vit-base-patch32').steps).toEqual(tinySteps);
    expect(own.names()).toHaveLength(presets.names().length);
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
    expect(own.find('one').steps).toEqual(tinySteps);
    expect(own.names()).toHaveLength(presets.names().length + 1);
  });

  it('does not start with a bad file, and names each with its reason', async () => {
    const directory = await directoryOf({
      'broken.json': '{',
      'good.json': tiny,
      'huge.json': ' '.repeat(65_537),
      'qwen/preprocessor_config.json': '{"image_processor_type": "Qwen2VLImageProcessor"}',
    });
    const problems = problemsOf(directory);
    expect(problems).toHaveLength(3);
    expect(problems[0]).toContain('PRESETS_DIR: broken.json: The preprocessor config is not JSON.');
    expect(problems[1]).toBe('PRESETS_DIR: huge.json: has 65537 bytes; the limit is 65536');
    expect(problems[2]).toContain('PRESETS_DIR: qwen/preprocessor_config.json: The image processor "Qwen2VL');
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
