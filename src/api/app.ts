import { cors as connectCors } from '@connectrpc/connect';
import { Hono, type MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import type { Registry } from 'prom-client';
import { callerOfAddress } from '../caller.ts';
import { Failure } from '../failures.ts';
import type { Logger } from '../telemetry/telemetry.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { observeRequests } from './access-log.ts';
import type { Gate } from './auth/auth.ts';
import { clientAddress } from './auth/trusted-proxies.ts';
import type { ApiConfig } from './config.ts';
import { connectDoorPath, openConnectDoor } from './connect/connect-door.ts';
import type { ApiContext, ApiEnv } from './context.ts';
import { describeImage } from './describe.ts';
import { passwordHeader } from './document-password.ts';
import { reportAlive, reportReady } from './health.ts';
import { processImage } from './images.ts';
import { createHeldBytes } from './memory/held-bytes.ts';
import type { HttpMetrics } from './metrics.ts';
import { openApiDocument } from './openapi/openapi.ts';
import { loadPlayground, servePlayground } from './playground.ts';
import { getPreset, listPresets, presetsPath } from './presets.ts';
import { problemPath, writeProblem } from './problems/problem.ts';
import { serveProblems } from './problems/serve-problems.ts';
import { responseHeaders } from './response.ts';
import { findSkew } from './skew/skew.ts';
import { traceRequests } from './trace-requests.ts';
import type { ProcessorClient } from './upstream/processor-client.ts';

/** The parts of the app. */
export interface AppParts {
  readonly config: ApiConfig;
  readonly processor: ProcessorClient;
  readonly gate: Gate;
  readonly log: Logger;
  readonly tracing?: Tracing | undefined;
  readonly metrics: Registry;
  readonly httpMetrics: HttpMetrics;
  readonly isDraining: () => boolean;
  /** Aborts when the server closes, after the balancers have had time to notice that it drains. */
  readonly closing: AbortSignal;
}

/** image-api without a port. Its handlers read Node's own requests: see `ApiEnv`. */
export function createApp(parts: AppParts): Hono<ApiEnv> {
  const { config, processor, gate, log, tracing, metrics, httpMetrics, isDraining, closing } = parts;
  const app = new Hono<ApiEnv>();
  app.use(traceRequests(tracing));
  app.use(observeRequests(log, httpMetrics));
  app.use(nameCallers(config.trustedProxies));
  app.use(takePlainPaths);
  app.use(setCommonHeaders(isDraining));
  if (config.corsOrigins.length > 0) app.use(allowOrigins(config.corsOrigins));
  app.onError((error, c) => writeProblem(c, error));
  app.notFound((c) => writeProblem(c, unknownRoute()));

  const held = createHeldBytes(config.maxHeldBytes, config.requestTimeoutMs);
  const serveImage = behind(gate, processImage(config, processor, held));
  const openapi = openApiDocument(config);
  route(app, '/v1/images', { GET: serveImage, POST: serveImage });
  const serveDescription = behind(gate, describeImage(config, processor, held));
  route(app, '/v1/describe', { GET: serveDescription, POST: serveDescription });
  route(app, '/v1/skew', { POST: behind(gate, findSkew(config, processor, held)) });
  route(app, presetsPath, { GET: behind(gate, listPresets(config, processor, held)) });
  route(app, `${presetsPath}/*`, { GET: behind(gate, getPreset(config, processor, held)) });
  route(app, connectDoorPath, { POST: openConnectDoor(config, processor, gate, held, closing) });
  route(app, '/healthz', { GET: reportAlive });
  route(app, '/readyz', { GET: reportReady(processor, isDraining) });
  route(app, '/metrics', {
    GET: async (c) => c.body(await metrics.metrics(), 200, { 'Content-Type': metrics.contentType }),
  });
  route(app, '/openapi.json', { GET: (c) => c.json(openapi) });
  const playground = loadPlayground();
  route(app, '/', { GET: servePlayground(playground, 'index.html') });
  route(app, '/docs', { GET: servePlayground(playground, 'docs.html') });
  route(app, '/playground/:file', { GET: servePlayground(playground, (c) => c.req.param('file') ?? '') });
  const problems = serveProblems(playground);
  route(app, problemPath, { GET: problems.index });
  route(app, `${problemPath}/:reason`, { GET: problems.reason });
  return app;
}

/** A handler behind authentication: callers without access are refused before their body is read. */
function behind(gate: Gate, handler: (c: ApiContext) => Promise<Response>) {
  return async (c: ApiContext): Promise<Response> => {
    await gate.admit(c);
    return handler(c);
  };
}

/** Routes a path's methods, and lists them in the response to any other method. HEAD is handled as GET. */
function route(
  app: Hono<ApiEnv>,
  path: string,
  methods: { readonly [method in 'GET' | 'POST']?: (c: ApiContext) => Response | Promise<Response> },
): void {
  for (const [method, handler] of Object.entries(methods)) app.on(method, path, handler);
  const allowed = Object.keys(methods).join(', ').replace('GET', 'GET, HEAD');
  app.all(path, (c) => {
    throw new Failure('METHOD_NOT_ALLOWED', `This path takes ${allowed}, not ${c.req.method}.`, {
      actual: c.req.method,
      allowed,
    });
  });
}

function unknownRoute(): Failure {
  return new Failure(
    'ROUTE_UNKNOWN',
    'There is nothing at this path; /openapi.json lists all that there are.',
  );
}

/**
 * Refuses paths that mean another path than they show: `/v1/../metrics` would pass a proxy that lets `/v1` through, and
 * reach `/metrics`.
 */
const takePlainPaths: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const { url = '' } = c.env.incoming;
  const [path] = url.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1);
  if ((path || '/') !== new URL(c.req.url).pathname) throw unknownRoute();
  await next();
};

/** Names each request's caller by its address, until the gate knows an API key's name. */
function nameCallers(trustedProxies: ApiConfig['trustedProxies']): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    c.set('callerName', callerOfAddress(clientAddress(c.env.incoming, trustedProxies)));
    await next();
  };
}

function setCommonHeaders(isDraining: () => boolean): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    c.header('X-Content-Type-Options', 'nosniff');
    await next();
    // A connection that stays open would keep a draining server from ending.
    if (isDraining()) c.header('Connection', 'close');
  };
}

/** CORS for both kinds of requests, ours and Connect's. */
function allowOrigins(origins: readonly string[]): MiddlewareHandler<ApiEnv> {
  return cors({
    origin: origins.includes('*') ? '*' : [...origins],
    allowMethods: ['GET', 'HEAD', 'POST'],
    allowHeaders: [
      ...new Set([
        ...connectCors.allowedHeaders,
        'Authorization',
        'If-None-Match',
        'traceparent',
        'tracestate',
        'X-API-Key',
        passwordHeader,
        'X-Request-Id',
      ]),
    ],
    exposeHeaders: [
      ...new Set([
        ...connectCors.exposedHeaders,
        ...Object.keys(responseHeaders),
        'RateLimit',
        'RateLimit-Policy',
        'Retry-After',
        'WWW-Authenticate',
        'X-Request-Id',
      ]),
    ],
    maxAge: 7200,
  });
}
