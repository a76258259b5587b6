import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { traceRequests } from '../../src/api/trace-requests.ts';
import { createTraceCall } from '../../src/api/upstream/trace-call.ts';
import { Failure } from '../../src/failures.ts';
import { toConnectError } from '../../src/grpc/rpc-failures.ts';
import {
  plainResponse,
  type ScriptedProcessor,
  startScriptedProcessor,
  startTestApi,
} from '../support/api.ts';
import { type CollectedSpan, startCollector } from '../support/otlp-collector.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
const body = new Uint8Array([0xff, 0xd8, 0xff]);

let processor: ScriptedProcessor;
/** The headers of every call. */
const seen: Headers[] = [];

beforeAll(async () => {
  processor = await startScriptedProcessor();
});
afterAll(() => processor[Symbol.asyncDispose]());
beforeEach(() => {
  processor.reset();
  seen.length = 0;
  processor.script.process = (_, { requestHeader }) => {
    seen.push(requestHeader);
    return plainResponse;
  };
});

const post = (url: string, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', body, headers }).then(async (response) => {
    await response.arrayBuffer();
    return response;
  });

/** The spans of what is done to an API that traces. */
async function spansOf(act: (url: string) => Promise<unknown>): Promise<CollectedSpan[]> {
  await using collector = await startCollector();
  const api = await startTestApi({
    PROCESSOR_URL: processor.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  });
  try {
    await act(api.url);
  } finally {
    await api.drain();
  }
  return collector.spans;
}

describe(traceRequests, () => {
  it('names a request by its method and route, without any part of an unknown path', async () => {
    const spans = await spansOf(async (url) => {
      await fetch(`${url}/problems/OVERLOADED?x=1`);
      await fetch(`${url}/wp-admin?x=1`);
      await fetch(`${url}/healthz`);
    });
    expect(spans.map(({ name, kind, attributes }) => [name, kind, attributes])).toEqual([
      [
        'GET /problems/:reason',
        'server',
        {
          'http.request.method': 'GET',
          'http.route': '/problems/:reason',
          'http.response.status_code': 200,
          'url.path': '/problems/OVERLOADED',
          'url.scheme': 'http',
        },
      ],
      [
        'GET',
        'server',
        {
          'http.request.method': 'GET',
          'http.response.status_code': 404,
          'url.path': '/wp-admin',
          'url.scheme': 'http',
          'error.type': 'ROUTE_UNKNOWN',
        },
      ],
    ]);
  });

  it('marks server errors as failed, with their reason', async () => {
    processor.script.process = () => {
      throw toConnectError(new Failure('OVERLOADED', 'busy'));
    };
    const spans = await spansOf((url) => post(`${url}/v1/images`));
    expect(spans.map(({ name, isError, attributes }) => [name, isError, attributes['error.type']])).toEqual([
      ['image.v1.ProcessorService/Process', true, 'OVERLOADED'],
      ['POST /v1/images', true, 'OVERLOADED'],
    ]);
  });

  it('has no status of a response that its caller did not wait for', async () => {
    const leaving = new AbortController();
    const { promise: left, resolve } = Promise.withResolvers<void>();
    processor.script.process = (_, { signal }) => {
      signal.addEventListener('abort', () => resolve());
      leaving.abort();
      return new Promise(() => {});
    };
    const spans = await spansOf(async (url) => {
      await fetch(`${url}/v1/images`, { method: 'POST', body, signal: leaving.signal }).catch(() => {});
      await left;
    });
    const server = spans.find(({ kind }) => kind === 'server');
    expect(server?.attributes['error.type']).toBe('CANCELLED');
    expect(server?.attributes).not.toHaveProperty(['http.response.status_code']);
  });

  it('serves requests while there is no collector', async () => {
    await using api = await startTestApi({
      PROCESSOR_URL: processor.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    });
    const responses = await Promise.all(Array.from({ length: 600 }, () => post(`${api.url}/v1/images`)));
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    expect(api.lines.filter(({ level }) => level === 'warn').length).toBeLessThanOrEqual(1);
  });
});

describe(createTraceCall, () => {
  it('passes the ids of the request on, with its own span as the parent', async () => {
    const headers = { traceparent, tracestate: 'vendor=1', 'x-request-id': 'mine' };
    const spans = await spansOf((url) => post(`${url}/v1/images`, headers));
    const client = spans.find(({ kind }) => kind === 'client');
    expect(seen.map((header) => header.get('x-request-id'))).toEqual(['mine']);
    expect(seen[0]?.get('traceparent')).toBe(`00-${traceId}-${client?.spanId}-01`);
    expect(seen[0]?.get('tracestate')).toBe('vendor=1');
  });

  it('passes them on unchanged while tracing is off', async () => {
    await using api = await startTestApi({ PROCESSOR_URL: processor.url });
    await post(`${api.url}/v1/images`, { traceparent, tracestate: 'vendor=1', 'x-request-id': 'mine' });
    const response = await post(`${api.url}/v1/images`);
    expect(seen[0]?.get('traceparent')).toBe(traceparent);
    expect(seen[0]?.get('tracestate')).toBe('vendor=1');
    expect(seen[1]?.get('traceparent')).toBeNull();
    expect(seen[1]?.get('x-request-id')).toBe(response.headers.get('x-request-id'));
    expect(await api.accessLine('mine')).toMatchObject({ trace_id: traceId, span_id: '00f067aa0ba902b7' });
  });

  it('does so at the Connect interface', async () => {
    const spans = await spansOf((url) =>
      fetch(`${url}/image.v1.ProcessorService/Process`, {
        method: 'POST',
        body: JSON.stringify({ content: 'AAAA' }),
        headers: { 'content-type': 'application/json', traceparent },
      }),
    );
    const client = spans.find(({ kind }) => kind === 'client');
    expect(seen[0]?.get('traceparent')).toBe(`00-${traceId}-${client?.spanId}-01`);
    expect(spans.find(({ kind }) => kind === 'server')).toMatchObject({
      name: 'POST /image.v1.ProcessorService/*',
      spanId: client?.parentId,
    });
  });
});

describe('image_api_processor_retries_total', () => {
  it('counts a call that was sent once more', async () => {
    processor.script.process = () => {
      processor.script.process = () => plainResponse;
      throw new ConnectError('on its way out', Code.Unavailable);
    };
    await using api = await startTestApi({ PROCESSOR_URL: processor.url });
    expect((await post(`${api.url}/v1/images`)).status).toBe(200);
    const metrics = await fetch(`${api.url}/metrics`).then((response) => response.text());
    expect(metrics).toMatch(/^image_api_processor_retries_total 1$/m);
  });
});

describe('http_request_body_held_bytes', () => {
  it('includes the bytes of a request while the processor works on it', async () => {
    await using api = await startTestApi({ PROCESSOR_URL: processor.url });
    const metricOf = async () =>
      /^http_request_body_held_bytes (\d+)$/m.exec(
        await fetch(`${api.url}/metrics`).then((response) => response.text()),
      )?.[1];
    let during: string | undefined;
    processor.script.process = async () => {
      during = await metricOf();
      return plainResponse;
    };
    const large = new Uint8Array(300_000).fill(7);
    const response = await fetch(`${api.url}/v1/images`, {
      method: 'POST',
      body: large,
      headers: { 'content-type': 'image/png', 'x-request-id': 'large' },
    });
    await response.arrayBuffer();
    await api.accessLine('large');
    expect(during).toBe('300000');
    expect(await metricOf()).toBe('0');
  });
});
