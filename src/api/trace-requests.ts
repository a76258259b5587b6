import type { MiddlewareHandler } from 'hono';
import { readTracePlace } from '../telemetry/trace-context.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { quietPaths, routeOf } from './access-log.ts';
import type { ApiContext, ApiEnv } from './context.ts';

/**
 * Makes a span of each request, under the caller's if it has one, from its head to the last byte of its response. Without
 * tracing, the caller's own place in its trace is passed on. Names and attributes are OpenTelemetry's for HTTP servers; the
 * query is not recorded, because it may contain a signature or a private URL.
 */
export function traceRequests(tracing: Tracing | undefined): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const caller = readTracePlace(c.req.header('traceparent'), c.req.header('tracestate'));
    const isTraced = tracing !== undefined && !quietPaths.has(c.req.path);
    c.set('trace', isTraced ? startServerSpan(tracing, c, caller) : caller);
    await next();
  };
}

function startServerSpan(tracing: Tracing, c: ApiContext, parent: ReturnType<typeof readTracePlace>) {
  const { outgoing } = c.env;
  const route = routeOf(c);
  const isRouted = route !== 'none';
  const span = tracing.startSpan(isRouted ? `${c.req.method} ${route}` : c.req.method, {
    kind: 'server',
    parent,
    attributes: {
      'http.request.method': c.req.method,
      ...(isRouted && { 'http.route': route }),
      'url.path': c.req.path,
      'url.scheme': 'http',
    },
  });
  outgoing.once('close', () => {
    const isWhole = outgoing.writableFinished;
    const status = outgoing.statusCode;
    const reason = c.get('failure')?.reason;
    span.end({
      attributes: isWhole ? { 'http.response.status_code': status } : {},
      errorType: reason ?? (isWhole ? undefined : 'CANCELLED'),
      isError: isWhole && status >= 500,
    });
  });
  return span.place;
}
