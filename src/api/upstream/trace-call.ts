import type { DescMethod } from '@bufbuild/protobuf';
import { saysNoCache } from '../../no-cache.ts';
import { rpcAttributes, rpcEnd } from '../../telemetry/rpc-spans.ts';
import { type CallOrigin, originHeaders } from '../../telemetry/trace-context.ts';
import type { Tracing } from '../../telemetry/tracing.ts';
import type { ApiContext } from '../context.ts';

/** The ids and the caller of a request, which its calls pass on. */
export function originOf(c: ApiContext): CallOrigin {
  return {
    requestId: c.get('requestId'),
    trace: c.get('trace'),
    caller: c.get('callerName'),
    mustRevalidate: saysNoCache(c.req.header('cache-control')),
  };
}

/** Runs a call with the headers that identify its request. */
export type TraceCall = <Response>(
  method: DescMethod,
  origin: CallOrigin,
  call: (headers: Record<string, string>) => Promise<Response>,
) => Promise<Response>;

/**
 * Sends the request's id and its place in its trace along with each call, and makes a span of the call, from its first
 * attempt to the end of its response, over all processors that it was sent to.
 *
 * @param urls - origins separated by commas; the first names them all
 */
export function createTraceCall(tracing: Tracing | undefined, urls: string): TraceCall {
  const { hostname, port, protocol } = new URL(urls.split(',')[0] as string);
  const server = {
    'server.address': hostname,
    'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
  };

  return async (method, origin, call) => {
    const attributes = rpcAttributes(method);
    const span = tracing?.startSpan(attributes['rpc.method'], {
      kind: 'client',
      parent: origin.trace,
      attributes: { ...attributes, ...server },
    });
    try {
      const response = await call(originHeaders({ ...origin, trace: span?.place ?? origin.trace }));
      span?.end(rpcEnd('client'));
      return response;
    } catch (error) {
      span?.end(rpcEnd('client', error));
      throw error;
    }
  };
}
