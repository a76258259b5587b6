import { performance } from 'node:perf_hooks';
import { createContextKey, type Interceptor } from '@connectrpc/connect';
import { ProcessorService } from '../../../gen/image/v1/processor_pb.ts';
import { publicFailure } from '../../grpc/rpc-failures.ts';
import { endAfter, rpcAttributes, rpcEnd } from '../../telemetry/rpc-spans.ts';
import type { Logger } from '../../telemetry/telemetry.ts';
import {
  originFields,
  readRequestId,
  readTracePlace,
  type TracePlace,
} from '../../telemetry/trace-context.ts';
import type { Tracing } from '../../telemetry/tracing.ts';
import type { StageListener } from '../stopwatch.ts';

/** The log fields and the stage listener of a call. */
export interface Call {
  /** The call's ids, for every line of the log that is about it. */
  readonly logFields: Readonly<Record<string, string>>;
  /** Makes spans of an image's stages; undefined while nothing is traced. */
  readonly onStage: StageListener | undefined;
}

/** In a call's context. */
export const callKey = createContextKey<Call>({ logFields: {}, onStage: undefined }, { description: 'call' });

/**
 * Counts the service's calls, logs them (at the level debug: the API has a line for each already) and makes a span of
 * each, under the caller's. Health checks and reflection pass by.
 */
export function observeCalls(
  onInFlight: (change: 1 | -1) => void,
  log: Logger,
  tracing: Tracing | undefined,
): Interceptor {
  return (next) => async (request) => {
    if (request.service.typeName !== ProcessorService.typeName) return await next(request);
    const startedMs = performance.now();
    const { header, method } = request;
    const parent = readTracePlace(header.get('traceparent'), header.get('tracestate'));
    const attributes = rpcAttributes(method);
    const span = tracing?.startSpan(attributes['rpc.method'], { kind: 'server', parent, attributes });
    const logFields = originFields({
      requestId: readRequestId(header.get('x-request-id')),
      trace: span?.place ?? parent,
    });
    request.contextValues.set(callKey, {
      logFields,
      onStage: tracing && span && traceStages(tracing, span.place),
    });
    onInFlight(1);

    function end(error?: unknown): void {
      onInFlight(-1);
      const outcome = rpcEnd('server', error);
      span?.end(outcome);
      const ms = Math.round((performance.now() - startedMs) * 10) / 10;
      const status = outcome.attributes['rpc.status_code'];
      log.debug({ ...logFields, method: attributes['rpc.method'], status, ms }, 'call');
    }

    let response: Awaited<ReturnType<typeof next>>;
    try {
      response = await next(request);
    } catch (error) {
      end(error);
      throw error;
    }
    if (response.stream) return { ...response, message: endAfter(response.message, request.signal, end) };
    end();
    return response;
  };
}

/** A child span for each stage of an image. */
function traceStages(tracing: Tracing, parent: TracePlace): StageListener {
  return (name, startMs, endMs, error) => {
    const span = tracing.startSpan(name, { kind: 'internal', parent, startMs });
    span.end(
      error === undefined ? { endMs } : { endMs, errorType: publicFailure(error).reason, isError: true },
    );
  };
}
