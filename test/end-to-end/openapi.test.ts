import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiConfig, readApiConfig } from '../../src/api/config.ts';
import { openApiDocument } from '../../src/api/openapi/openapi.ts';
import { type Origin, routes, sends, startOrigin } from '../support/origin.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const sample = readFileSync(new URL('../fixtures/sample.jpg', import.meta.url));

/** The members of OpenAPI that the test reads. */
interface Media {
  readonly schema?: { readonly maxLength?: number };
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly example?: unknown }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
}
interface Document {
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const configs = {
  'without keys': {},
  'with keys and links': { apiKeysFile: 'keys.json', linkSecretsFile: 'links.json' },
} as const;
const config = readApiConfig({ PROCESSOR_URL: 'http://127.0.0.1:9' });
const documentOf = (files: Partial<ApiConfig>) =>
  JSON.parse(JSON.stringify(openApiDocument({ ...config, ...files }))) as Document;
const document = documentOf({});

const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);

function examplesOf({ example, examples = {} }: Media): readonly (readonly [name: string, value: unknown])[] {
  const named = Object.entries(examples).map(([name, { value }]) => [name, value] as const);
  return example === undefined ? named : [['example', example] as const, ...named];
}

/** Every request that the document shows: one for an operation without a body, one for each example of a body. */
const requests = operations.flatMap(({ path, method, operation }) => {
  const bodies = Object.entries(operation.requestBody?.content ?? {});
  if (bodies.length === 0)
    return [{ title: operation.operationId, path, method, operation, type: '', body: undefined }];
  return bodies.flatMap(([type, media]) =>
    // A body of bytes is the image; its example is any image.
    (media.schema?.maxLength !== undefined && !('type' in media.schema)
      ? [['an image', 'photo.jpg'] as const]
      : examplesOf(media)
    ).map(([name, body]) => ({
      title: `${operation.operationId}, ${type}, ${name}`,
      path,
      method,
      operation,
      type: type.replace('*', 'jpeg'),
      body,
    })),
  );
});

describe('openapi.json', () => {
  let folder: string;
  let service: Service;
  let origin: Origin;
  /** The files that forms name. */
  const files: Record<string, Uint8Array<ArrayBuffer>> = { 'photo.jpg': Uint8Array.from(sample) };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openapi-'));
    origin = await startOrigin(routes({ '/cat.jpg': sends(sample, { 'content-type': 'image/jpeg' }) }));
    // A comparison takes seconds of CPU, which a loaded machine may not have.
    const patient = '300000';
    service = await startService({
      api: { REQUEST_TIMEOUT_MS: patient },
      processor: { URL_ALLOWED_HOSTS: `127.0.0.1:${origin.port}`, MAX_TIMEOUT_MS: patient },
    });
    const wrong = 'width=224&height=224&grayscale=false&channel_order=bgr&numerics=opencv&format=npy';
    const response = await fetch(`${service.url}/v1/images?${wrong}`, { method: 'POST', body: sample });
    files['wrong.npy'] = new Uint8Array(await response.arrayBuffer());
  });
  afterAll(async () => {
    await service?.stop();
    await origin?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  it.each(Object.entries(configs))('has no finding of Redocly, %s', async (name, files) => {
    const file = join(folder, `${name}.json`);
    await writeFile(file, JSON.stringify(documentOf(files)));
    const redocly = join(repository, 'node_modules/.bin/redocly');
    const linted = await run(redocly, ['lint', '--config', 'redocly.yaml', '--format', 'stylish', file], {
      cwd: repository,
      env: { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    });
    expect(linted.code, linted.stdout.toString() + linted.stderr).toBe(0);
    expect(linted.stdout.toString() + linted.stderr).not.toContain('warning');
  });

  it('has a known tag and its own id for each operation', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const known = document.tags.map(({ name }) => name);
    for (const { operation } of operations)
      expect(known).toEqual(expect.arrayContaining([...operation.tags]));
  });

  it('has an example of each request body and each JSON response, except for streams', () => {
    const without = operations.flatMap(({ operation: { operationId, requestBody, responses } }) => [
      ...(requestBody &&
      !requests.some(({ operation, body }) => operation.operationId === operationId && body)
        ? [operationId]
        : []),
      ...Object.entries(responses).flatMap(([status, { content = {} }]) =>
        Object.entries(content)
          .filter(
            ([type, media]) =>
              /json$/.test(type) &&
              status === '200' &&
              media.schema !== undefined &&
              examplesOf(media).length === 0,
          )
          .map(([type]) => `${operationId}: ${type}`),
      ),
    ]);
    // A description of itself, the item of vLLM, and messages of gRPC-Web in a frame.
    expect(
      without.filter((name) => !/^openapi|Image: application.json|grpc-web|rpcProcessStream/.test(name)),
    ).toEqual([]);
  });

  it.each(requests.map((request) => [request.title, request] as const))(
    'is true of the request %s',
    async (_, { path, method, operation, type, body }) => {
      const response = await fetch(urlOf(path, operation), {
        method,
        ...(body !== undefined && bodyOf(type, body)),
      });
      expect(response.status, await response.clone().text()).toBe(200);
      const answered = (response.headers.get('content-type') ?? '').replace(/;.*/, '');
      const declared = operation.responses['200']?.content ?? {};
      expect(Object.keys(declared)).toContain(answered);
      if (answered !== 'application/json') return;
      const shapes = examplesOf(declared[answered] ?? {}).map(([, value]) => shapeOf(value));
      if (shapes.length > 0) expect(await response.json()).toBeOneOf(shapes);
    },
  );

  function urlOf(path: string, { parameters = [] }: Operation): URL {
    const given = parameters.filter(({ example }) => example !== undefined);
    const filled = given
      .filter((parameter) => parameter.in === 'path')
      .reduce((text, { name, example }) => text.replace(`{${name}}`, String(example)), path);
    const url = new URL(service.url + filled);
    for (const { name, example } of given.filter((parameter) => parameter.in === 'query')) {
      url.searchParams.set(name, here(String(example)));
    }
    return url;
  }

  function here(text: string): string {
    return text.replaceAll('https://images.example/', origin.url());
  }

  function bodyOf(
    type: string,
    value: unknown,
  ): { body: RequestInit['body'] & {}; headers: Record<string, string> } {
    if (value === 'photo.jpg') return { body: sample, headers: { 'content-type': type } };
    const fields = Object.entries(value as Record<string, unknown>).flatMap(([name, field]) =>
      [field].flat().map((one) => [name, here(String(one))] as const),
    );
    if (type === 'application/x-www-form-urlencoded') {
      return { body: new URLSearchParams(fields.map(([name, field]) => [name, field])), headers: {} };
    }
    if (type !== 'multipart/form-data') {
      return { body: here(JSON.stringify(value)), headers: { 'content-type': type } };
    }
    const form = new FormData();
    for (const [name, field] of fields) {
      const file = files[field];
      if (file === undefined) form.append(name, field);
      else form.append(name, new Blob([file]), field);
    }
    return { body: form, headers: {} };
  }
});

/** Matches values that have the members of an example, with values of the same types. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value))
    return value.length === 0 ? expect.any(Array) : expect.arrayContaining([shapeOf(value[0])]);
  if (typeof value === 'object' && value !== null) {
    return expect.objectContaining(
      Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shapeOf(one)])),
    );
  }
  if (typeof value === 'string') return expect.any(String);
  return typeof value === 'number' ? expect.any(Number) : expect.any(Boolean);
}
