import { hash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type GivenTensorSchema,
  ProcessorService,
  type SkewRequestSchema,
  TensorContainer,
} from '../../gen/image/v1/processor_pb.ts';
import { failureFromConnectError } from '../../src/grpc/rpc-failures.ts';
import type { skewJson } from '../../src/skew-json.ts';
import { problemOf, startTestApi } from '../support/api.ts';
import { routes, sends, startOrigin } from '../support/origin.ts';
import { decoded } from '../support/pictures.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { grpcurl } from '../support/tools.ts';

type Refused = [title: string, message: MessageInitShape<typeof SkewRequestSchema>, reason: string];
type Json = ReturnType<typeof skewJson>;

const sample = readFileSync(new URL('../fixtures/sample.jpg', import.meta.url));
const preset = 'openai/clip-vit-base-patch32';
const mistakes = { width: 224, height: 224, grayscale: false, channel_order: 'bgr', numerics: 'opencv' };

/** A search takes seconds of CPU, which a loaded machine may not have. */
const patient = '300000';

let service: Service;
let expected: Uint8Array<ArrayBuffer>;
/** A squashed picture in BGR, resized by OpenCV, from 0 to 1. */
let wrong: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  service = await startService({
    api: { REQUEST_TIMEOUT_MS: patient },
    processor: { URL_ALLOWED_HOSTS: '127.0.0.1', MAX_TIMEOUT_MS: patient },
  });
  expected = await tensorOf({ preset });
  wrong = await tensorOf(mistakes);
});
afterAll(() => service?.stop());

/** The service makes the other program's tensors itself. */
async function tensorOf(options: Record<string, unknown>, format = 'npy'): Promise<Uint8Array<ArrayBuffer>> {
  const query = new URLSearchParams({ ...options, format });
  const response = await fetch(`${service.url}/v1/images?${query}`, { method: 'POST', body: sample });
  expect(response.status, await response.clone().text()).toBe(200);
  return new Uint8Array(await response.arrayBuffer());
}

type Field = readonly [name: string, value: string | Uint8Array<ArrayBuffer>];

function form(fields: readonly Field[]): FormData {
  const data = new FormData();
  for (const [name, value] of fields) {
    if (typeof value === 'string') data.append(name, value);
    else data.append(name, new Blob([value]), 'file');
  }
  return data;
}

const image: Field = ['image', Uint8Array.from(sample)];
const ofPreset: Field = ['preset', preset];

const post = (fields: readonly Field[], headers = {}, url = service.url) =>
  fetch(`${url}/v1/skew`, { method: 'POST', body: form(fields), headers });

async function compare<Answer = Json>(...fields: Field[]): Promise<Answer> {
  const response = await post(fields);
  expect(response.status, await response.clone().text()).toBe(200);
  expect(response.headers.get('cache-control')).toBe('no-store');
  return (await response.json()) as Answer;
}

const stepsOf = (json: Json) =>
  Object.fromEntries((json.cause?.steps ?? []).map(({ name, yours }) => [name, yours]));

describe('POST /v1/skew', () => {
  it('finds the expected tensor equal', async () => {
    const json = await compare(image, ['tensor', expected], ofPreset);
    expect(json).toMatchObject({
      equal: true,
      differing_share: 0,
      max_abs: 0,
      given: { datatype: 'FP32', shape: [1, 3, 224, 224] },
      expected: { name: 'pixel_values', datatype: 'FP32', shape: [1, 3, 224, 224] },
      source: { format: 'jpeg', width: 640, height: 480, sha256: hash('sha256', sample) },
    });
    expect(json).not.toHaveProperty('cause');
    expect(json.plan.length).toBeGreaterThan(3);
    expect(json.python).toContain(preset);
  });

  it('names what made another one', async () => {
    const json = await compare(image, ['tensor', wrong], ofPreset);
    expect(json).toMatchObject({ equal: false, cause: { exact: true, confidence: 1 } });
    expect(stepsOf(json)).toMatchObject({
      numerics: 'OpenCV INTER_LINEAR',
      filter: 'bilinear',
      channel_order: 'BGR',
      crop: 'none',
    });
    expect(json.cause?.sentence).toContain('BGR');
    expect(json.max_abs).toBeGreaterThan(1);
  });

  it('draws the differences: black where there is none, white where it is largest', async () => {
    const options = { ...mistakes, datatype: 'uint8' };
    const changed = await tensorOf(options);
    const at = 224 * 100 + 50;
    const byte = changed.length - 3 * 224 * 224 + at;
    changed[byte] = (changed[byte] ?? 0) ^ 1;
    const fields = Object.entries(options).map(([name, value]): Field => [name, String(value)]);
    const json = await compare(image, ['tensor', changed], ...fields, ['map', 'true']);
    expect(json).toMatchObject({ equal: false, max_abs: 1, cause: { exact: false } });
    const map = await decoded(Buffer.from(json.map ?? '', 'base64'));
    expect(map).toMatchObject({ width: 224, height: 224, channels: 1 });
    expect(map.pixels[at]).toBe(255);
    expect(map.pixels.reduce((sum, level) => sum + level, 0)).toBe(255);
  });

  it('takes raw values with their shape and datatype, as Python writes a shape', async () => {
    const raw = await tensorOf({ preset }, 'raw');
    const shape: Field = ['shape', '(1, 3, 224, 224)'];
    expect(await compare(image, ['tensor', raw], shape, ['datatype', 'fp32'], ofPreset)).toMatchObject({
      equal: true,
    });
    const refused = await problemOf(await post([image, ['tensor', raw], shape, ofPreset]));
    expect(refused).toMatchObject({ reason: 'OPTION_INVALID', metadata: { option: 'datatype' } });
  });

  it('takes the tensor of a name out of several', async () => {
    const file = await tensorOf({ preset }, 'safetensors');
    const named = (name: string) => post([image, ['tensor', file], ['tensor_name', name], ofPreset]);
    expect(((await (await named('pixel_values')).json()) as Json).equal).toBe(true);
    expect(await problemOf(await named('logits'))).toMatchObject({ status: 400, reason: 'TENSOR_INVALID' });
  });

  it('takes the pixels as a picture', async () => {
    const json = await compare(image, ['picture', await pictureOf()], ofPreset);
    expect(json).toMatchObject({ equal: false, cause: { exact: true } });
    expect(stepsOf(json)).toMatchObject({ numerics: 'Pillow', crop: 'none' });
  });

  it('takes the options of a tensor instead of a preset', async () => {
    const options = Object.entries(mistakes).map(([name, value]): Field => [name, String(value)]);
    expect(await compare(image, ['tensor', wrong], ...options)).toMatchObject({ equal: true });
  });

  it('compares the image of a URL, also where its tensor is cached', async () => {
    await using origin = await startOrigin(
      routes({ '/a.jpg': sends(sample, { 'cache-control': 'max-age=3600' }) }),
    );
    const url: Field = ['url', origin.url('/a.jpg')];
    const first = await fetch(
      `${service.url}/v1/images?${new URLSearchParams({ url: url[1] as string, preset, format: 'safetensors' })}`,
    );
    expect(first.status).toBe(200);
    expect(await compare(url, ['tensor', expected], ofPreset)).toMatchObject({ equal: true });
  });

  it.each([
    ['values that are not finite', (bytes: Uint8Array) => bytes.fill(0xff, -4), 422, 'TENSOR_NOT_FINITE'],
    ['a tensor that is cut off', (bytes: Uint8Array) => bytes.subarray(0, -4), 400, 'TENSOR_INVALID'],
  ])('refuses %s', async (_, spoil, status, reason) => {
    const spoilt = Uint8Array.from(spoil(expected.slice()));
    expect(await problemOf(await post([image, ['tensor', spoilt], ofPreset]))).toMatchObject({
      status,
      reason,
    });
  });

  it('refuses fast numerics', async () => {
    const response = await post([image, ['tensor', wrong], ['numerics', 'fast'], ofPreset]);
    expect(await problemOf(response)).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'numerics' },
    });
  });
});

/** A PNG of the picture, squashed by Pillow. */
async function pictureOf(): Promise<Uint8Array<ArrayBuffer>> {
  return await tensorOf({ width: 224, height: 224, grayscale: false }, 'png');
}

describe('POST /v1/skew with several pairs', () => {
  interface Pairs {
    readonly overall: Record<string, unknown>;
    readonly pairs: readonly (Json & { readonly problem?: { readonly reason: string } })[];
  }

  it('names the cause that they share, and fails only the pair that is bad', async () => {
    const { overall, pairs } = await compare<Pairs>(
      ...[image, ['tensor', wrong] as const],
      ...[image, ['tensor', wrong] as const],
      ...[image, ['tensor', Uint8Array.from(sample)] as const],
      ofPreset,
    );
    expect(overall).toMatchObject({
      equal: false,
      pairs: 3,
      failed: 1,
      cause: { exact: true, pairs: 2, exact_pairs: 2 },
    });
    expect(pairs[0]).toMatchObject({ equal: false, cause: { exact: true } });
    expect(pairs[1]).toEqual(pairs[0]);
    expect(pairs[2]).toEqual({
      problem: expect.objectContaining({ reason: 'TENSOR_INVALID', retryable: false }),
    });
  });

  it('keeps their order', async () => {
    const { pairs } = await compare<Pairs>(
      ...[image, image, ['tensor', wrong] as const, ['tensor', expected] as const],
      ofPreset,
    );
    expect(pairs.map(({ equal }) => equal)).toEqual([false, true]);
  });
});

describe('the limits of POST /v1/skew', () => {
  it('asks for a key, and counts a request of several pairs once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'skew-'));
    const file = join(folder, 'keys.json');
    writeFileSync(file, JSON.stringify({ keys: [{ id: 'team-a', sha256: hash('sha256', 'secret') }] }));
    try {
      await using guarded = await startTestApi({
        PROCESSOR_URL: `http://${service.address}`,
        API_KEYS_FILE: file,
        REQUEST_TIMEOUT_MS: patient,
        RATE_LIMIT_RPS: '1',
        RATE_LIMIT_BURST: '60',
      });
      const pairs = [image, image, ['tensor', expected], ['tensor', expected], ofPreset] as const;
      expect((await post(pairs, {}, guarded.url)).status).toBe(401);
      const response = await post(pairs, { 'x-api-key': 'secret' }, guarded.url);
      expect(response.status).toBe(200);
      expect(response.headers.get('ratelimit')).toContain('r=59');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('counts in the metrics of both services', async () => {
    await compare(image, ['tensor', wrong], ofPreset);
    const metrics = await fetch(`${service.url}/metrics`).then((response) => response.text());
    expect(metrics).toMatch(/http_requests_total\{route="\/v1\/skew",method="POST",status="200"\} [1-9]/);
  });
});

describe('Skew', () => {
  const content = { source: { case: 'content', value: Uint8Array.from(sample) }, preset } as const;
  const request = () => ({
    request: content,
    given: { case: 'tensor', value: { content: wrong } } as const,
  });
  const grpc = () =>
    createClient(ProcessorService, createGrpcTransport({ baseUrl: `http://${service.address}` }));

  it('gives the same over gRPC, Connect and gRPC-Web', async () => {
    const options = { baseUrl: service.url, httpVersion: '1.1' } as const;
    const clients = [
      grpc(),
      createClient(ProcessorService, createConnectTransport(options)),
      createClient(ProcessorService, createConnectTransport({ ...options, useBinaryFormat: false })),
      createClient(ProcessorService, createGrpcWebTransport(options)),
    ];
    const responses = await Promise.all(clients.map((client) => client.skew({ ...request(), map: true })));
    const [first] = responses.map(({ stages: _, ...response }) => response);
    expect(first).toMatchObject({ equal: false, cause: { exact: true } });
    expect(responses.map(({ stages: _, ...response }) => response)).toEqual(responses.map(() => first));
    expect(responses[0]?.stages.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['hash', 'header', 'queue', 'expected', 'given', 'search', 'map']),
    );
  });

  const picture = { case: 'picture', value: Uint8Array.from(sample) } as const;
  const tensorWith = (fields: MessageInitShape<typeof GivenTensorSchema>): Refused[1] => ({
    request: content,
    given: { case: 'tensor', value: { content: Uint8Array.from(sample), ...fields } },
  });

  it.each<Refused>([
    ['no image', { given: picture }, 'SOURCE_MISSING'],
    ['nothing given', { request: content }, 'TENSOR_INVALID'],
    ['an empty tensor', tensorWith({ content: new Uint8Array() }), 'TENSOR_INVALID'],
    [
      'a SHA-256',
      {
        request: { source: { case: 'sha256', value: hash('sha256', sample) }, preset },
        given: picture,
      },
      'SOURCE_UNKNOWN',
    ],
    [
      'an image as the output',
      { request: { source: content.source, output: { case: 'image', value: {} } }, given: picture },
      'OPTION_INVALID',
    ],
    ['a shape without a datatype', tensorWith({ shape: [4n] }), 'OPTION_INVALID'],
    ['a datatype without a shape', tensorWith({ datatype: 'FP32' }), 'OPTION_INVALID'],
    ['booleans', tensorWith({ shape: [4n], datatype: 'BOOL' }), 'OPTION_INVALID'],
    [
      'a shape for a file that has its own',
      tensorWith({ shape: [4n], datatype: 'FP32', container: TensorContainer.NPY }),
      'OPTION_INVALID',
    ],
    ['a body of Open Inference', tensorWith({ container: TensorContainer.OPEN_INFERENCE }), 'OPTION_INVALID'],
    [
      'more axes than NumPy has',
      tensorWith({ shape: Array.from({ length: 65 }, () => 1n) }),
      'OPTION_INVALID',
    ],
  ])('refuses %s', async (_, message, reason) => {
    // The tensor of the preset is cached: it is no replacement for the image.
    const output = { case: 'tensor', value: { container: TensorContainer.SAFETENSORS } } as const;
    await grpc().process({ ...content, output });
    const error = await grpc()
      .skew(message)
      .catch((thrown: unknown) => ConnectError.from(thrown));
    expect(failureFromConnectError(error as ConnectError)?.reason).toBe(reason);
  });

  it('ends by its deadline', async () => {
    const call = grpc().skew(request(), { timeoutMs: 1 });
    await expect(call).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  });

  it.skipIf(grpcurl === undefined)('is called by grpcurl, which knows only the address', async () => {
    const message = {
      request: { content: sample.toString('base64'), preset },
      tensor: { content: Buffer.from(wrong).toString('base64') },
    };
    const result = await run(
      grpcurl ?? '',
      ['-plaintext', '-d', '@', service.address, 'image.v1.ProcessorService/Skew'],
      { input: JSON.stringify(message) },
    );
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(result.stdout.toString())).toMatchObject({ cause: { exact: true } });
  });
});
