import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decoded, encoded, photoLike, redGreenBlue } from '../support/pictures.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';

/* The client against the real service. test/client/ tests its exit codes. */
describe('image-client against both services', () => {
  let service: Service;
  let folder: string;
  beforeAll(async () => {
    service = await startService({ api: { MAX_UPLOAD_BYTES: '2000000' } });
    folder = await mkdtemp(join(tmpdir(), 'image-client-'));
    await writeFile(join(folder, 'photo.jpg'), await encoded(photoLike(2725, 2225), 'jpeg', { quality: 80 }));
    await writeFile(join(folder, 'colours.png'), await encoded(redGreenBlue, 'png'));
  });
  afterAll(async () => {
    await service.stop();
    await rm(folder, { recursive: true });
  });

  const client = (...parameters: string[]) =>
    run(
      process.execPath,
      [fileURLToPath(new URL('../../src/client/main.ts', import.meta.url)), ...parameters],
      { cwd: folder, env: { IMAGE_API_URL: service.url } },
    );

  it('turns a photo of 2725 × 2225 into a gray JPEG of 1024 × 768', async () => {
    expect(await client('photo.jpg', 'output.jpg')).toMatchObject({ code: 0, stderr: '' });
    expect(await sharp(join(folder, 'output.jpg')).metadata()).toMatchObject({
      format: 'jpeg',
      width: 1024,
      height: 768,
      channels: 1,
    });
  });

  it('turns red, green and blue of a PNG into 76, 150 and 29', async () => {
    expect(await client('--no-scale', 'colours.png', 'gray.png')).toMatchObject({ code: 0, stderr: '' });
    const { pixels } = await decoded(await readFile(join(folder, 'gray.png')));
    expect(pixels).toEqual(new Uint8Array([76, 150, 29]));
  });

  it('reports a hit with --verbose the second time', async () => {
    const parameters = ['--width', '30', '--height', '20', '--verbose', 'photo.jpg', 'small.jpg'];
    const first = await client(...parameters);
    expect(first.stderr).toMatch(/^image-client: \d+ bytes of image\/jpeg, 30 × 20 pixels\n/);
    expect(first.stderr).toContain('image-client: cache: image-processor; fwd=miss\n');
    expect(first.stderr).toMatch(/\nimage-client: stages: .*decode;dur=/);
    const second = await client(...parameters);
    expect(second.stderr).toContain('image-client: cache: image-processor; hit; detail=memory\n');
  });

  it('gets a tensor as .npy for a name with this ending', async () => {
    const parameters = ['--width', '4', '--height', '2', '--datatype', 'uint8'];
    expect(await client(...parameters, 'photo.jpg', 'tensor.npy')).toMatchObject({ code: 0, stderr: '' });
    const npy = await readFile(join(folder, 'tensor.npy'));
    expect(npy.subarray(0, 6).toString('latin1')).toBe('\u0093NUMPY');
    expect(npy.toString('latin1')).toContain("'shape': (1, 1, 2, 4)");
  });

  it('ends with 3 and the reason of a refusal, and writes nothing', async () => {
    await writeFile(join(folder, 'text.jpg'), 'no image at all');
    await writeFile(join(folder, 'large.jpg'), Buffer.alloc(20_000_000, 1));
    for (const [input, reason] of [
      ['text.jpg', 'FORMAT_UNSUPPORTED'],
      ['large.jpg', 'SOURCE_BYTES_OVER_LIMIT'],
    ] as const) {
      const result = await client(input, 'refused.jpg');
      expect(result.code).toBe(3);
      expect(result.stderr).toMatch(new RegExp(`^image-client: ${reason}: .*\\n$`));
    }
    const url = await client('--url', 'http://127.0.0.1:80/image.jpg', 'refused.jpg');
    expect(url.code).toBe(3);
    expect(url.stderr).toMatch(/^image-client: URL_ADDRESS_FORBIDDEN: .*\n$/);
    expect(await readdir(folder)).not.toContain('refused.jpg');
  });

  it('ends with 4 when no processor is there', async () => {
    await using alone = await startService();
    alone.processor.kill('SIGKILL');
    await alone.processor.exited;
    const result = await client('--api', alone.url, 'colours.png', 'unavailable.png');
    expect(result.code).toBe(4);
    expect(result.stderr).toMatch(/^image-client: PROCESSOR_UNAVAILABLE: .*\n$/);
    expect(await readdir(folder)).not.toContain('unavailable.png');
    // It starts both services once more.
  }, 60_000);
});
