import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Numerics, ProcessorService } from '../../gen/image/v1/processor_pb.ts';
import { type Service, startService } from '../support/service.ts';

let service: Service;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presets-'));
  await mkdir(join(folder, 'acme', 'cat-finder'), { recursive: true });
  await writeFile(
    join(folder, 'acme', 'cat-finder', 'preprocessor_config.json'),
    JSON.stringify({ image_processor_type: 'ViTImageProcessor', size: 8 }),
  );
  service = await startService({ processor: { PRESETS_DIR: folder } });
});
afterAll(async () => {
  await service?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Preset {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly numerics: readonly string[];
}

interface Page {
  readonly presets: readonly Preset[];
  readonly next_cursor?: string;
}

const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${service.url}${path}`, { headers });

async function pageOf(query: string): Promise<Page> {
  const response = await get(`/v1/presets${query}`);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
  return (await response.json()) as Page;
}

describe('GET /v1/presets', () => {
  it('lists presets in pages that follow each other, each preset once', async () => {
    const names: string[] = [];
    let cursor: string | undefined = '';
    while (cursor !== undefined) {
      const page: Page = await pageOf(`?${new URLSearchParams({ limit: '70', cursor })}`);
      expect(page.presets.length).toBeLessThanOrEqual(70);
      names.push(...page.presets.map(({ name }) => name.toLowerCase()));
      cursor = page.next_cursor;
    }
    expect(names).toEqual(names.toSorted());
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('openai/clip-vit-base-patch32');
    expect((await pageOf('')).presets).toHaveLength(100);
  });

  it('finds words in names, aliases and families', async () => {
    const { presets, next_cursor } = await pageOf('?q=OpenAI+patch32+transformers');
    expect(presets).toEqual([
      {
        name: 'openai/clip-vit-base-patch32',
        aliases: ['clip-vit-base-patch32'],
        family: 'transformers',
        numerics: expect.arrayContaining(['pillow']),
        outputs: ['pixel_values'],
      },
    ]);
    expect(next_cursor).toBeUndefined();
    const byAlias = await pageOf('?q=resnet50_weights.default');
    expect(byAlias.presets.map(({ name }) => name)).toContain('ResNet50_Weights.IMAGENET1K_V2');
    const byFamily = await pageOf('?q=torchvision+vit_h');
    expect(byFamily.presets.length).toBeGreaterThan(0);
    expect((await pageOf('?q=no-such-thing')).presets).toEqual([]);
  });

  it('contains the presets of PRESETS_DIR', async () => {
    const { presets } = await pageOf('?q=acme');
    expect(presets).toMatchObject([{ name: 'acme/cat-finder', aliases: ['cat-finder'] }]);
  });

  it('responds with 304 to an entity tag that the caller has', async () => {
    const first = await get('/v1/presets?q=clip');
    const etag = first.headers.get('etag') ?? '';
    expect(first.headers.get('cache-control')).toBe('public, no-cache');
    const second = await get('/v1/presets?q=clip', { 'if-none-match': etag });
    expect([second.status, await second.text()]).toEqual([304, '']);
    expect((await get('/v1/presets?q=vit', { 'if-none-match': etag })).status).toBe(200);
  });

  it.each([
    ['?limit=0', 'OPTION_INVALID', { option: 'limit', actual: '0', allowed: '1 to 1000' }],
    ['?limit=1001', 'OPTION_INVALID', { option: 'limit', actual: '1001' }],
    ['?limit=ten', 'OPTION_INVALID', { option: 'limit', actual: 'ten' }],
    ['?limit=1&limit=2', 'OPTION_INVALID', { option: 'limit' }],
    [`?q=${'x'.repeat(201)}`, 'OPTION_INVALID', { option: 'q', actual: '201 characters' }],
    [`?cursor=${'x'.repeat(201)}`, 'OPTION_INVALID', { option: 'cursor' }],
    ['?limt=1', 'OPTION_UNKNOWN', { option: 'limt', nearest: 'limit' }],
  ])('refuses %.20s', async (query, reason, metadata) => {
    const response = await get(`/v1/presets${query}`);
    expect([response.status, await response.json()]).toMatchObject([400, { reason, metadata }]);
  });
});

describe('GET /v1/presets/NAME', () => {
  it.each([
    'openai/clip-vit-base-patch32',
    'openai%2Fclip-vit-base-patch32',
    'CLIP-ViT-Base-Patch32',
    'hf-hub:openai/clip-vit-base-patch32',
    'https://huggingface.co/openai/clip-vit-base-patch32',
    encodeURIComponent('https://huggingface.co/openai/clip-vit-base-patch32'),
  ])('describes %s', async (name) => {
    const response = await get(`/v1/presets/${name}`);
    expect(await response.json()).toMatchObject({
      name: 'openai/clip-vit-base-patch32',
      family: 'transformers',
      steps: expect.arrayContaining([
        expect.stringMatching(/^resize the shorter side to 224 \(bicubic, /),
        'crop 224 × 224 from the centre',
        expect.stringMatching(
          /^rescale by 1\/255, subtract mean 0\.48145466, .* divide by std 0\.26862954, /,
        ),
      ]),
      python: expect.stringContaining('AutoImageProcessor.from_pretrained("openai/clip-vit-base-patch32"'),
    });
    expect(response.headers.get('etag')).toMatch(/^"[0-9a-f]{64}"$/);
  });

  it('names the nearest presets', async () => {
    const response = await get('/v1/presets/clip-vit-base-patch23');
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect([response.status, await response.json()]).toMatchObject([
      404,
      { reason: 'PRESET_UNKNOWN', metadata: { nearest: 'openai/clip-vit-base-patch32' } },
    ]);
    expect(await (await get('/v1/presets/%zz')).json()).toMatchObject({ reason: 'PRESET_UNKNOWN' });
    expect(await (await get('/v1/presets/vit?limit=1')).json()).toMatchObject({ reason: 'OPTION_UNKNOWN' });
  });
});

describe('ListPresets and GetPreset', () => {
  const transports: Readonly<Record<string, () => Transport>> = {
    'Connect with JSON': () =>
      createConnectTransport({ baseUrl: service.url, httpVersion: '1.1', useBinaryFormat: false }),
    'Connect with Protobuf': () =>
      createConnectTransport({ baseUrl: service.url, httpVersion: '1.1', useBinaryFormat: true }),
    'gRPC-Web': () => createGrpcWebTransport({ baseUrl: service.url, httpVersion: '1.1' }),
    gRPC: () => createGrpcTransport({ baseUrl: `http://${service.address}` }),
  };

  it.each(Object.entries(transports))('respond over %s', async (_, transport) => {
    const client = createClient(ProcessorService, transport());
    const first = await client.listPresets({ q: 'siglip', limit: 2 });
    expect(first.presets).toHaveLength(2);
    expect(first.nextCursor).not.toBe('');
    const second = await client.listPresets({ q: 'siglip', limit: 2, cursor: first.nextCursor });
    expect(second.presets[0]?.name).not.toBe(first.presets[0]?.name);
    const { preset, steps, python } = await client.getPreset({ name: 'resnet50' });
    expect(preset).toMatchObject({ name: 'ResNet50_Weights.IMAGENET1K_V2', family: 'torchvision' });
    expect(preset?.numerics[0]).toBe(Numerics.PILLOW);
    expect(steps).toContain('resize the shorter side to 232 (bilinear, Pillow)');
    expect(python).toContain('get_weight("ResNet50_Weights.IMAGENET1K_V2")');
    await expect(client.getPreset({ name: 'none' })).rejects.toThrow('There is no preset "none".');
    await expect(client.listPresets({ limit: 1001 })).rejects.toThrow('limit is 1001; allowed: 1 to 1000.');
  });

  it('refuse what a neighbour would refuse', async () => {
    const response = await fetch(`${service.url}/image.v1.ProcessorService/ListPresets`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"quary": "clip"}',
    });
    expect(await response.text()).toContain('OPTION_UNKNOWN');
  });
});
