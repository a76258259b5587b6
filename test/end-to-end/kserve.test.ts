import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { encoded, photoLike } from '../support/pictures.ts';
import { findPythonWith } from '../support/python.ts';
import { startPythonServer } from '../support/python-server.ts';
import { tensorsOfSafetensors } from '../support/safetensors.ts';
import { type Service, startService } from '../support/service.ts';

/*
 * Bodies of format=open_inference, read by KServe's own model server.
 */

const python = findPythonWith('kserve');
const program = fileURLToPath(new URL('kserve_server.py', import.meta.url));

describe.skipIf(python === undefined)('what KServe reads', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService({ processor: { WORKERS: '1' } });
  });
  afterAll(() => service?.stop());

  it('is the tensors of safetensors, by their names', { timeout: 300_000 }, async () => {
    const body = Uint8Array.from(await encoded(photoLike(333, 210), 'png'));
    const responseOf = async (format: string) => {
      const query = new URLSearchParams({ preset: 'facebook/detr-resnet-50', format });
      const response = await fetch(`${service.url}/v1/images?${query}`, { method: 'POST', body });
      expect(response.status).toBe(200);
      return { headers: response.headers, content: Buffer.from(await response.arrayBuffer()) };
    };
    await using models = await startKServe();
    const { headers, content } = await responseOf('open_inference');
    const length = 'Inference-Header-Content-Length';
    const response = await fetch(`${models.url}/v2/models/detection/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', [length]: headers.get(length) ?? '' },
      body: Uint8Array.from(content),
    });
    const text = await response.text();
    expect(response.status, text).toBe(200);
    const { outputs } = JSON.parse(text) as { outputs: { data: string[] }[] };
    const tensors = tensorsOfSafetensors((await responseOf('safetensors')).content);
    expect(outputs[0]?.data.map((line) => JSON.parse(line))).toEqual([
      { name: 'pixel_values', datatype: 'FP32', ...tensors.pixel_values },
      { name: 'pixel_mask', datatype: 'INT64', ...tensors.pixel_mask },
    ]);
  });
});

/** KServe's model server on a free port, when it is ready. */
async function startKServe() {
  const port = await freePort();
  return await startPythonServer(python, [program, String(port), 'detection'], port, 'SIGKILL');
}
