import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { HealthCheckResponse_ServingStatus } from '../../gen/grpc/health/v1/health_pb.ts';
import { observeRequests } from '../../src/api/access-log.ts';
import { createApp } from '../../src/api/app.ts';
import { reportAlive, reportReady } from '../../src/api/health.ts';
import { createHttpMetrics } from '../../src/api/metrics.ts';
import { openApiDocument } from '../../src/api/openapi/openapi.ts';
import { writeProblem } from '../../src/api/problems/problem.ts';
import { startApi } from '../../src/api/server.ts';
import { failureKinds } from '../../src/failures.ts';
import { imageOptionNames } from '../../src/options/image-options.ts';
import { plainResponse, problemOf, startTestApi, useTestApi } from '../support/api.ts';
import { startSlowProxy } from '../support/slow-proxy.ts';

const bytes = new Uint8Array([1, 2, 3]);

const { processor, api } = await useTestApi();

describe(createApp, () => {
  it('responds with 404 to unknown paths', async () => {
    const problem = await problemOf(await fetch(`${api.url}/v2/images`));
    expect(problem).toMatchObject({ status: 404, reason: 'ROUTE_UNKNOWN' });
  });

  it.each([
    ['DELETE', '/v1/images', 'GET, HEAD, POST'],
    ['OPTIONS', '/v1/images', 'GET, HEAD, POST'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['PUT', '/openapi.json', 'GET, HEAD'],
  ])('refuses %s %s and names the methods that there are', async (method, path, allowed) => {
    const response = await fetch(api.url + path, { method });
    expect(response.headers.get('allow')).toBe(allowed);
    expect(await problemOf(response)).toMatchObject({
      status: 405,
      reason: 'METHOD_NOT_ALLOWED',
      metadata: { actual: method, allowed },
    });
  });

  it('allows no origin to read responses unless the environment names it', async () => {
    const response = await fetch(`${api.url}/healthz`, { headers: { Origin: 'https://app.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('allows the preflight of a configured origin, and of no other', async () => {
    await using other = await startTestApi({
      PROCESSOR_URL: processor.url,
      CORS_ORIGINS: 'https://app.example, http://localhost:5173',
    });
    const preflight = (origin: string) =>
      fetch(`${other.url}/image.v1.ProcessorService/Process`, {
        method: 'OPTIONS',
        headers: {
          Origin: origin,
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'connect-protocol-version,content-type',
        },
      });
    const allowed = await preflight('https://app.example');
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(allowed.headers.get('access-control-allow-methods')).toBe('GET,HEAD,POST');
    expect(allowed.headers.get('access-control-allow-headers')?.split(',')).toEqual(
      expect.arrayContaining([
        'Content-Type',
        'Connect-Protocol-Version',
        'Connect-Timeout-Ms',
        'X-Grpc-Web',
        'If-None-Match',
      ]),
    );
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('lets a named origin read our headers, including those of problems', async () => {
    await using other = await startTestApi({ PROCESSOR_URL: processor.url, CORS_ORIGINS: '*' });
    for (const query of ['', '?width=0']) {
      const { headers } = await fetch(`${other.url}/v1/images${query}`, {
        method: 'POST',
        body: bytes,
        headers: { Origin: 'https://app.example' },
      });
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.get('access-control-expose-headers')?.split(',')).toEqual(
        expect.arrayContaining([
          'ETag',
          'Cache-Status',
          'Server-Timing',
          'Grpc-Status',
          'X-Request-Id',
          'Image-Width',
        ]),
      );
    }
  });
});

describe(writeProblem, () => {
  it('writes the members of RFC 9457, the reason and its values', async () => {
    const response = await fetch(`${api.url}/v1/images?width=0`, {
      method: 'POST',
      body: bytes,
      headers: { 'X-Request-Id': 'mine-1' },
    });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await problemOf(response)).toEqual({
      type: '/problems/OPTION_INVALID',
      title: 'An option has a value that is not allowed',
      status: 400,
      detail: 'width is "0"; allowed: a whole number from 1 to 65535.',
      instance: 'mine-1',
      reason: 'OPTION_INVALID',
      retryable: false,
      metadata: { option: 'width', actual: '0', allowed: 'a whole number from 1 to 65535' },
    });
  });
});

describe(observeRequests, () => {
  it('logs one line per request, without its query', async () => {
    await fetch(`${api.url}/v1/images?width=5&background=c0ffee`, {
      method: 'POST',
      body: bytes,
      headers: { 'X-Request-Id': 'line.1' },
    });
    const line = await api.accessLine('line.1');
    expect(line).toMatchObject({ method: 'POST', path: '/v1/images', status: 200, msg: 'request' });
    expect(line.ms).toEqual(expect.any(Number));
    expect(line.bytes_in).toBeGreaterThan(3);
    expect(line.bytes_out).toBeGreaterThan(8);
    expect(line).not.toHaveProperty('reason');
    expect(JSON.stringify(line)).not.toContain('c0ffee');
  });

  it('counts the bytes of each request of a connection separately', async () => {
    const socket = connect(api.port, '127.0.0.1');
    const ask = async (id: string) => {
      socket.write(`GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\n\r\n`);
      await once(socket, 'data');
      return api.accessLine(id);
    };
    const first = await ask('kept-1');
    const second = await ask('kept-2');
    socket.destroy();
    expect(first.bytes_in).toBe(56);
    expect(second.bytes_in).toBe(56);
    expect(second.bytes_out).toBe(first.bytes_out);
  });

  it("returns the caller's request id, or one of its own for an odd one", async () => {
    const idFor = async (id: string) =>
      (await fetch(`${api.url}/healthz`, { headers: { 'X-Request-Id': id } })).headers.get('x-request-id');
    expect(await idFor('abc-123')).toBe('abc-123');
    expect(await idFor('a b')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idFor('x'.repeat(129))).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('reports the cause of a failure only in the log', async () => {
    processor.script.process = () => {
      throw new Error('the disk is on fire');
    };
    const response = await fetch(`${api.url}/v1/images`, {
      method: 'POST',
      body: bytes,
      headers: { 'X-Request-Id': 'fire' },
    });
    expect(await response.text()).not.toContain('internal error');
    expect(await api.accessLine('fire')).toMatchObject({
      level: 50,
      status: 500,
      reason: 'INTERNAL',
      err: { message: '[internal] internal error' },
    });
  });

  it("keeps a parser's words, which repeat the body, to itself", async () => {
    await fetch(`${api.url}/v1/images`, {
      method: 'POST',
      body: 'my secret',
      headers: { 'X-Request-Id': 'bad-json', 'Content-Type': 'application/json' },
    });
    const line = await api.accessLine('bad-json');
    expect(line).toMatchObject({ status: 400, reason: 'JSON_INVALID' });
    expect(JSON.stringify(line)).not.toContain('secret');
  });
});

describe(createHttpMetrics, () => {
  it('counts requests by route, method and status, and failures by reason', async () => {
    await using fresh = await startTestApi({ PROCESSOR_URL: processor.url });
    for (const path of ['/v1/images', '/v1/images?width=0', '/nothing', '/nothing/else']) {
      await fetch(fresh.url + path, { method: 'POST', body: bytes });
    }
    const response = await fetch(`${fresh.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    const lines = (await response.text()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'http_requests_total{route="/v1/images",method="POST",status="200"} 1',
        'http_requests_total{route="/v1/images",method="POST",status="400"} 1',
        'http_requests_total{route="none",method="POST",status="404"} 2',
        'http_request_failures_total{route="/v1/images",reason="OPTION_INVALID"} 1',
        'http_request_duration_seconds_count{route="/v1/images",method="POST"} 2',
        'http_requests_in_flight 1',
      ]),
    );
    expect(lines.some((line) => line.startsWith('http_received_bytes_total{route="/v1/images"}'))).toBe(true);
    expect(lines.some((line) => line.startsWith('process_cpu_seconds_total'))).toBe(true);
  });
});

describe(reportAlive, () => {
  it('responds with 200 without a processor', async () => {
    await using lonely = await startTestApi({ PROCESSOR_URL: 'http://127.0.0.1:1' });
    const response = await fetch(`${lonely.url}/healthz`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 'ok' });
  });
});

describe(reportReady, () => {
  it('is ready while the processor reports that it serves', async () => {
    expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
    processor.script.health = HealthCheckResponse_ServingStatus.NOT_SERVING;
    expect(await problemOf(await fetch(`${api.url}/readyz`))).toMatchObject({
      status: 503,
      reason: 'PROCESSOR_UNAVAILABLE',
    });
  });

  it('is ready over a network with a round trip of a second', async () => {
    const far = await startSlowProxy(Number(new URL(processor.url).port), 500);
    await using distant = await startTestApi({ PROCESSOR_URL: far.url });
    expect((await fetch(`${distant.url}/readyz`)).status).toBe(200);
    far.close();
  });

  it('is not ready while no processor serves', async () => {
    await using lonely = await startTestApi({ PROCESSOR_URL: 'http://127.0.0.1:1' });
    const response = await fetch(`${lonely.url}/readyz`);
    expect(await problemOf(response)).toMatchObject({ status: 503, reason: 'PROCESSOR_UNAVAILABLE' });
  });
});

describe(startApi, () => {
  it('drains: not ready at once, requests in flight get their response, then the port is closed', async () => {
    const leaving = await startTestApi({ PROCESSOR_URL: processor.url, SHUTDOWN_DELAY_MS: '300' });
    const arrived = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    processor.script.process = async () => {
      arrived.resolve();
      await finish.promise;
      return plainResponse;
    };
    const inFlight = fetch(`${leaving.url}/v1/images`, { method: 'POST', body: bytes });
    await arrived.promise;
    const drained = leaving.drain();
    const ready = await fetch(`${leaving.url}/readyz`);
    expect(ready.headers.get('connection')).toBe('close');
    expect(await problemOf(ready)).toMatchObject({ status: 503, reason: 'DRAINING' });
    finish.resolve();
    const response = await inFlight;
    expect(response.status).toBe(200);
    expect(response.headers.get('connection')).toBe('close');
    await response.arrayBuffer();
    await drained;
    await expect(fetch(`${leaving.url}/healthz`)).rejects.toThrow();
  });
});

describe(openApiDocument, () => {
  interface Operation {
    readonly parameters: { name: string; in: string; schema: Record<string, unknown> }[];
    readonly requestBody: { content: Record<string, { schema: { properties: Record<string, unknown> } }> };
    readonly responses: Record<string, { description: string; headers: Record<string, unknown> }>;
  }
  interface Document {
    readonly openapi: string;
    readonly paths: Record<string, { get: Operation; post: Operation }>;
    readonly components: {
      schemas: { Problem: { properties: { reason: { enum: string[] } } } };
      headers: Record<string, unknown>;
    };
  }

  async function read(): Promise<Document> {
    const response = await fetch(`${api.url}/openapi.json`);
    expect(response.headers.get('content-type')).toBe('application/json');
    return (await response.json()) as Document;
  }

  it('lists every option as a query parameter and as a field of forms and of JSON', async () => {
    const { paths } = await read();
    const { get, post } = paths['/v1/images'] as { get: Operation; post: Operation };
    const inQuery = ({ parameters }: Operation) =>
      parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
    expect(inQuery(get)).toEqual(['url', ...imageOptionNames, 'variants']);
    expect(inQuery(post)).toEqual([...imageOptionNames, 'variants']);
    const fields = (type: string) => Object.keys(post.requestBody.content[type]?.schema.properties ?? {});
    const inBody = [...imageOptionNames, 'password', 'variants'];
    expect(fields('multipart/form-data')).toEqual(['image', 'url', ...inBody]);
    expect(fields('application/json')).toEqual(['url', ...inBody]);
  });

  it('describes numbers and flags as such, with their range and the default of this instance', async () => {
    const { paths } = await read();
    const schema = (option: string) =>
      paths['/v1/images']?.get.parameters.find(({ name }) => name === option)?.schema;
    expect(schema('width')).toEqual({ type: 'integer', minimum: 1, maximum: 65535, default: 1024 });
    expect(schema('grayscale')).toEqual({ type: 'boolean', default: true });
    expect(schema('fit')).toEqual({
      type: 'string',
      enum: ['fill', 'cover', 'contain', 'inside', 'outside'],
      default: 'fill',
    });
    expect(schema('quality')).toEqual({ type: 'integer', minimum: 1, maximum: 100 });
  });

  it('closes the list of reasons, and puts each under its HTTP status', async () => {
    const { paths, components } = await read();
    expect(components.schemas.Problem.properties.reason.enum).toEqual(Object.keys(failureKinds));
    const { responses } = (paths['/v1/images'] as { post: Operation }).post;
    expect(responses['413']?.description).toBe(
      'SOURCE_BYTES_OVER_LIMIT: The image has too many bytes. SOURCE_MEMORY_OVER_LIMIT: The image takes too much memory',
    );
    expect(responses['503']?.description).toContain('OVERLOADED');
    expect(responses).not.toHaveProperty('499');
  });

  it('lists every route, and every reference resolves', async () => {
    const document = await read();
    expect(Object.keys(document.paths).sort()).toEqual([
      '/healthz',
      '/image.v1.ProcessorService/Describe',
      '/image.v1.ProcessorService/DescribeVariants',
      '/image.v1.ProcessorService/GetPreset',
      '/image.v1.ProcessorService/ListPresets',
      '/image.v1.ProcessorService/Process',
      '/image.v1.ProcessorService/ProcessBatch',
      '/image.v1.ProcessorService/ProcessStream',
      '/image.v1.ProcessorService/ProcessVariants',
      '/image.v1.ProcessorService/Skew',
      '/metrics',
      '/openapi.json',
      '/problems',
      '/problems/{reason}',
      '/readyz',
      '/v1/describe',
      '/v1/images',
      '/v1/presets',
      '/v1/presets/{name}',
      '/v1/skew',
    ]);
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/([\w-]+)"/g)];
    expect(references.length).toBeGreaterThan(0);
    for (const [, kind, name] of references) {
      expect(document.components[kind as 'schemas' | 'headers']).toHaveProperty(name ?? '');
    }
  });

  it.each([
    '/v1/../metrics',
    '/v1/./../metrics',
    '/v1/%2e%2e/metrics',
    '/v1/%2E./metrics',
    '/v1/.%2e/metrics',
    '/v1/..%2fmetrics',
    '/v1/..//metrics',
    '//metrics',
    '/./metrics',
    '/v1\\..\\metrics',
    '/v1/..\\metrics',
    '\\metrics',
    '/v1/..%5cmetrics',
    '/metrics/',
    '/metrics/.',
    'http://x/v1/../metrics',
    'http://x//metrics',
    'http://x\\metrics',
    'HTTP://x/v1/%2e%2e/metrics',
  ])('does not lead to the metrics by %j', async (target) => {
    const socket = connect(api.port, '127.0.0.1');
    socket.end(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const response = await text(socket);
    expect(response).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(response).not.toContain('process_cpu');
  });
});
