import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A proxy's treatment of one request. */
export type Fault =
  /** Responds with an error of S3 and does not pass the request on. */
  | { readonly code: string; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Closes the connection before the request is passed on. */
  | 'reset'
  /** Passes the request on and closes the connection without its response. */
  | 'lost response'
  /** Closes the connection in the middle of the request's body. */
  | 'dropped upload'
  /** Closes the connection in the middle of the response's body. */
  | 'half a body'
  /** Sends half of the response's body, and no more. */
  | 'stalled body'
  /** Says that a write succeeded which the server refused because of its condition. */
  | 'condition ignored'
  /** Never responds. */
  | 'silence'
  /** Responds after some time. */
  | { readonly delayMs: number };

/** A proxy in front of a real S3 server. Signatures include the host, so requests pass with the one they were sent to. */
export interface FaultProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** Method and path of each request so far. */
  readonly requests: readonly string[];
  /** Faults of the next requests, in order; undefined lets one pass. */
  readonly faults: (Fault | undefined)[];
  /** Decides about requests when `faults` is empty. */
  decide: (request: IncomingMessage) => Fault | undefined;
}

export async function startFaultProxy(endpoint: string): Promise<FaultProxy> {
  const target = new URL(endpoint);
  const requests: string[] = [];
  const faults: (Fault | undefined)[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const fault = faults.length > 0 ? faults.shift() : proxy.decide(request);
    request.on('error', () => {});
    if (fault === 'reset') request.socket.destroy();
    else if (fault === 'silence') request.resume();
    else if (fault === 'dropped upload') request.once('data', () => request.socket.destroy());
    else if (typeof fault === 'object' && 'code' in fault) fail(request, response, fault);
    else setTimeout(() => pass(request, response, target, fault), delayOf(fault));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: FaultProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    faults,
    decide: () => undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
  return proxy;
}

function delayOf(fault: Fault | undefined): number {
  return typeof fault === 'object' && 'delayMs' in fault ? fault.delayMs : 0;
}

function fail(
  request: IncomingMessage,
  response: ServerResponse,
  { code, status, headers }: Extract<Fault, { code: string }>,
): void {
  request.resume();
  request.on('end', () => {
    response.writeHead(status, { 'content-type': 'application/xml', ...headers });
    response.end(
      `<?xml version="1.0"?><Error><Code>${code}</Code><Message>secret words of the server</Message></Error>`,
    );
  });
}

function pass(
  request: IncomingMessage,
  response: ServerResponse,
  target: URL,
  fault: Fault | undefined,
): void {
  const { method, url, headers } = request;
  // A connection of its own: one kept open may be closed by the server at any time, which would be a fault of the proxy.
  const onward = send({ agent: false, host: target.hostname, port: target.port, method, path: url, headers });
  onward.on('error', () => response.destroy());
  onward.on('response', (reply) => {
    if (fault === 'lost response') {
      request.socket.destroy();
      reply.resume();
      return;
    }
    if (fault === 'condition ignored' && reply.statusCode === 412) {
      reply.resume();
      response.writeHead(200, { 'content-type': 'application/xml', etag: '"1"' });
      response.end('<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>');
      return;
    }
    response.writeHead(reply.statusCode ?? 500, reply.headers);
    if (fault !== 'half a body' && fault !== 'stalled body') {
      reply.pipe(response);
      return;
    }
    reply.once('data', (chunk: Uint8Array) => {
      response.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), () => {
        if (fault === 'half a body') request.socket.destroy();
      });
      reply.pause();
    });
  });
  request.pipe(onward);
}
