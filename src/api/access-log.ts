import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Logger } from '../telemetry/telemetry.ts';
import { originFields, readRequestId } from '../telemetry/trace-context.ts';
import type { ApiContext, ApiEnv } from './context.ts';
import { type HttpMetrics, noRoute } from './metrics.ts';
import { heldBytesOf } from './request-body.ts';

/** Paths that machines request every few seconds; their lines would hide the others. */
export const quietPaths = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * Names each request, counts it, and logs one line when its last byte is sent or its caller has left.
 * Queries and bodies are never logged.
 */
export function observeRequests(log: Logger, metrics: HttpMetrics): MiddlewareHandler<ApiEnv> {
  const wireBytes = createWireByteCounter();
  const inFlight = new Set<IncomingMessage>();
  metrics.watchBodies(() => [...inFlight].reduce((sum, one) => sum + heldBytesOf(one), 0));
  return async (c, next) => {
    const started = performance.now();
    const { incoming, outgoing } = c.env;
    c.set('requestId', readRequestId(c.req.header('x-request-id')));
    c.header('X-Request-Id', c.get('requestId'));
    metrics.inFlight.inc();
    inFlight.add(incoming);
    outgoing.once('close', () => {
      const ms = performance.now() - started;
      const { received, sent } = wireBytes(incoming.socket);
      const failure = c.get('failure');
      const isWhole = outgoing.writableFinished;
      const status = isWhole ? outgoing.statusCode : 499;
      const reason = failure?.reason ?? (isWhole ? undefined : 'CANCELLED');
      const route = routeOf(c);
      metrics.inFlight.dec();
      inFlight.delete(incoming);
      metrics.requests.inc({ route, method: c.req.method, status });
      metrics.duration.observe({ route, method: c.req.method }, ms / 1000);
      metrics.receivedBytes.inc({ route }, received);
      metrics.sentBytes.inc({ route }, sent);
      if (reason !== undefined) metrics.failures.inc({ route, reason });
      log[levelOf(status, c.req.path)](
        {
          ...originFields({ requestId: c.get('requestId'), trace: c.get('trace') }),
          method: c.req.method,
          path: c.req.path,
          status,
          ms: Math.round(ms * 10) / 10,
          bytes_in: received,
          bytes_out: sent,
          ...c.get('caller'),
          reason,
          // A parser's own words would repeat the body.
          ...(status < 500 ? {} : { err: failure?.cause }),
        },
        'request',
      );
    });
    await next();
  };
}

function levelOf(status: number, path: string): 'error' | 'warn' | 'info' | 'debug' {
  if (status === 500) return 'error';
  if (status > 500) return 'warn';
  return quietPaths.has(path) ? 'debug' : 'info';
}

/** The pattern of the route. A path that no route matches must not become a label of its own. */
export function routeOf(c: ApiContext): string {
  const pattern = matchedRoutes(c).at(-1)?.path ?? '/*';
  return pattern === '/*' ? noRoute : pattern;
}

/** Bytes on a connection since its last request: by the socket's counter, so that bodies are not read for it. */
function createWireByteCounter() {
  const seen = new WeakMap<Socket, { read: number; written: number }>();
  return (socket: Socket) => {
    const before = seen.get(socket) ?? { read: 0, written: 0 };
    const now = { read: socket.bytesRead, written: socket.bytesWritten };
    seen.set(socket, now);
    return { received: now.read - before.read, sent: now.written - before.written };
  };
}
