import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { findProgram } from '../support/tools.ts';

const bin = fileURLToPath(new URL('../../src/client/bin.ts', import.meta.url));
const bash = findProgram('bash');

let service: Service;
let folder: string;
beforeAll(async () => {
  service = await startService();
  folder = await mkdtemp(join(tmpdir(), 'client-presets-'));
  await symlink(bin, join(folder, 'image-client'));
});
afterAll(async () => {
  await service?.stop();
  await rm(folder, { recursive: true });
});

const client = (...parameters: string[]) =>
  run(process.execPath, [bin, 'presets', ...parameters], { env: { IMAGE_API_URL: service.url } });

describe('image-client presets', () => {
  it('prints JSON of every page', async () => {
    const { code, stdout } = await client('--json');
    const presets = JSON.parse(stdout.toString()) as { readonly name: string }[];
    expect(code).toBe(0);
    expect(presets.length).toBeGreaterThan(150);
    expect(new Set(presets.map(({ name }) => name)).size).toBe(presets.length);
  });

  it('prints what a preset does, and its Python', async () => {
    const { stdout } = await client('--show', 'resnet50');
    expect(stdout.toString()).toContain('3. resize the shorter side to 232 (bilinear, Pillow)\n');
    expect(stdout.toString()).toContain('get_weight("ResNet50_Weights.IMAGENET1K_V2")');
  });

  it('ends with 3 for an unknown name, and with 2 for flags that exclude each other', async () => {
    expect(await client('--show', 'clip-vit-base-patch23')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('Nearest to it: openai/clip-vit-base-patch32.'),
    });
    expect(await client('--json', '--names')).toMatchObject({ code: 2 });
    expect(await client('--show', 'resnet50', 'vit')).toMatchObject({ code: 2 });
  });

  it.skipIf(bash === undefined)('completes names after --preset and as its own argument', async () => {
    const script = `source <(image-client completion bash)
compopt() { :; } # It works only during an interactive completion.
COMP_WORDS=(image-client --preset openai/clip-vit-base) COMP_CWORD=2
_image_client; printf '%s\\n' "\${COMPREPLY[@]}"
COMP_WORDS=(image-client presets clip-vit-large-patch14-) COMP_CWORD=2
_image_client; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const path = [folder, dirname(process.execPath), process.env.PATH].join(delimiter);
    const { stdout, stderr } = await run(bash ?? '', ['--norc', '-c', script], {
      env: { PATH: path, IMAGE_API_URL: service.url },
    });
    expect(stderr).toBe('');
    expect(stdout.toString().trim().split('\n')).toEqual([
      'openai/clip-vit-base-patch16',
      'openai/clip-vit-base-patch32',
      'clip-vit-large-patch14-336',
    ]);
  });
});
