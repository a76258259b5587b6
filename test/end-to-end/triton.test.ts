import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { encoded, photoLike } from '../support/pictures.ts';
import { findPythonWith } from '../support/python.ts';
import { startPythonServer } from '../support/python-server.ts';
import { run } from '../support/run.ts';
import { tensorsOfSafetensors } from '../support/safetensors.ts';
import { type Service, startService } from '../support/service.ts';

/*
 * Bodies of format=open_inference, read by Triton itself, which the package nvidia-pytriton contains.
 */

const python = findPythonWith('pytriton', 'tritonclient.grpc', 'requests');
const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

describe.skipIf(python === undefined)('what Triton reads', () => {
  let service: Service;
  let triton: Awaited<ReturnType<typeof startTriton>>;
  let photo: Uint8Array<ArrayBuffer>;
  beforeAll(async () => {
    service = await startService({ processor: { WORKERS: '1' } });
    triton = await startTriton();
    photo = Uint8Array.from(await encoded(photoLike(333, 210), 'png'));
  }, 120_000);
  afterAll(async () => {
    await triton?.[Symbol.asyncDispose]();
    await service?.stop();
  });

  const lengthHeader = 'Inference-Header-Content-Length';

  async function responseOf(format: string) {
    const query = new URLSearchParams({ preset: 'facebook/detr-resnet-50', format });
    const response = await fetch(`${service.url}/v1/images?${query}`, { method: 'POST', body: photo });
    expect(response.status).toBe(200);
    const length = response.headers.get(lengthHeader) ?? '';
    return { length, content: Buffer.from(await response.arrayBuffer()) };
  }

  /** The tensors of safetensors, as triton_model.py describes inputs. */
  async function expected() {
    const { pixel_values, pixel_mask } = tensorsOfSafetensors((await responseOf('safetensors')).content);
    return [
      { name: 'pixel_values', dtype: 'float32', ...pixel_values },
      { name: 'pixel_mask', dtype: 'int64', ...pixel_mask },
    ];
  }

  it('is the tensors of safetensors over HTTP', async () => {
    const { length, content } = await responseOf('open_inference');
    const response = await fetch(`${triton.url}/v2/models/seen/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', [lengthHeader]: length },
      body: Uint8Array.from(content),
    });
    const text = await response.text();
    expect(response.status, text).toBe(200);
    const { outputs } = JSON.parse(text) as { outputs: { data: string[] }[] };
    expect(outputs[0]?.data.map((line) => JSON.parse(line))).toEqual(await expected());
  });

  it('is the same over gRPC', { timeout: 60_000 }, async () => {
    const { length, content } = await responseOf('open_inference');
    const parameters = [pathOf('triton_grpc.py'), triton.address, 'seen', length];
    const { code, stdout, stderr } = await run(python ?? '', parameters, { input: content });
    expect(code, stderr).toBe(0);
    const lines = stdout.toString().trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(await expected());
  });

  it('goes through the ensemble of the examples', { timeout: 60_000 }, async () => {
    const image = join(triton.folder, 'photo.png');
    await writeFile(image, photo);
    const program = pathOf('../../examples/triton/infer_open_inference.py');
    const { code, stdout, stderr } = await run(python ?? '', [program, image, 'detection'], {
      env: { IMAGE_API_URL: service.url, MODEL_SERVER_URL: triton.url },
    });
    expect(code, stderr).toBe(0);
    const zeros = '[0, 0, 0, 0, 0, 0, 0, 0]';
    expect(stdout.toString().trim().split('\n').sort()).toEqual([
      `boxes FP32 [1, 100, 4] ${zeros.replaceAll('0', '0.0')}`,
      `labels INT64 [1, 100] ${zeros}`,
      `scores FP32 [1, 100] ${zeros.replaceAll('0', '0.0')}`,
    ]);
  });
});

/** Triton on free ports, when its models are ready. */
async function startTriton() {
  const folder = await mkdtemp(join(tmpdir(), 'triton-'));
  const [port, grpcPort] = [await freePort(), await freePort()];
  const parameters = [pathOf('triton_server.py'), folder, String(port), String(grpcPort)];
  // At SIGTERM it ends its stubs.
  const server = await startPythonServer(python, parameters, port, 'SIGTERM');
  return {
    url: server.url,
    address: `127.0.0.1:${grpcPort}`,
    folder,
    async [Symbol.asyncDispose](): Promise<void> {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
