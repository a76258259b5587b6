import type { DescMethod } from '@bufbuild/protobuf';
import { type ContextValues, createContextKey, type Transport } from '@connectrpc/connect';
import { saysNoCache } from '../../no-cache.ts';
import { rpcAttributes, rpcEnd } from '../../telemetry/rpc-spans.ts';
import { type CallOrigin, originHeaders } from '../../telemetry/trace-context.ts';
import type { Span, Tracing } from '../../telemetry/tracing.ts';
import type { ApiContext } from '../context.ts';

type HeaderInit = Parameters<Transport['unary']>[3];

/** In a call's context: the request that it is made for. */
export const originKey = createContextKey<CallOrigin | undefined>(undefined, { description: 'origin' });

/** What a request gives on with its calls. */
export function originOf(c: ApiContext): CallOrigin {
  return {
    requestId: c.get('requestId'),
    trace: c.get('trace'),
    caller: c.get('callerName'),
    mustRevalidate: saysNoCache(c.req.header('cache-control')),
  };
}

/**
 * Sends the request's id and its place in its trace along with each call, and makes a span of the call, from here to
 * the last of its answer, whichever processors it takes.
 *
 * @param urls - origins with commas between them, of which the first names all
 */
export function traceCalls(transport: Transport, tracing: Tracing | undefined, urls: string): Transport {
  const { hostname, port, protocol } = new URL(urls.split(',')[0] as string);
  const server = {
    'server.address': hostname,
    'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
  };

  function begin(method: DescMethod, given: HeaderInit, values: ContextValues | undefined) {
    const origin = values?.get(originKey);
    if (origin === undefined) return { header: given, span: undefined };
    const attributes = rpcAttributes(method);
    const span = tracing?.startSpan(attributes['rpc.method'], {
      kind: 'client',
      parent: origin.trace,
      attributes: { ...attributes, ...server },
    });
    const header = new Headers(given);
    const next = { ...origin, trace: span?.place ?? origin.trace };
    for (const [name, value] of Object.entries(originHeaders(next))) header.set(name, value);
    return { header, span };
  }

  return {
    async unary(method, signal, timeoutMs, given, input, values) {
      const { header, span } = begin(method, given, values);
      return await ending(span, transport.unary(method, signal, timeoutMs, header, input, values));
    },
    stream: transport.stream,
  };
}

async function ending<Answer>(span: Span | undefined, answer: Promise<Answer>): Promise<Answer> {
  if (span === undefined) return await answer;
  const result = await answer.catch(endingWith(span));
  span.end(rpcEnd('client'));
  return result;
}

function endingWith(span: Span): (error: unknown) => never {
  return (error) => {
    span.end(rpcEnd('client', error));
    throw error;
  };
}
