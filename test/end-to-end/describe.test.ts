import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProcessorService } from '../../gen/image/v1/processor_pb.ts';
import { routes, sends, startOrigin } from '../support/origin.ts';
import { encoded, photoLike } from '../support/pictures.ts';
import { type Service, startService } from '../support/service.ts';

let service: Service;
let photo: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  service = await startService({ processor: { URL_ALLOWED_HOSTS: '127.0.0.1' } });
  photo = Uint8Array.from(await encoded(photoLike(320, 200), 'jpeg'));
});
afterAll(() => service?.stop());

async function jsonOf(response: Response) {
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
  return (await response.json()) as Readonly<Record<string, unknown>>;
}

const post = (path: string, body: NonNullable<RequestInit['body']>, type?: string) =>
  fetch(`${service.url}${path}`, {
    method: 'POST',
    body,
    ...(type !== undefined && { headers: { 'content-type': type } }),
  });

describe('/v1/describe', () => {
  it('describes an image, with the size and the entity tag of the response', async () => {
    const query = '?width=64&fit=inside&height=64&format=webp';
    const described = await post(`/v1/describe${query}`, photo, 'image/jpeg');
    expect(described.headers.get('cache-control')).toBe('no-store');
    const response = await post(`/v1/images${query}`, photo, 'image/jpeg');
    expect(await jsonOf(described)).toEqual({
      source: { format: 'jpeg', width: 320, height: 200, orientation: 1 },
      outputs: [{ format: 'webp', width: 64, height: 40 }],
      decisions: [],
      key: response.headers.get('etag')?.replaceAll('"', ''),
    });
    expect(response.headers.get('image-height')).toBe('40');
  });

  it('accepts forms, JSON and GET as /v1/images does', async () => {
    await using origin = await startOrigin(routes({ '/a.jpg': sends(photo) }));
    const form = new FormData();
    form.append('image', new Blob([photo]), 'a.jpg');
    form.append('preset', 'clip-vit-base-patch32');
    const url = origin.url('/a.jpg');
    const json = JSON.stringify({ url, preset: 'clip-vit-base-patch32' });
    const responses = await Promise.all([
      post('/v1/describe', form),
      post('/v1/describe', json, 'application/json'),
      fetch(`${service.url}/v1/describe?${new URLSearchParams({ url, preset: 'clip-vit-base-patch32' })}`),
    ]);
    const descriptions = await Promise.all(responses.map(jsonOf));
    const [first] = descriptions;
    expect(first?.outputs).toEqual([
      { name: 'pixel_values', datatype: 'FP32', shape: [1, 3, 224, 224], bytes: 602_112 },
    ]);
    expect(descriptions).toEqual([first, first, first]);
  });

  it('describes each variant', async () => {
    const variants = JSON.stringify([
      { width: 20, height: 10, format: 'npy' },
      { format: 'png', scale: false },
    ]);
    const query = new URLSearchParams({ variants, grayscale: 'true' });
    const { variants: descriptions } = await jsonOf(await post(`/v1/describe?${query}`, photo, 'image/jpeg'));
    expect(descriptions).toMatchObject([
      { outputs: [{ name: 'image', datatype: 'FP32', shape: [1, 1, 10, 20], bytes: 800 }] },
      { outputs: [{ format: 'png', width: 320, height: 200 }] },
    ]);
  });

  it.each([
    ['?widht=3', 400, 'OPTION_UNKNOWN'],
    ['?width=3&height=65535&format=webp', 400, 'OUTPUT_PIXELS_OVER_LIMIT'],
    ['?preset=no-such-model', 404, 'PRESET_UNKNOWN'],
  ])('refuses %s as /v1/images does', async (query, status, reason) => {
    const problems = await Promise.all(
      ['/v1/describe', '/v1/images'].map(async (path) => {
        const response = await post(`${path}${query}`, photo, 'image/jpeg');
        const { instance: _, ...problem } = (await response.json()) as Record<string, unknown>;
        return { status: response.status, ...problem };
      }),
    );
    expect(problems[0]).toMatchObject({ status, reason });
    expect(problems[0]).toEqual(problems[1]);
  });

  it('counts as a route of its own', async () => {
    await post('/v1/describe', photo, 'image/jpeg').then((response) => response.text());
    const metrics = await fetch(`${service.url}/metrics`).then((response) => response.text());
    expect(metrics).toMatch(/http_requests_total\{route="\/v1\/describe",method="POST",status="200"\} [1-9]/);
  });
});

describe('Describe through image-api', () => {
  it.each([
    ['Connect', createConnectTransport, true],
    ['Connect with JSON', createConnectTransport, false],
    ['gRPC-Web', createGrpcWebTransport, true],
  ] as const)('gives over %s what Process gives', async (_, transport, useBinaryFormat) => {
    const client = createClient(
      ProcessorService,
      transport({ baseUrl: service.url, httpVersion: '1.1', useBinaryFormat }),
    );
    const request = { source: { case: 'content', value: photo }, preset: 'vit-base-patch16-224' } as const;
    const { outputs, decisions, key, source } = await client.describe(request);
    const response = await client.process(request);
    expect(outputs.map(({ output }) => output.value)).toEqual(response.tensors);
    expect([decisions, key, source]).toEqual([response.provenance?.decisions, response.key, response.source]);
    const { variants } = await client.describeVariants({ source: request.source, variants: [{}] });
    expect(variants).toMatchObject([{ source: { width: 320 } }]);
  });
});
