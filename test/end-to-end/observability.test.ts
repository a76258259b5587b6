import { readFileSync } from 'node:fs';
import process from 'node:process';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Origin, startOrigin } from '../support/origin.ts';
import { type CollectedSpan, startCollector } from '../support/otlp-collector.ts';
import { type Service, startService } from '../support/service.ts';

const image = new Uint8Array(readFileSync('test/fixtures/sample.jpg'));
const doc = readFileSync('docs/observability.md', 'utf8');

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const callerSpan = '00f067aa0ba902b7';
const traceparent = `00-${traceId}-${callerSpan}-01`;

/** Reports on stderr, which the tests read as a log, the modules of OpenTelemetry that a service loads. */
const tellModules = `--import=data:text/javascript,${encodeURIComponent(
  `import { registerHooks } from 'node:module';
  registerHooks({ resolve(name, context, next) {
    if (name.startsWith('@opentelemetry/')) process.stderr.write('loads ' + name + '\\n');
    return next(name, context);
  } });`,
)}`;

const loadedBy = ({ log }: { readonly log: readonly string[] }) =>
  log.filter((line) => line.startsWith('loads '));

type Line = Readonly<Record<string, unknown>>;

const linesOf = ({ log }: { readonly log: readonly string[] }): Line[] =>
  log.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));

async function send(service: Service, query: string, init: RequestInit = {}): Promise<number> {
  const response = await fetch(`${service.url}/v1/images${query}`, init);
  await response.arrayBuffer();
  return response.status;
}

async function metricsOf(service: Service): Promise<{ api: string; processor: string }> {
  const [{ metricsPort } = {}] = linesOf(service.processor).filter((line) => 'metricsPort' in line);
  const get = (url: string) => fetch(`${url}/metrics`).then((response) => response.text());
  return { api: await get(service.url), processor: await get(`http://127.0.0.1:${metricsPort}`) };
}

const secrets = ['hush-hush', 's3cr3t-signature', 'elsewhere-token'];

/** Sources by URL, each with a secret in its query, for every kind of success and failure. */
async function sendUrls(service: Service, origin: Origin): Promise<number[]> {
  const query = `token=${secrets[0]}&X-Amz-Signature=${secrets[1]}`;
  const sources = [
    origin.url(`/picture.jpg?${query}`),
    origin.url(`/missing?${query}`),
    origin.url(`/text?${query}`),
    origin.url(`/moved?${query}`),
    origin.url(`/reset?${query}`),
    `http://127.0.0.1:1/refused?${query}`,
    `http://10.0.0.1/forbidden?${query}`,
    `ftp://127.0.0.1/scheme?${query}`,
    `http://[bad/?${query}`,
  ];
  const statuses: number[] = [];
  for (const source of sources) {
    statuses.push(await send(service, `?url=${encodeURIComponent(source)}`));
    const body = JSON.stringify({ url: source });
    const headers = { 'content-type': 'application/json' };
    statuses.push(await send(service, '', { method: 'POST', body, headers }));
  }
  statuses.push(await send(service, `?token=${secrets[0]}`, { method: 'POST', body: image }));
  return statuses;
}

function startPictures(): Promise<Origin> {
  return startOrigin((request, response) => {
    const path = request.url ?? '';
    if (path.startsWith('/picture')) response.writeHead(200, { 'content-type': 'image/jpeg' }).end(image);
    else if (path.startsWith('/text')) response.end(`no image, ${secrets[2]}`);
    else if (path.startsWith('/moved')) response.writeHead(302, { location: `http:///?${secrets[2]}` }).end();
    else if (path.startsWith('/reset')) request.socket.destroy();
    else response.writeHead(404).end(secrets[2]);
  });
}

describe('both services, with a collector', () => {
  const spans: CollectedSpan[] = [];
  let apiLog: Line[] = [];
  let processorLog: Line[] = [];
  let rawLogs = '';
  let metrics = { api: '', processor: '' };
  let loaded: string[] = [];
  let codes: unknown;

  beforeAll(async () => {
    await using collector = await startCollector();
    await using origin = await startPictures();
    const tracing = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      NODE_OPTIONS: tellModules,
      LOG_LEVEL: 'debug',
    };
    const service = await startService({
      api: { ...tracing, OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test' },
      processor: { ...tracing, WORKERS: '1', URL_ALLOWED_HOSTS: '127.0.0.1' },
    });
    try {
      const headers = { traceparent, tracestate: 'vendor=1', 'x-request-id': 'the-first' };
      expect(await send(service, '?width=64&height=48', { method: 'POST', body: image, headers })).toBe(200);
      expect(
        await send(service, '?format=npy', {
          method: 'POST',
          body: 'no image',
          headers: { 'content-type': 'image/png', 'x-request-id': 'no-image' },
        }),
      ).toBe(415);
      const statuses = await sendUrls(service, origin);
      expect(statuses.filter((status) => status === 200)).toHaveLength(2);
      expect(statuses.filter((status) => status >= 400)).toHaveLength(17);
      metrics = await metricsOf(service);
    } finally {
      codes = await service.stop();
    }
    loaded = [...loadedBy(service.api), ...loadedBy(service.processor)];
    apiLog = linesOf(service.api);
    processorLog = linesOf(service.processor);
    rawLogs = [...service.api.log, ...service.processor.log].join('\n');
    spans.push(...collector.spans);
  });

  const ofFirst = () => spans.filter((span) => span.traceId === traceId);
  const spanOf = (kind: CollectedSpan['kind'], service: string) =>
    ofFirst().find((span) => span.kind === kind && span.service === service);

  it('end with their last spans sent', () => {
    expect(codes).toEqual({ api: 0, processor: 0 });
    expect(loaded).toContain('loads @opentelemetry/sdk-trace');
  });

  it('record one trace per request, from HTTP over gRPC to the stages', () => {
    const tree = (parentId: string): unknown[] =>
      ofFirst()
        .filter((span) => span.parentId === parentId)
        .toSorted((one, other) => Number(one.start - other.start))
        .map(({ service, name, kind, spanId }) => [`${service}: ${kind} ${name}`, ...tree(spanId)]);
    expect(tree(callerSpan)).toEqual([
      [
        'image-api: server POST /v1/images',
        [
          'image-api: client image.v1.ProcessorService/Process',
          [
            'image-processor: server image.v1.ProcessorService/Process',
            ['image-processor: internal hash'],
            ['image-processor: internal header'],
            ['image-processor: internal queue'],
            ['image-processor: internal decode'],
            ['image-processor: internal resize'],
            ['image-processor: internal grayscale'],
            ['image-processor: internal encode'],
          ],
        ],
      ],
    ]);
  });

  it('use the names of OpenTelemetry', () => {
    expect(spanOf('server', 'image-api')?.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': '/v1/images',
      'http.response.status_code': 200,
      'url.path': '/v1/images',
      'url.scheme': 'http',
    });
    const call = {
      'rpc.system.name': 'grpc',
      'rpc.method': 'image.v1.ProcessorService/Process',
      'rpc.status_code': 'OK',
    };
    expect(spanOf('client', 'image-api')?.attributes).toMatchObject({
      ...call,
      'server.address': '127.0.0.1',
    });
    expect(spanOf('server', 'image-processor')?.attributes).toEqual(call);
  });

  it('time the stages one after the other, within their call', () => {
    const server = spanOf('server', 'image-processor');
    const stages = ofFirst()
      .filter(({ kind }) => kind === 'internal')
      .toSorted((one, other) => Number(one.start - other.start));
    let last = server?.start ?? 0n;
    for (const { name, start, end } of stages) {
      expect(start, name).toBeGreaterThanOrEqual(last);
      expect(end, name).toBeGreaterThanOrEqual(start);
      last = end;
    }
    expect(last).toBeLessThanOrEqual(server?.end ?? 0n);
  });

  it('mark the stage, the call and the request that failed', () => {
    const id = apiLog.find((line) => line.request_id === 'no-image')?.trace_id;
    const failed = spans.filter((span) => span.traceId === id);
    expect(failed.map((span) => [span.name, span.attributes['error.type'], span.isError]).toSorted()).toEqual(
      [
        ['POST /v1/images', 'FORMAT_UNSUPPORTED', false],
        ['hash', undefined, false],
        ['header', 'FORMAT_UNSUPPORTED', true],
        ['image.v1.ProcessorService/Process', 'FORMAT_UNSUPPORTED', false],
        ['image.v1.ProcessorService/Process', 'FORMAT_UNSUPPORTED', true],
      ],
    );
  });

  it('make no spans of health checks and metrics', () => {
    expect(spans.filter(({ name }) => /health|metrics|ready|Health/.test(name))).toEqual([]);
  });

  it('log the ids of the request in both services', () => {
    const access = apiLog.filter((line) => line.request_id === 'the-first');
    const span = spanOf('server', 'image-api');
    expect(access).toMatchObject([{ trace_id: traceId, span_id: span?.spanId, status: 200 }]);
    const calls = processorLog.filter((line) => line.request_id === 'the-first');
    expect(calls).toMatchObject([
      { trace_id: traceId, span_id: spanOf('server', 'image-processor')?.spanId, status: 'OK', msg: 'call' },
    ]);
    const refused = processorLog.filter((line) => line.request_id === 'no-image');
    expect(refused.map(({ reason, status }) => reason ?? status).toSorted()).toEqual([
      'FORMAT_UNSUPPORTED',
      'INVALID_ARGUMENT',
    ]);
    const id = apiLog.find((line) => line.request_id === 'no-image')?.trace_id;
    expect(id).toMatch(/^[\da-f]{32}$/);
    expect(refused.map((line) => line.trace_id)).toEqual([id, id]);
    // Every failure of an image is somebody's.
    for (const line of processorLog.filter(({ reason }) => reason !== undefined)) {
      expect(line).toMatchObject({ request_id: expect.any(String), trace_id: expect.any(String) });
    }
  });

  it('log and trace no query, no signature and no body', () => {
    expect(processorLog.filter(({ reason }) => reason !== undefined).length).toBeGreaterThan(10);
    const traces = JSON.stringify(spans, (_, value) => (typeof value === 'bigint' ? String(value) : value));
    for (const secret of [...secrets, 'no image,', '?token', 'Amz']) {
      expect(rawLogs).not.toContain(secret);
      expect(traces).not.toContain(secret);
      expect(metrics.api + metrics.processor).not.toContain(secret);
    }
  });

  const helpOf = (text: string) =>
    [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)/gm)].map(([, name = '', help, type]) => ({
      name,
      row: [`\`${name}\``, type, help],
    }));
  const isOwn = ({ name }: { name: string }) => /^(http_|image_)/.test(name);

  it.each([
    ['image-api', 'api'],
    ['image-processor', 'processor'],
  ] as const)('expose every metric that docs/observability.md has for %s, and no other', (title, service) => {
    const [, section = ''] = doc.split(new RegExp(`^### ${title}$`, 'm'));
    const rows = section
      .slice(0, section.search(/^##/m))
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split('|').map((cell) => cell.trim()))
      .map(([, name, type, , help]) => [name, type, help]);
    const own = helpOf(metrics[service]).filter(isOwn);
    expect(own.map(({ row }) => row).toSorted()).toEqual(rows.toSorted());
  });

  it.skipIf(process.platform !== 'linux')('expose the same figures of their processes', () => {
    const [, section = ''] = doc.split(/^### Both$/m);
    const named = [...section.slice(0, section.search(/^##/m)).matchAll(/`((?:process|nodejs)_\w+)`/g)];
    const expected = named.map(([, name]) => name).toSorted();
    for (const text of [metrics.api, metrics.processor]) {
      const names = helpOf(text).filter((one) => !isOwn(one));
      expect(names.map(({ name }) => name).toSorted()).toEqual(expected);
    }
  });

  it('label metrics as documented in docs/observability.md, with few values each', () => {
    const table = new Map(
      [...doc.matchAll(/^\| `(\w+)` \| \w+ \| (.*?) \|/gm)].map(([, name = '', labels = '']) => [
        name,
        [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
      ]),
    );
    const seen = new Map<string, Set<string>>();
    for (const [, name = '', labels = ''] of `${metrics.api}\n${metrics.processor}`.matchAll(
      /^((?:http|image)_\w+?)(?:_bucket|_sum|_count)?\{(.*)\} \S+$/gm,
    )) {
      for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
        if (label === 'le') continue;
        expect(table.get(name), name).toContain(label);
        const key = `${name} ${label}`;
        seen.set(key, (seen.get(key) ?? new Set()).add(value));
      }
    }
    expect(seen.size).toBeGreaterThan(15);
    for (const [key, values] of seen) expect(values.size, key).toBeLessThanOrEqual(12);
  });

  it('count the bytes that they receive', () => {
    const value = (text: string, sample: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${sample} `))
          ?.split(' ')[1],
      );
    const { api, processor } = metrics;
    expect(value(processor, 'image_processor_requests_total{outcome="FORMAT_UNSUPPORTED"}')).toBe(3);
    expect(value(processor, 'image_processor_stage_duration_seconds_count{stage="decode"}')).toBe(2);
    expect(value(processor, 'image_processor_answers_total{from="computed"}')).toBe(2);
    expect(value(processor, 'image_processor_answers_total{from="memory"}')).toBe(1);
    expect(value(processor, 'image_processor_requests_in_flight')).toBe(0);
    expect(value(processor, 'image_processor_workers{role="pixels"}')).toBe(1);
    expect(value(processor, 'image_processor_workers_busy{role="pixels"}')).toBe(0);
    expect(value(processor, 'image_processor_workers_replaced_total{reason="crashed"}')).toBe(0);
    expect(value(processor, 'image_processor_cache_held_bytes{tier="memory"}')).toBeGreaterThan(1000);
    const resident = value(processor, 'image_processor_worker_resident_memory_bytes{role="pixels"}');
    if (process.platform === 'linux') expect(resident).toBeGreaterThan(10_000_000);
    expect(value(api, 'image_api_processors{state="serving"}')).toBe(1);
    expect(value(api, 'image_api_processors{state="avoided"}')).toBe(0);
    expect(api).toMatch(/^image_api_processor_calls_in_flight\{address="127\.0\.0\.1:\d+"\} 0$/m);
    expect(value(api, 'image_api_processor_retries_total')).toBe(0);
    expect(value(api, 'http_request_body_held_bytes')).toBe(0);
  });
});

describe('both services, without a collector', () => {
  it('load no tracing, and pass the caller’s trace on to the processor and to both logs', async () => {
    const environment = { NODE_OPTIONS: tellModules, LOG_LEVEL: 'debug' };
    const service = await startService({ api: environment, processor: { ...environment, WORKERS: '1' } });
    try {
      const headers = { traceparent, 'x-request-id': 'untraced' };
      expect(await send(service, '', { method: 'POST', body: image, headers })).toBe(200);
    } finally {
      await service.stop();
    }
    for (const process of [service.api, service.processor]) {
      const lines = linesOf(process).filter((line) => line.request_id === 'untraced');
      expect(lines).toMatchObject([{ trace_id: traceId, span_id: callerSpan }]);
      // prom-client looks there for exemplars.
      expect(loadedBy(process)).toEqual(['loads @opentelemetry/api']);
    }
  });
});
