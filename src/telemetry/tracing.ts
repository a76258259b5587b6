import { setTimeout as sleep } from 'node:timers/promises';
import type { Attributes } from '@opentelemetry/api';
import type { Sampler } from '@opentelemetry/sdk-trace';
import type { Logger } from './telemetry.ts';
import type { TracePlace } from './trace-context.ts';

/*
 * OpenTelemetry traces, exported by OTLP (http/protobuf). The SDK is loaded only if there is a place to export to:
 * without one there is no span, no timer and no connection.
 */

/** Where traces go and which of them. */
export interface TracingSettings {
  readonly url: string;
  readonly serviceName: string;
  readonly sampler: SamplerName;
  /** Part of the traces that is recorded, from 0 to 1, for the samplers that take one. */
  readonly ratio: number;
}

/** Values of OTEL_TRACES_SAMPLER, as OpenTelemetry defines them. */
export const samplerNames = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export type SamplerName = (typeof samplerNames)[number];

/** Starts spans. Their place is passed on as an argument. */
export interface Tracing {
  startSpan(name: string, options: SpanOptions): Span;
  /** Sends the remaining spans, for two seconds at most. */
  close(): Promise<void>;
}

export interface SpanOptions {
  readonly kind: 'server' | 'client' | 'internal';
  readonly parent: TracePlace | undefined;
  readonly attributes?: Attributes;
  /** By `performance.now()`; unset: now. */
  readonly startMs?: number;
}

/** A span under way. */
export interface Span {
  readonly place: TracePlace;
  /** @param end.errorType - a reason or a status; `isError` marks the whole span as failed */
  end(end?: {
    readonly attributes?: Attributes;
    readonly errorType?: string | undefined;
    readonly isError?: boolean;
    /** By `performance.now()`; unset: now. */
    readonly endMs?: number;
  }): void;
}

/** Spans that wait for their export; those beyond are dropped. */
const maxWaitingSpans = 4096;
const exportEveryMs = 2_000;
const closeWithinMs = 2_000;
const complainEveryMs = 60_000;
/** How far the wall clock may differ from ours before ours is set again. */
const clockToleranceMs = 50;

/** The settings of the environment (`commonEnvironment`), or undefined when traces go nowhere. */
export function tracingSettings(
  environment: {
    readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
    readonly OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?: string | undefined;
    readonly OTEL_SERVICE_NAME?: string | undefined;
    readonly OTEL_TRACES_SAMPLER: SamplerName;
    readonly OTEL_TRACES_SAMPLER_ARG: number;
  },
  service: string,
): TracingSettings | undefined {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own } = environment;
  const url = own ?? (base && `${base.replace(/\/$/, '')}/v1/traces`);
  if (url === undefined) return undefined;
  return {
    url,
    serviceName: environment.OTEL_SERVICE_NAME ?? service,
    sampler: environment.OTEL_TRACES_SAMPLER,
    ratio: environment.OTEL_TRACES_SAMPLER_ARG,
  };
}

/**
 * Loads the SDK and starts exporting, in batches and from a bounded queue: if the collector cannot be
 * reached, its spans are lost and one line a minute is logged; requests are not affected.
 *
 * @returns undefined without settings
 */
export async function startTracing(
  settings: TracingSettings | undefined,
  log: Logger,
): Promise<Tracing | undefined> {
  if (settings === undefined) return undefined;
  const [api, core, sdk, { OTLPTraceExporter }, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/resources'),
  ]);
  const complain = complainSeldom(log, settings.url);
  core.setGlobalErrorHandler((error) => complain(error));
  // Dropped spans, and batches that a collector accepted only in part.
  const ignore = () => {};
  const diagnostics = { error: complain, warn: complain, info: ignore, debug: ignore, verbose: ignore };
  api.diag.setLogger(diagnostics, { logLevel: api.DiagLogLevel.WARN, suppressOverrideMessage: true });

  // A process has one handler of errors, that of the service which started last. Only here is known whose spans were lost.
  const exporter = new OTLPTraceExporter({ url: settings.url });
  const send = exporter.export.bind(exporter);
  exporter.export = (spans, done) =>
    send(spans, ({ error }) => {
      if (error !== undefined) complain(error);
      done({ code: core.ExportResultCode.SUCCESS });
    });
  const provider = new sdk.TracerProvider({
    sampler: samplerOf(settings, sdk),
    // OTEL_RESOURCE_ATTRIBUTES may add attributes but not replace the name of the service.
    resource: resources
      .defaultResource()
      .merge(resources.detectResources({ detectors: [resources.envDetector] }))
      .merge(resources.resourceFromAttributes({ 'service.name': settings.serviceName })),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter,
        maxQueueSize: maxWaitingSpans,
        scheduledDelayMillis: exportEveryMs,
      }),
    ],
  });
  const tracer = provider.getTracer('image-service');
  const kinds = {
    server: api.SpanKind.SERVER,
    client: api.SpanKind.CLIENT,
    internal: api.SpanKind.INTERNAL,
  };
  const timeOf = createWallClock();

  function contextOf(parent: TracePlace | undefined) {
    if (parent === undefined) return api.ROOT_CONTEXT;
    const { traceId, spanId, flags: traceFlags, state } = parent;
    const traceState = state === '' ? {} : { traceState: api.createTraceState(state) };
    return api.trace.setSpanContext(api.ROOT_CONTEXT, {
      traceId,
      spanId,
      traceFlags,
      ...traceState,
    });
  }

  return {
    startSpan(name, { kind, parent, attributes = {}, startMs = performance.now() }) {
      const span = tracer.startSpan(
        name,
        { kind: kinds[kind], attributes, startTime: timeOf(startMs) },
        contextOf(parent),
      );
      const { traceId, spanId, traceFlags: flags, traceState } = span.spanContext();
      return {
        place: { traceId, spanId, flags, state: traceState?.serialize() ?? '' },
        end({ attributes: more = {}, errorType, isError = false, endMs = performance.now() } = {}) {
          span.setAttributes(more);
          if (errorType !== undefined) span.setAttribute('error.type', errorType);
          if (isError) span.setStatus({ code: api.SpanStatusCode.ERROR });
          span.end(timeOf(endMs));
        },
      };
    },
    async close() {
      const shutdown = provider.shutdown().catch(complain);
      await Promise.race([shutdown, sleep(closeWithinMs, undefined, { ref: false })]);
    },
  };
}

type Sdk = typeof import('@opentelemetry/sdk-trace');

/** The SDK has the samplers but does not read the environment variables that name them. */
function samplerOf({ sampler, ratio }: TracingSettings, sdk: Sdk): Sampler {
  const name = sampler.replace('parentbased_', '');
  const root =
    name === 'always_on'
      ? new sdk.AlwaysOnSampler()
      : name === 'always_off'
        ? new sdk.AlwaysOffSampler()
        : new sdk.TraceIdRatioBasedSampler(ratio);
  return name === sampler ? root : new sdk.ParentBasedSampler({ root });
}

/**
 * Wall time by `performance.now()`, in seconds and nanoseconds. Spans of a request come from one clock, so that a
 * child doesn't begin before its parent; changes of the system clock are followed.
 */
function createWallClock(): (nowMs: number) => [number, number] {
  let offsetMs = Date.now() - performance.now();
  return (nowMs) => {
    const measuredMs = Date.now() - performance.now();
    if (Math.abs(measuredMs - offsetMs) > clockToleranceMs) offsetMs = measuredMs;
    const wallMs = offsetMs + nowMs;
    const seconds = Math.floor(wallMs / 1000);
    return [seconds, Math.round((wallMs - seconds * 1000) * 1e6)];
  };
}

function complainSeldom(log: Logger, url: string): (problem: unknown) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  let suppressed = 0;
  return (problem) => {
    const now = performance.now();
    if (now - lastMs < complainEveryMs) {
      suppressed++;
      return;
    }
    lastMs = now;
    const why = problem instanceof Error ? problem.message : String(problem);
    log.warn(
      { collector: new URL(url).host, why, suppressed },
      'traces are lost; requests go on without them',
    );
    suppressed = 0;
  };
}
