import type { DescMethod } from '@bufbuild/protobuf';
import { type ContextValues, createContextKey, type Transport } from '@connectrpc/connect';
import { rpcAttributes, rpcEnd } from '../rpc-spans.ts';
import { type CallOrigin, originHeaders } from '../trace-context.ts';
import type { Span, Tracing } from '../tracing.ts';
import type { ApiContext } from './context.ts';

type HeaderInit = Parameters<Transport['unary']>[3];

/** In a call's context: the request that it is made for. */
export const originKey = createContextKey<CallOrigin | undefined>(undefined, { description: 'origin' });

/** What a request gives on with its calls. */
export function originOf(c: ApiContext): CallOrigin {
  return { requestId: c.get('requestId'), trace: c.get('trace') };
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
    async stream(method, signal, timeoutMs, given, input, values) {
      const { header, span } = begin(method, given, values);
      const started = transport.stream(method, signal, timeoutMs, header, input, values);
      if (span === undefined) return await started;
      const response = await started.catch(endingWith(span));
      return { ...response, message: endingAfter(span, response.message, signal) };
    },
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

/** A caller who reads no further is heard of by the signal: Connect's client doesn't tell. */
async function* endingAfter<Message>(
  span: Span,
  messages: AsyncIterable<Message>,
  signal: AbortSignal | undefined,
) {
  let isOver = false;
  function end(error?: unknown): void {
    if (isOver) return;
    isOver = true;
    span.end(rpcEnd('client', error));
  }
  signal?.addEventListener('abort', () => end(signal.reason), { once: true });
  try {
    yield* messages;
    end();
  } catch (error) {
    end(error);
    throw error;
  }
}
