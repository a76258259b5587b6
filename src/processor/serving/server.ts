import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import {
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Stream,
} from 'node:http2';
import type { DescMethod } from '@bufbuild/protobuf';
import {
  type ConnectRouter,
  type ContextValues,
  createContextKey,
  createContextValues,
  type Interceptor,
} from '@connectrpc/connect';
import { ProcessorService } from '../../../gen/image/v1/processor_pb.ts';
import { callerHeader, callerOfAddress, parseAddress, readCaller, unknownCaller } from '../../caller.ts';
import { messageTooLong, pairLimit } from '../../grpc/messages/message-limits.ts';
import type { MessageLimit } from '../../grpc/messages/read-messages.ts';
import { http2Settings, maxSessionMemory, messageOverheadBytes, widenSession } from '../../grpc/transport.ts';
import type { ListeningServer, LocalServer } from '../../grpc/unary-call.ts';
import { unsupportedExpectation } from '../../http-failures.ts';
import { listen } from '../../listen.ts';
import { saysNoCache } from '../../no-cache.ts';
import { createWaitingPlaces, type WaitingLimits } from '../../waiting-places.ts';
import { callMemoryKey, type ServingMemory, unlimitedMemory } from './call-memory.ts';
import { createCallWatch } from './call-watch.ts';
import { limitConnectionAge } from './connection-age.ts';
import { createGrpcUnary } from './grpc-unary.ts';
import { createMessageWatch } from './half-sent.ts';
import { createSilentSessions, limitIdleConnections } from './idle-connections.ts';
import { createLocalCalls } from './local-calls.ts';
import { createRpcListener, methodNotAllowed } from './rpc-listener.ts';
import { createUnaryMethods } from './unary-methods.ts';

/**
 * In a call's context: aborts when the server begins to drain. A call without a natural end has to
 * end then, or the drain waits for it.
 */
export const drainingKey = createContextKey<AbortSignal>(new AbortController().signal, {
  description: 'draining',
});

/** In a call's context: the name of its caller, see caller.ts. */
export const callerKey = createContextKey<string>(unknownCaller, { description: 'caller' });

/** In a call's context: whether its caller requests revalidation of images of URLs; see no-cache.ts. */
export const noCacheKey = createContextKey<boolean>(false, { description: 'no-cache' });

/** Limits of what waits for its caller. */
export interface CallerWaits {
  readonly idleStreams: WaitingLimits;
  readonly halfSentMessages: WaitingLimits;
  readonly idleConnections: WaitingLimits;
}

const unlimited: WaitingLimits = {
  total: Number.POSITIVE_INFINITY,
  perCaller: Number.POSITIVE_INFINITY,
};

function callerOfRequest({ headers, socket }: Http2ServerRequest, trustsMetadata: boolean): string {
  const passedOn = trustsMetadata ? readCaller([headers[callerHeader]].flat()[0]) : undefined;
  return passedOn ?? callerOfAddress(parseAddress(socket.remoteAddress ?? ''));
}

/** A gRPC server, which others reach once it listens. */
export interface GrpcServer extends LocalServer {
  /** @returns the port */
  listen(port: number, host: string): Promise<number>;
  /** Tells every peer to go elsewhere (GOAWAY), refuses new connections and waits for the calls in flight. */
  drain(): Promise<void>;
}

export interface GrpcServerOptions {
  /** A message may have this much and some room for its other fields. */
  readonly maxSourceBytes: number;
  readonly maxConnectionAgeMs?: number;
  /** Whether `x-image-caller` is believed; otherwise a call's caller is its connection's peer. */
  readonly trustCallerMetadata?: boolean;
  /** Limits of calls that wait for their caller; unset: no limits. */
  readonly waiting?: Partial<CallerWaits>;
  /** Unset: nothing bounds the memory of calls. */
  readonly memory?: ServingMemory;
  readonly interceptors?: Interceptor[];
}

/** Serves routes over gRPC, gRPC-Web and Connect on cleartext HTTP/2. */
export async function startGrpcServer(
  routes: (router: ConnectRouter) => void,
  { port, host, ...options }: GrpcServerOptions & { readonly host: string; readonly port: number },
): Promise<ListeningServer & Pick<GrpcServer, 'drain'>> {
  const { listen, ...server } = createGrpcServer(routes, options);
  return { ...server, port: await listen(port, host) };
}

/** The server of startGrpcServer before it listens. */
export function createGrpcServer(
  routes: (router: ConnectRouter) => void,
  options: GrpcServerOptions,
): GrpcServer {
  const draining = new AbortController();
  const { interceptors = [] } = options;
  const { maxSourceBytes, memory } = options;
  const limit = {
    maxBytes: maxSourceBytes + messageOverheadBytes,
    tooLong: (bytes: number) => messageTooLong(bytes, maxSourceBytes),
  };
  const waiting: CallerWaits = {
    idleStreams: unlimited,
    halfSentMessages: unlimited,
    idleConnections: unlimited,
    ...options.waiting,
  };
  const watchMessage = createMessageWatch(waiting.halfSentMessages);
  const ofPair = pairLimit(maxSourceBytes, memory?.batchLimit.maxBytes ?? Number.POSITIVE_INFINITY);
  const limits: Readonly<Record<string, MessageLimit | undefined>> = {
    [ProcessorService.method.processBatch.name]: memory?.batchLimit,
    [ProcessorService.method.skew.name]: ofPair,
  };
  const limitOf = ({ name }: DescMethod) => limits[name] ?? limit;
  const methods = createUnaryMethods();
  const takeUnary = createGrpcUnary(methods, limitOf, interceptors, watchMessage);
  const others = createRpcListener(
    (router) =>
      routes({
        ...router,
        service(service, implementation, ...rest) {
          methods.add(service, implementation);
          router.service(service, implementation, ...rest);
          return this;
        },
      }),
    limitOf,
    interceptors,
    createCallWatch(createWaitingPlaces(waiting.idleStreams), watchMessage),
  );

  function valuesOf(headers: IncomingHttpHeaders, caller: string, memory = unlimitedMemory()): ContextValues {
    return createContextValues()
      .set(drainingKey, draining.signal)
      .set(callerKey, caller)
      .set(noCacheKey, saysNoCache(headers['cache-control']))
      .set(callMemoryKey, memory);
  }

  function handle(request: Http2ServerRequest, response: Http2ServerResponse): void {
    const caller = callerOfRequest(request, options.trustCallerMetadata ?? false);
    const values = valuesOf(request.headers, caller, memory?.open(request, caller));
    if (!takeUnary(request, response, caller, values)) others(request, response, caller, values);
  }

  function openLocal(headers: Readonly<Record<string, string>>): ContextValues {
    const caller = readCaller(headers[callerHeader]) ?? unknownCaller;
    return valuesOf(headers, caller, memory?.openLocal(headers, caller));
  }

  const server = createServer({ settings: http2Settings, maxSessionMemory }, handle);
  server.on('checkExpectation', (request, response) => {
    others.refuse(request, response, unsupportedExpectation(request.headers.expect));
  });
  server.on('connect', (request, response) => {
    others.refuse(request, response, methodNotAllowed('CONNECT'));
  });
  server.on('session', widenSession);
  server.on('session', limitIdleConnections(waiting.idleConnections));
  const silent = createSilentSessions();
  server.on('session', silent.add);
  server.on('session', limitConnectionAge(options.maxConnectionAgeMs ?? 0));
  server.on('stream', resetUnreadRequest);
  const local = createLocalCalls(methods, limitOf, interceptors, openLocal);
  return {
    call: local.call,
    listen: (port, host) => listen(server, port, host),
    async drain() {
      draining.abort();
      const closed = once(server, 'close');
      silent.end();
      // Node says GOAWAY on every session, and closes each when its last stream is over.
      server.close();
      await closed;
      await local.idle();
    },
  };
}

/**
 * A response may be sent before its request has been read, for example after a message over the limit. The rest is not
 * read then; the stream would stay open for as long as its connection, with megabytes in its buffers, and a
 * drain would wait for it. So it is reset, with NO_ERROR, which keeps the response (RFC 9113, 8.1).
 */
function resetUnreadRequest(stream: ServerHttp2Stream): void {
  stream.once('wantTrailers', () => {
    // The trailers go out with this turn of the loop.
    setImmediate(() => {
      if (!stream.readableEnded) stream.destroy();
    });
  });
}
