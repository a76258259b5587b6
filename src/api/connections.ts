import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { callerOfAddress, parseAddress } from '../caller.ts';
import { createWaitingPlaces, type Place } from '../waiting-places.ts';
import { isTrustedProxy } from './auth/trusted-proxies.ts';
import type { ApiConfig } from './config.ts';

/** Options of the HTTP/1.1 server for connections that wait for their caller. */
export const connectionOptions: ServerOptions = {
  // Headers usually come in one packet or two. A new connection has the same time for its first request.
  headersTimeout: 10_000,
  // Longer than the idle time of the usual balancers (60 s), so that they and not we close first.
  keepAliveTimeout: 65_000,
  // Node looks for late headers every 30 s by default, which would make 10 s up to 40 s.
  connectionsCheckingInterval: 1_000,
  // It would end streams, which may take longer. `limitConnections` sets the deadline of other requests.
  requestTimeout: 0,
};

/** Milliseconds after the deadline of a request, which has a response of its own by then. */
const unreadBodyMs = 5_000;

/**
 * Bounds the connections that have no whole request, in total and per address; trusted proxies bound their own. A request whose body is still not read after its deadline ends its connection.
 */
export function limitConnections(
  server: Server,
  {
    idleConnections,
    requestTimeoutMs,
    trustedProxies,
  }: Pick<ApiConfig, 'idleConnections' | 'requestTimeoutMs' | 'trustedProxies'>,
): void {
  const places = createWaitingPlaces(idleConnections);
  const placeOf = new WeakMap<Socket, Place>();

  server.on('connection', (socket: Socket) => {
    const address = parseAddress(socket.remoteAddress ?? '');
    if (address !== undefined && isTrustedProxy(address, trustedProxies)) return;
    const place = places.enter(callerOfAddress(address), () => socket.destroy());
    placeOf.set(socket, place);
    socket.once('close', place.leave);
  });

  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const place = placeOf.get(socket);
    response.once('close', () => place?.wait());
    if (isWhole(request)) {
      place?.work();
      return;
    }
    const timer = setTimeout(() => socket.destroy(), requestTimeoutMs + unreadBodyMs);
    const stop = () => {
      clearTimeout(timer);
      socket.off('close', stop);
      if (!response.closed) place?.work();
    };
    socket.once('close', stop);
    request.once('end', stop);
    bodies.set(request, stop);
  });
}

/** Milliseconds that a connection without a request stays open when the server drains. */
const unusedMs = 1_000;

/**
 * Ends the connections without a request a second after the server began to drain, because it waits for all connections. Node
 * itself ends those that have had a request, Node 26 also those on which nothing has come, and neither those with half of
 * a request's headers.
 *
 * @param draining - aborts when the server begins to drain
 */
export function endUnusedConnections(server: Server, draining: AbortSignal): void {
  const requests = new Map<Socket, number>();

  function endUnusedSoon(): void {
    setTimeout(() => {
      for (const [socket, count] of requests) if (count === 0) socket.destroy();
    }, unusedMs).unref();
  }

  server.on('connection', (socket: Socket) => {
    requests.set(socket, 0);
    socket.once('close', () => requests.delete(socket));
  });
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    requests.set(socket, (requests.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const count = requests.get(socket);
      if (count !== undefined) requests.set(socket, count - 1);
      if (draining.aborted) endUnusedSoon();
    });
  });
  draining.addEventListener('abort', endUnusedSoon, { once: true });
}

/** Requests without their whole body. */
const bodies = new WeakMap<IncomingMessage, () => void>();

/** Marks a request's body as a stream: it has its own limits and may last for any time. */
export function allowStream(request: IncomingMessage): void {
  bodies.get(request)?.();
}

function isWhole({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
}
