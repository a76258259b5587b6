import {
  createServer,
  type IncomingMessage,
  maxHeaderSize,
  type Server,
  type ServerOptions,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener, RequestError } from '@hono/node-server';
import { Failure, type FailureReason } from '../failures.ts';
import { publicFailure } from '../grpc/rpc-failures.ts';
import { unsupportedExpectation } from '../http-failures.ts';
import type { Logger } from '../telemetry/telemetry.ts';
import { readRequestId } from '../telemetry/trace-context.ts';
import { type Problem, problemOf } from './problems/problem.ts';

/** Time for a refused caller to read its response before the connection is reset, in milliseconds. */
const lingerMs = 1000;

/**
 * An HTTP server whose responses are problems also where Node refuses a request before the app sees it: bytes that are
 * not HTTP, headers that are too long or too slow, an unknown expectation, a missing Host.
 *
 * @param onRefused - is called for each of these refusals, which the app neither logs nor counts
 */
export function createHttpServer(
  fetch: Parameters<typeof getRequestListener>[0],
  log: Logger,
  options: ServerOptions,
  onRefused: (reason: FailureReason) => void = () => {},
): Server {
  const lastResponses = new WeakMap<Duplex, ServerResponse>();
  const refused = new WeakSet<Duplex>();

  /** Logs and counts a refusal. */
  function refusalOf(failure: Failure): Problem {
    onRefused(failure.reason);
    const requestId = readRequestId(undefined);
    const problem = problemOf(failure, requestId);
    log.info({ request_id: requestId, status: problem.status, reason: failure.reason }, 'request refused');
    return { ...problem, headers: { ...problem.headers, Connection: 'close', 'X-Request-Id': requestId } };
  }

  function refuse(response: ServerResponse, failure: Failure): void {
    const { status, headers, body } = refusalOf(failure);
    response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) }).end(body);
  }

  const listener = getRequestListener(fetch, {
    // HTTP/1.0 has no Host.
    hostname: 'localhost',
    errorHandler(error) {
      const { status, headers, body } = refusalOf(
        error instanceof RequestError ? invalidTarget() : publicFailure(error),
      );
      return new Response(body, { status, headers });
    },
  });

  const server = createServer({ ...options, requireHostHeader: false }, (request, response) => {
    lastResponses.set(request.socket, response);
    const failure = hostFailure(request);
    if (failure === undefined) void listener(request, response);
    else refuse(response, failure);
  });
  // Without this Node sends 100 Continue for every body. The reader of a body sends it after checking the declared length.
  server.on('checkContinue', (request, response) => server.emit('request', request, response));
  server.on('checkExpectation', (request, response) =>
    refuse(response, unsupportedExpectation(request.headers.expect)),
  );
  server.on('connect', (_request, socket) => {
    const metadata = { actual: 'CONNECT', allowed: 'GET, HEAD, POST' };
    writeRaw(socket, refusalOf(new Failure('METHOD_NOT_ALLOWED', 'This is not a proxy.', metadata)));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Later bytes on a refused connection fail, too.
    if (refused.has(socket)) return;
    refused.add(socket);
    const last = lastResponses.get(socket);
    const isWithinResponse = last?.headersSent === true && !last.writableFinished;
    if (error.code === 'ECONNRESET' || !socket.writable || isWithinResponse) socket.destroy(error);
    else writeRaw(socket, refusalOf(failureOfParser(error)));
  });
  return server;
}

function writeRaw(socket: Duplex, { status, headers, body }: Problem): void {
  const lines = Object.entries({ ...headers, 'Content-Length': Buffer.byteLength(body) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${body}`);
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

/** Every HTTP/1.1 request has one Host (RFC 9112, 3.2). */
function hostFailure({ httpVersion, headers, rawHeaders }: IncomingMessage): Failure | undefined {
  const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts > 1) {
    const metadata = { header: 'Host', limit: 1, actual: hosts };
    return new Failure('REQUEST_INVALID', `The request has ${hosts} Host headers; it takes one.`, metadata);
  }
  if (httpVersion !== '1.1' || headers.host !== undefined) return undefined;
  return new Failure('REQUEST_INVALID', 'The request has no Host header.', { header: 'Host' });
}

function invalidTarget(): Failure {
  return new Failure('REQUEST_INVALID', 'The Host header and the path of the request make no URL.', {
    header: 'Host',
  });
}

/** The failure for an error of Node's parser or its timeouts. */
function failureOfParser(error: NodeJS.ErrnoException): Failure {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Failure(
        'HEADERS_TOO_LARGE',
        `The request line and the headers have more than ${maxHeaderSize} bytes together.`,
        { limit: maxHeaderSize },
      );
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new Failure(
        'CHUNK_EXTENSIONS_TOO_LARGE',
        `The chunk extensions of the body have more than ${maxChunkExtensions} bytes.`,
        { limit: maxChunkExtensions },
      );
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Failure('REQUEST_TIMEOUT', 'The request did not arrive in time.');
    default:
      return new Failure('REQUEST_INVALID', 'The request is not valid HTTP/1.1.', {}, { cause: error });
  }
}

/** Node's limit, in bytes. It is not an option. */
const maxChunkExtensions = 16 * 1024;
