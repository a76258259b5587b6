import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decoded, encoded, solid } from '../support/pictures.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';

const tiny = {
  image_processor_type: 'ViTImageProcessor',
  size: { height: 2, width: 3 },
  image_mean: [0, 0, 0],
  image_std: [1, 1, 1],
};

describe('presets over HTTP', () => {
  let service: Service;
  let folder: string;
  let jpeg: Uint8Array<ArrayBuffer>;
  let png: Uint8Array<ArrayBuffer>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'presets-'));
    await mkdir(join(folder, 'of-a-folder'));
    await writeFile(join(folder, 'of-a-file.json'), JSON.stringify(tiny));
    await writeFile(
      join(folder, 'of-a-folder', 'preprocessor_config.json'),
      JSON.stringify({ ...tiny, size: 5 }),
    );
    service = await startService({ processor: { PRESETS_DIR: folder } });
    jpeg = await encoded(solid(300, 200, [128, 128, 128]), 'jpeg');
    png = await encoded(solid(40, 30, [255, 102, 0]), 'png');
  });
  afterAll(async () => {
    await service?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const send = (query: string, body: Uint8Array<ArrayBuffer> = png): Promise<Response> =>
    fetch(`${service.url}/v1/images${query}`, { method: 'POST', body });

  /** Header and values of a .npy response of FP32. */
  async function npyOf(response: Response) {
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-npy']);
    const bytes = Buffer.from(await response.arrayBuffer());
    const start = 10 + bytes.readUInt16LE(8);
    const values = Float32Array.from({ length: (bytes.length - start) / 4 }, (_, at) =>
      bytes.readFloatLE(start + at * 4),
    );
    return { header: bytes.toString('latin1', 10, start).trimEnd(), values };
  }

  /** The largest distance of a 224 × 224 tensor's channels from one value each. */
  function distances(values: Float32Array, expected: readonly number[]): number[] {
    return expected.map((value, channel) =>
      values
        .subarray(channel * 224 * 224, (channel + 1) * 224 * 224)
        .reduce((most, actual) => Math.max(most, Math.abs(actual - value)), 0),
    );
  }

  it('computes CLIP’s tensor of a JPEG by default', async () => {
    const response = await send('?preset=clip-vit-base-patch32&format=npy', jpeg);
    expect(response.headers.get('tensor-shape')).toBe('1, 3, 224, 224');
    expect(response.headers.get('tensor-datatype')).toBe('FP32');
    const { header, values } = await npyOf(response);
    expect(header).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 224, 224), }");
    expect(values.length).toBe(3 * 224 * 224);
    const expected = [
      (128 / 255 - 0.48145466) / 0.26862954,
      (128 / 255 - 0.4578275) / 0.26130258,
      (128 / 255 - 0.40821073) / 0.27577711,
    ];
    for (const distance of distances(values, expected)) expect(distance).toBeLessThan(1e-6);
  });

  it('is npy without a format, and keeps the channels apart', async () => {
    const { values } = await npyOf(await send('?preset=ResNet50_Weights.IMAGENET1K_V2'));
    const expected = [(1 - 0.485) / 0.229, (0.4 - 0.456) / 0.224, (0 - 0.406) / 0.225];
    for (const distance of distances(values, expected)) expect(distance).toBeLessThan(1e-6);
  });

  it('returns the pixels before they are rescaled as a PNG', async () => {
    const response = await send('?preset=clip-vit-base-patch32&format=png');
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(response.headers.get('tensor-shape')).toBeNull();
    const { width, height, channels, pixels } = await decoded(new Uint8Array(await response.arrayBuffer()));
    expect([width, height, channels]).toEqual([224, 224, 3]);
    expect([...pixels.subarray(0, 3), ...pixels.subarray(-3)]).toEqual([255, 102, 0, 255, 102, 0]);
  });

  it('names datatype and shape of another layout', async () => {
    const response = await send('?preset=of-a-file&format=raw&datatype=bf16&layout=nhwc');
    expect(response.headers.get('tensor-datatype')).toBe('BF16');
    expect(response.headers.get('tensor-shape')).toBe('1, 2, 3, 3');
    expect((await response.arrayBuffer()).byteLength).toBe(2 * 3 * 3 * 2);
  });

  it('accepts a preprocessor_config.json as a field of a form', async () => {
    const body = new FormData();
    body.set('image', new Blob([png]), 'a.png');
    body.set('preprocessor_config', JSON.stringify(tiny, undefined, 2));
    const { header, values } = await npyOf(await fetch(`${service.url}/v1/images`, { method: 'POST', body }));
    expect(header).toContain("'shape': (1, 3, 2, 3)");
    expect([...values]).toEqual([1, 0.4, 0].flatMap((value) => Array(6).fill(Math.fround(value))));
  });

  it('reads files and folders of PRESETS_DIR', async () => {
    const file = await npyOf(await send('?preset=of-a-file'));
    expect(file.header).toContain("'shape': (1, 3, 2, 3)");
    const inFolder = await npyOf(await send('?preset=OF-A-FOLDER'));
    expect(inFolder.header).toContain("'shape': (1, 3, 5, 5)");
  });

  it.each([
    ['?preset=clip-vit-base-patch32&width=5', 400, 'OPTION_INVALID', { option: 'width', actual: '5' }],
    [
      '?preset=clip-vit-base-patch23',
      404,
      'PRESET_UNKNOWN',
      { preset: 'clip-vit-base-patch23', nearest: 'openai/clip-vit-base-patch32' },
    ],
    ['?preset=of-a-fiel', 404, 'PRESET_UNKNOWN', { nearest: 'of-a-file' }],
    ['?preset=of-a-file&preprocessor_config={}', 400, 'OPTION_INVALID', { option: 'preset' }],
    ['?preset=of-a-file&datatype=bf16&format=npy', 400, 'OPTION_INVALID', { option: 'datatype' }],
    ['?preset=of-a-file&datatype=uint8', 400, 'OPTION_INVALID', { option: 'datatype' }],
    ['?preprocessor_config={', 400, 'PRESET_INVALID', {}],
  ])('refuses %s', async (query, status, reason, metadata) => {
    const response = await send(query);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect([response.status, await response.json()]).toMatchObject([status, { reason, metadata }]);
  });

  it('refuses a config of 10 MB', async () => {
    const body = new FormData();
    body.set('image', new Blob([png]), 'a.png');
    body.set('preprocessor_config', ' '.repeat(10_000_000));
    const response = await fetch(`${service.url}/v1/images`, { method: 'POST', body });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
  });

  it('pads with black where a crop exceeds the image', async () => {
    const response = await send(
      '?scale=false&grayscale=false&format=png&crop_width=5&crop_height=1',
      await encoded(solid(2, 1, [255, 102, 0]), 'png'),
    );
    const { width, height, pixels } = await decoded(new Uint8Array(await response.arrayBuffer()));
    expect([width, height]).toEqual([5, 1]);
    // torchvision pads (5 − 2) // 2 before it.
    expect([...pixels]).toEqual([0, 0, 0, 255, 102, 0, 255, 102, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('scales the shorter side to its length', async () => {
    const response = await send('?grayscale=false&format=png&shortest_edge=22');
    const { width, height } = await decoded(new Uint8Array(await response.arrayBuffer()));
    // 22 · 40/30 = 29.33
    expect([width, height]).toEqual([29, 22]);
  });
});

describe('PRESETS_DIR', () => {
  it('stops the start with 78 and the name of a file that is no preset', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'presets-'));
    await writeFile(join(folder, 'good.json'), JSON.stringify(tiny));
    await writeFile(join(folder, 'broken.json'), '{');
    const main = fileURLToPath(new URL('../../src/processor/main.ts', import.meta.url));
    const env = { HOST: '127.0.0.1', PORT: '0', METRICS_PORT: '0', PRESETS_DIR: folder };
    const { code, stderr } = await run(process.execPath, [main], { env });
    await rm(folder, { recursive: true });
    expect(code).toBe(78);
    expect(stderr).toContain('PRESETS_DIR: broken.json: The preprocessor config is not JSON.');
    expect(stderr).not.toContain('good.json');
  });
});
