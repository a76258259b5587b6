import { randomUUID } from 'node:crypto';
import { callerHeader } from '../caller.ts';

/** A place in a trace, as the headers `traceparent` and `tracestate` pass it on (W3C Trace Context). */
export interface TracePlace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits: new spans become children of this span. */
  readonly spanId: string;
  /** 8 bits; the lowest is set if the trace is recorded. */
  readonly flags: number;
  /** `tracestate`: values of tracing systems. Empty if there are none. */
  readonly state: string;
}

/** Ids that image-api sends to the processor with each call, and that the log lines of both contain. */
export interface CallOrigin {
  readonly requestId: string;
  /** Undefined if neither the caller nor this service traces. */
  readonly trace: TracePlace | undefined;
  /** The name of its caller, see caller.ts; undefined where these ids are only for a processor's log line. */
  readonly caller?: string | undefined;
  /** Whether images of URLs are requested from their origin again, see no-cache.ts. */
  readonly mustRevalidate?: boolean | undefined;
}

/** Version 00 has these four parts; a later one may have more behind them. */
const traceparentForm =
  /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:-.*)?$/;
const versionZeroLength = 55;

/** Reads the two headers. A malformed header begins no trace and refuses no request. */
export function readTracePlace(
  traceparent: string | null | undefined,
  tracestate: string | null | undefined,
): TracePlace | undefined {
  if (!traceparent || (traceparent.startsWith('00') && traceparent.length !== versionZeroLength)) {
    return undefined;
  }
  const [, traceId, spanId, flags] = traceparentForm.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const isState = tracestate && /^[\x20-\x7e]{1,512}$/.test(tracestate);
  return { traceId, spanId, flags: Number.parseInt(flags, 16), state: isState ? tracestate : '' };
}

/** The same request's id in both services: the caller's own, if it can stand in a log and a header; else a new one. */
export function readRequestId(given: string | null | undefined): string {
  return given && /^[\w.-]{1,128}$/.test(given) ? given : randomUUID();
}

/** Headers for the next service. */
export function originHeaders(origin: CallOrigin): Record<string, string> {
  const { requestId, trace, caller, mustRevalidate } = origin;
  const ids = {
    'x-request-id': requestId,
    ...(caller !== undefined && { [callerHeader]: caller }),
    ...(mustRevalidate && { 'cache-control': 'no-cache' }),
  };
  if (trace === undefined) return ids;
  const { traceId, spanId, flags, state } = trace;
  return {
    ...ids,
    traceparent: `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`,
    ...(state !== '' && { tracestate: state }),
  };
}

/** Fields of a log line, by the names of OpenTelemetry's logs in JSON. */
export function originFields({ requestId, trace }: CallOrigin): Readonly<Record<string, string>> {
  return {
    request_id: requestId,
    ...(trace && { trace_id: trace.traceId, span_id: trace.spanId }),
  };
}
