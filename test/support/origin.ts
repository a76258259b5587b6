import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type RequestListener,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';

/** A request as the origin received it. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** A real server on loopback that images are downloaded from. */
export interface Origin extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:port` and the path. */
  url(path?: string): string;
  /** TCP connections so far. */
  readonly connections: number;
  /** Requests so far, oldest first. */
  readonly requests: readonly SeenRequest[];
  /** Ends when no connection is open. */
  idle(): Promise<void>;
}

async function listen(
  server: Server,
  host: string,
  url: (port: number, path: string) => string,
  requests: readonly SeenRequest[],
): Promise<Origin> {
  const open = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      if (open.size === 0) server.emit('idle');
    });
    // A caller that hangs up is part of many tests.
    socket.on('error', () => {});
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: (path = '/') => url(port, path),
    get connections() {
      return connections;
    },
    requests,
    async idle() {
      if (open.size > 0) await once(server, 'idle');
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

const httpUrl = (port: number, path: string): string => `http://127.0.0.1:${port}${path}`;

function recorded(requests: SeenRequest[], respond: RequestListener): RequestListener {
  return (request, response) => {
    const { method = '', url = '', headers } = request;
    requests.push({ method, path: url, headers });
    respond(request, response);
  };
}

/**
 * Starts an HTTP origin on a free port.
 *
 * @param host - the address to listen on; 127.0.0.1 by default
 */
export function startOrigin(respond: RequestListener, host = '127.0.0.1'): Promise<Origin> {
  const requests: SeenRequest[] = [];
  return listen(createHttpServer(recorded(requests, respond)), host, httpUrl, requests);
}

/** Starts an origin with TLS on a free port of 127.0.0.1; its URLs name `host`. */
export function startTlsOrigin(
  { host, key, cert }: { readonly host: string; readonly key: string; readonly cert: string },
  respond: RequestListener,
): Promise<Origin> {
  const requests: SeenRequest[] = [];
  const server = createHttpsServer({ key, cert }, recorded(requests, respond));
  return listen(server, '127.0.0.1', (port, path) => `https://${host}:${port}${path}`, requests);
}

/**
 * Starts an origin that calls `respond` with the socket once a request's headers are complete: for responses
 * that no HTTP server would send.
 */
export function startRawOrigin(respond: (socket: Socket) => void): Promise<Origin> {
  const server = createTcpServer((socket) => {
    let head = '';
    socket.on('data', (data) => {
      head += data.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      head = '';
      respond(socket);
    });
  });
  return listen(server, '127.0.0.1', httpUrl, []);
}

/** Starts an origin that calls `respond` with each socket as soon as it is open. */
export function startTcpOrigin(respond: (socket: Socket) => void): Promise<Origin> {
  const server = createTcpServer((socket) => {
    // Unread bytes would hide that the caller has hung up.
    socket.resume();
    respond(socket);
  });
  return listen(server, '127.0.0.1', httpUrl, []);
}

/** Serves each path with its own listener, and others with 404. */
export function routes(table: Readonly<Record<string, RequestListener>>): RequestListener {
  return (request, response) => {
    const listener = table[request.url ?? ''];
    if (listener === undefined) response.writeHead(404).end('not found');
    else listener(request, response);
  };
}

/** Responds with 200, the bytes and their length. */
export function sends(content: string | Uint8Array, headers: OutgoingHttpHeaders = {}): RequestListener {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': Buffer.byteLength(content), ...headers }).end(content);
  };
}

/** Responds with a redirect. */
export function redirects(status: number, location?: string): RequestListener {
  return (_request, response) => {
    response.writeHead(status, location === undefined ? {} : { location }).end();
  };
}
