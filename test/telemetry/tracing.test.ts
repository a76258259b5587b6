import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { startTracing, type TracingSettings, tracingSettings } from '../../src/telemetry/tracing.ts';
import { startCollector } from '../support/otlp-collector.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const caller = (flags: number) => ({ traceId, spanId: '00f067aa0ba902b7', flags, state: 'vendor=1' });
const always = { serviceName: 'test', sampler: 'always_on', ratio: 1 } as const;

async function start(settings: TracingSettings) {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const tracing = await startTracing(settings, log);
  if (tracing === undefined) throw new Error('it was not started');
  return { tracing, lines };
}

describe(tracingSettings, () => {
  const rest = { OTEL_TRACES_SAMPLER: 'always_on', OTEL_TRACES_SAMPLER_ARG: 1 } as const;

  it('has none while no endpoint is set', () => {
    expect(tracingSettings(rest, 'image-api')).toBeUndefined();
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, 'http://c:4318/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c/otlp/' }, 'http://c/otlp/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c/in' }, 'http://c/in'],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://b/in' },
      'http://b/in',
    ],
  ])('takes %j', (endpoints, url) => {
    expect(tracingSettings({ ...rest, ...endpoints }, 'image-api')).toMatchObject({
      url,
      serviceName: 'image-api',
    });
  });
});

describe(startTracing, () => {
  it('starts nothing without settings', async () => {
    expect(await startTracing(undefined, pino({ level: 'silent' }))).toBeUndefined();
  });

  it('sends spans with their parents, times, attributes and outcome when it is closed', async () => {
    await using collector = await startCollector();
    const { tracing } = await start({ ...always, url: `${collector.url}/v1/traces` });
    const before = Date.now();
    const outer = tracing.startSpan('outer', {
      kind: 'server',
      parent: caller(1),
      attributes: { 'http.route': '/x' },
    });
    const now = performance.now();
    const inner = tracing.startSpan('inner', { kind: 'internal', parent: outer.place, startMs: now + 10 });
    inner.end({ endMs: now + 15.5, errorType: 'IMAGE_CORRUPT', isError: true });
    outer.end({ attributes: { 'http.response.status_code': 422 } });
    await tracing.close();

    expect(collector.requests).toEqual([{ path: '/v1/traces', type: 'application/x-protobuf' }]);
    const [first, second] = collector.spans;
    expect(first).toMatchObject({
      service: 'test',
      name: 'inner',
      kind: 'internal',
      traceId,
      parentId: outer.place.spanId,
      isError: true,
      attributes: { 'error.type': 'IMAGE_CORRUPT' },
    });
    expect(Number((first?.end ?? 0n) - (first?.start ?? 0n)) / 1e6).toBeCloseTo(5.5, 2);
    expect(Number((first?.start ?? 0n) - (second?.start ?? 0n)) / 1e6).toBeGreaterThanOrEqual(10);
    expect(second).toMatchObject({
      name: 'outer',
      kind: 'server',
      traceId,
      parentId: '00f067aa0ba902b7',
      isError: false,
      attributes: { 'http.route': '/x', 'http.response.status_code': 422 },
    });
    // Wall time, within the tolerance of a separate clock.
    expect(Math.abs(Number((second?.start ?? 0n) / 1_000_000n) - before)).toBeLessThanOrEqual(100);
    expect(outer.place).toMatchObject({ traceId, flags: 1, state: 'vendor=1' });
  });

  it.each([
    // sampler, ratio, recorded of: no parent, a recorded one, one that is not recorded
    ['always_on', 1, [true, true, true]],
    ['always_off', 1, [false, false, false]],
    ['traceidratio', 0, [false, false, false]],
    ['traceidratio', 1, [true, true, true]],
    ['parentbased_always_on', 1, [true, true, false]],
    ['parentbased_always_off', 1, [false, true, false]],
    ['parentbased_traceidratio', 0, [false, true, false]],
    ['parentbased_traceidratio', 1, [true, true, false]],
  ] as const)('records by %s %d', async (sampler, ratio, expected) => {
    await using collector = await startCollector();
    const { tracing } = await start({ ...always, url: collector.url, sampler, ratio });
    const places = [undefined, caller(1), caller(0)].map((parent) => {
      const span = tracing.startSpan('span', { kind: 'server', parent });
      span.end();
      return span.place;
    });
    await tracing.close();
    expect(places.map(({ flags }) => flags === 1)).toEqual(expected);
    expect(collector.spans).toHaveLength(expected.filter(Boolean).length);
    // A span that is not recorded also has its place in the caller's trace.
    expect(places.slice(1).map((place) => place.traceId)).toEqual([traceId, traceId]);
  });

  it('tells the log of the service whose spans were lost, where two services are in one process', async () => {
    await using refusing = await startCollector(400);
    await using accepting = await startCollector();
    const first = await start({ ...always, url: refusing.url });
    const second = await start({ ...always, url: accepting.url });
    for (const { tracing } of [first, second]) {
      tracing.startSpan('span', { kind: 'server', parent: undefined }).end();
    }
    // Not by closing, which has an error of its own.
    await expect.poll(() => refusing.requests.length, { timeout: 10_000 }).toBe(1);
    await expect.poll(() => [...first.lines, ...second.lines].length, { timeout: 5000 }).toBe(1);
    for (const { tracing } of [first, second]) await tracing.close();
    expect(first.lines).toEqual([expect.objectContaining({ collector: new URL(refusing.url).host })]);
    expect(second.lines).toEqual([]);
  }, 20_000);

  it('ends in its time when the collector accepts everything and does not respond', async () => {
    const silent = createServer((socket) => void socket.on('error', () => {}).resume());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const { tracing } = await start({ ...always, url: `http://127.0.0.1:${port}/v1/traces` });
    tracing.startSpan('span', { kind: 'server', parent: undefined }).end();
    // The exporter itself would wait for ten seconds.
    await tracing.close();
    silent.close();
  }, 8_000);

  it('logs a collector that refuses only once, however many spans are lost', async () => {
    await using collector = await startCollector(400);
    const { tracing, lines } = await start({ ...always, url: collector.url });
    // More than the queue holds, so that some are dropped.
    for (let spans = 0; spans < 10_000; spans++) {
      tracing.startSpan('span', { kind: 'server', parent: undefined }).end();
    }
    await tracing.close();
    expect(collector.requests.length).toBeGreaterThan(1);
    expect(lines).toMatchObject([
      {
        collector: new URL(collector.url).host,
        why: 'Bad Request',
        suppressed: 0,
        msg: 'traces are lost; requests go on without them',
      },
    ]);
  });
});
