import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { DescMethod } from '@bufbuild/protobuf';
import {
  type ConnectRouter,
  type ContextValues,
  createConnectRouter,
  type Interceptor,
} from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import { errorToJson } from '@connectrpc/connect/protocol-connect';
import { setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from '@connectrpc/connect-node';
import { Failure, failureKinds } from '../../failures.ts';
import { callFormat } from '../../grpc/messages/call-format.ts';
import type { MessageLimit } from '../../grpc/messages/read-messages.ts';
import { exchangeMessages, handleCall } from '../../grpc/messages/rpc-messages.ts';
import { toConnectError, wireError } from '../../grpc/rpc-failures.ts';
import { callMemoryKey } from './call-memory.ts';
import type { WatchCall } from './call-watch.ts';

/** Handles calls of all protocols and methods, and requests that are no calls. */
export interface RpcListener {
  (request: Http2ServerRequest, response: Http2ServerResponse, caller: string, values: ContextValues): void;
  /** Refuses a request that is not a call. */
  refuse(request: Http2ServerRequest, response: Http2ServerResponse, failure: Failure): void;
}

/**
 * Serves routes by Connect's handlers over gRPC, gRPC-Web and Connect, as connect-node's own adapter does. Messages are
 * parsed by rpc-messages.ts, every failure has a reason of ours, and no request can throw into the server.
 *
 * @param limitOf - the longest message of a method
 * @param watchCall - bounds calls that wait for their caller
 */
export function createRpcListener(
  routes: (router: ConnectRouter) => void,
  limitOf: (method: DescMethod) => MessageLimit,
  interceptors: Interceptor[],
  watchCall: WatchCall,
): RpcListener {
  const router = createConnectRouter({
    interceptors: [failByReasons, exchangeMessages, ...interceptors],
    // Images are compressed already.
    acceptCompression: [],
  });
  routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  async function respond(
    request: Http2ServerRequest,
    response: Http2ServerResponse,
    handler: UniversalHandler,
    caller: string,
    values: ContextValues,
  ): Promise<void> {
    const { method } = handler;
    const format = callFormat(request.headers['content-type'], method);
    if (format === undefined) throw unsupportedContentType(request.headers['content-type'], method);
    const call = readRequest(request, response, values);
    const memory = values.get(callMemoryKey);
    if (method.methodKind === 'unary') call.body = memory.counting(call.body);
    const body = watchCall(request.stream, method, caller, values, call.body);
    const transfer = memory.transferOver(request.stream);
    const handling = { format, limit: limitOf(method), asError: wireError, transfer };
    await universalResponseToNodeResponse(await handleCall(handler, { ...call, body }, handling), response);
  }

  function listen(
    request: Http2ServerRequest,
    response: Http2ServerResponse,
    caller: string,
    values: ContextValues,
  ): void {
    const { stream, method, url } = request;
    const handler = handlers.get(url.split('?', 1)[0] ?? '');
    if (handler === undefined) refuse(request, response, unknownRoute());
    else if (method !== 'POST') refuse(request, response, methodNotAllowed(method));
    else {
      respond(request, response, handler, caller, values).catch((error: unknown) => {
        if (error instanceof Failure && !response.headersSent) refuse(request, response, error);
        else if (!stream.closed) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      });
    }
  }
  return Object.assign(listen, { refuse });
}

/** Gives every error of a method a reason; a status that the method has chosen stays. */
const failByReasons: Interceptor = (next) => async (request) => {
  try {
    const response = await next(request);
    return response.stream ? { ...response, message: failingByReasons(response.message) } : response;
  } catch (error) {
    throw wireError(error);
  }
};

async function* failingByReasons<Message>(messages: AsyncIterable<Message>): AsyncGenerator<Message> {
  try {
    yield* messages;
  } catch (error) {
    throw wireError(error);
  }
}

/** @throws Failure REQUEST_INVALID for an `:authority` that makes no URL */
function readRequest(request: Http2ServerRequest, response: Http2ServerResponse, values: ContextValues) {
  try {
    const universal = universalRequestFromNodeRequest(request, response, undefined, values);
    return { ...universal, body: universal.body as AsyncIterable<Uint8Array> };
  } catch (cause) {
    const header = ':authority';
    throw new Failure(
      'REQUEST_INVALID',
      `${header} is not a host with an optional port.`,
      { header },
      { cause },
    );
  }
}

/** Refuses in gRPC if the request is in gRPC, and otherwise with Connect's JSON. */
function refuse(
  { headers, stream }: Http2ServerRequest,
  response: Http2ServerResponse,
  failure: Failure,
): void {
  const error = toConnectError(failure);
  const [grpc] = /^application\/grpc(-web)?/.exec(headers['content-type'] ?? '') ?? [];
  const { status } = failureKinds[failure.reason];
  const own = new Headers({ 'content-type': grpc ?? 'application/json' });
  if (grpc !== undefined) setTrailerStatus(own, error);
  if (failure.reason === 'METHOD_NOT_ALLOWED') own.set('allow', 'POST');
  response.statusCode = grpc === undefined ? status : 200;
  for (const [name, value] of own) response.setHeader(name, value);
  // The rest of the request is not read.
  response.once('finish', () => {
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  });
  // Without a body the HEADERS frame ends the stream, as gRPC's Trailers-Only response has to: gRPC's C core
  // takes an empty DATA frame in its place as a broken stream.
  if (grpc === undefined) response.end(JSON.stringify(errorToJson(error, undefined)));
  else response.end();
}

function unknownRoute(): Failure {
  return new Failure(
    'ROUTE_UNKNOWN',
    'There is no such method; grpc.reflection.v1 lists all that there are.',
  );
}

export function methodNotAllowed(method: string): Failure {
  const metadata = { actual: method, allowed: 'POST' };
  return new Failure('METHOD_NOT_ALLOWED', `A call is a POST, not a ${method}.`, metadata);
}

function unsupportedContentType(contentType: string | undefined, method: DescMethod): Failure {
  const actual = (contentType ?? '').slice(0, 100);
  const connect = method.methodKind === 'unary' ? 'application/' : 'application/connect+';
  const allowed = `application/grpc, application/grpc-web, ${connect}proto, ${connect}json`;
  return new Failure(
    'CONTENT_TYPE_UNSUPPORTED',
    `The Content-Type is "${actual}"; ${method.name} takes ${allowed}.`,
    { actual, allowed },
  );
}
