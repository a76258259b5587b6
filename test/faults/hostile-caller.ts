import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectError } from '@connectrpc/connect';
import { endStreamFromJson, errorFromJsonBytes } from '@connectrpc/connect/protocol-connect';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';

/*
 * One caller that means no good, at an address of its own: Linux takes all of 127.0.0.0/8 as loopback. Each of its
 * requests has an outcome: `OK`, one of our reasons, `open` while there is no response, `closed` where the connection
 * ended without one, or the status where a failure has no reason.
 */

/** A request that may never end. */
export interface Attempt {
  /** So far. */
  outcome(): string;
  /** The outcome in the end, `open` after `ms` milliseconds. */
  within(ms: number): Promise<string>;
  /** Hangs up. */
  end(): void;
}

export interface HostileCaller {
  /** An HTTP/1.1 request with a connection of its own. Its response is read and dropped. */
  send(url: string, request: HostileRequest): Attempt;
  /** Bytes on a connection of its own. The response is read up to its first piece and no further. */
  write(url: string, bytes: string | Uint8Array): Attempt;
  /** A gRPC call at image-processor, `callsPerConnection` on one connection. */
  call(url: string, method: string, body: Uint8Array, isWhole?: boolean): Attempt;
  /** Ends all that is open. */
  leave(): void;
}

export interface HostileRequest {
  readonly path: string;
  /** Unset: it ends with the headers; a stream stays open. */
  readonly body?: Uint8Array;
  readonly contentType: string;
  /** Never ends the request, and sends no length. */
  readonly isOpen?: boolean;
}

const callsPerConnection = 50;

/** @param address - of the caller, in 127.0.0.0/8 */
export function hostileCaller(address: string): HostileCaller {
  const attempts: Attempt[] = [];
  const sessions: { session: ClientHttp2Session; calls: number; url: string }[] = [];
  const remember = (attempt: Attempt): Attempt => {
    attempts.push(attempt);
    return attempt;
  };

  function sessionFor(url: string): ClientHttp2Session {
    const free = sessions.find((one) => one.url === url && one.calls < callsPerConnection);
    if (free !== undefined && !free.session.closed) {
      free.calls++;
      return free.session;
    }
    const { hostname, port } = new URL(url);
    const createConnection = () => connect({ host: hostname, port: Number(port), localAddress: address });
    const session = connectHttp2(url, { createConnection });
    session.on('error', () => {});
    sessions.push({ session, calls: 1, url });
    return session;
  }

  return {
    send: (url, request) => remember(sendHttp(url, request, address)),
    write: (url, bytes) => remember(writeRaw(url, bytes, address)),
    call: (url, method, body, isWhole = true) => remember(callGrpc(sessionFor(url), method, body, isWhole)),
    leave() {
      for (const attempt of attempts) attempt.end();
      for (const { session } of sessions) session.destroy();
    },
  };
}

function attemptOf(end: () => void): Attempt & { settle(outcome: string): void } {
  let outcome = 'open';
  const settled = Promise.withResolvers<void>();
  return {
    outcome: () => outcome,
    async within(ms) {
      const stop = new AbortController();
      const late = sleep(ms, undefined, { signal: stop.signal }).catch(() => {});
      await Promise.race([settled.promise, late]);
      stop.abort();
      return outcome;
    },
    end,
    settle(how) {
      if (outcome === 'open') outcome = how;
      settled.resolve();
    },
  };
}

function sendHttp(url: string, request: HostileRequest, localAddress: string): Attempt {
  const { path, body, contentType, isOpen = false } = request;
  const headers = {
    'content-type': contentType,
    ...(body !== undefined && !isOpen && { 'content-length': body.length }),
  };
  const options: RequestOptions = { method: 'POST', agent: false, localAddress, headers };
  const call = httpRequest(url + path, options, (response) => {
    const type = response.headers['content-type'] ?? '';
    readToEnd(response, (bytes) => attempt.settle(outcomeOfHttp(response.statusCode ?? 0, type, bytes)));
  });
  const attempt = attemptOf(() => call.destroy());
  call.on('error', () => attempt.settle('closed'));
  call.flushHeaders();
  if (body !== undefined) call.write(body);
  if (!isOpen) call.end();
  return attempt;
}

/** Keeps no more than a failure has. */
function readToEnd(response: IncomingMessage, done: (bytes: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    if (length < 100_000) chunks.push(chunk);
    length += chunk.length;
  });
  response.on('error', () => {});
  response.on('close', () => done(Buffer.concat(chunks)));
}

function outcomeOfHttp(status: number, contentType: string, body: Buffer): string {
  if (contentType.startsWith('application/connect+')) {
    for (let at = 0; at + 5 <= body.length; at += 5 + body.readUInt32BE(at + 1)) {
      if (body[at] !== 2) continue;
      const { error } = endStreamFromJson(body.subarray(at + 5, at + 5 + body.readUInt32BE(at + 1)));
      return error === undefined ? 'OK' : reasonOf(error);
    }
    return 'closed';
  }
  if (contentType.startsWith('application/grpc-web')) {
    return /grpc-status: ?0\b/.test(body.toString('latin1'))
      ? 'OK'
      : reasonOf(findTrailerError(new Headers(trailersIn(body))));
  }
  if (status === 200) return 'OK';
  try {
    const { reason } = JSON.parse(body.toString());
    if (typeof reason === 'string') return reason;
    return reasonOf(errorFromJsonBytes(body, new Headers(), new ConnectError('not an error of Connect')));
  } catch {
    return `HTTP ${status}`;
  }
}

/** The trailers that gRPC-Web sends as the last envelope of the body. */
function trailersIn(body: Buffer): [string, string][] {
  const lines = body.toString('latin1').match(/[\w-]+: ?[^\r\n]*/g) ?? [];
  return lines.map((line) => line.split(/: ?(.*)/s).slice(0, 2) as [string, string]);
}

function reasonOf(error: ConnectError | undefined): string {
  const [info] = error?.findDetails(ErrorInfoSchema) ?? [];
  return info?.reason ?? `${error?.code ?? 'a response'} without a reason`;
}

function writeRaw(url: string, bytes: string | Uint8Array, localAddress: string): Attempt {
  const { hostname, port } = new URL(url);
  const socket: Socket = connect({ host: hostname, port: Number(port), localAddress });
  const attempt = attemptOf(() => socket.destroy());
  socket.on('error', () => {});
  socket.on('close', () => attempt.settle('closed'));
  socket.on('data', (chunk) => {
    const text = chunk.toString('latin1');
    // An HTTP/2 server speaks first.
    if (!text.startsWith('HTTP/1.1 ')) return;
    socket.pause();
    if (/^HTTP\/1\.1 200 /.test(text)) attempt.settle('unread');
    else attempt.settle(/"reason":"(\w+)"/.exec(text)?.[1] ?? text.slice(0, 12));
  });
  socket.write(bytes);
  return attempt;
}

function callGrpc(session: ClientHttp2Session, method: string, body: Uint8Array, isWhole: boolean): Attempt {
  const stream = session.request(
    {
      ':method': 'POST',
      ':path': `/image.v1.ProcessorService/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    },
    { endStream: false },
  );
  const attempt = attemptOf(() => stream.destroy());
  let given: IncomingHttpHeaders = {};
  const take = (headers: IncomingHttpHeaders): void => {
    given = { ...given, ...headers };
  };
  stream
    .on('response', take)
    .on('trailers', take)
    .on('error', () => {});
  stream.resume();
  stream.on('close', () => attempt.settle(outcomeOfGrpc(given)));
  if (body.length > 0) stream.write(body);
  if (isWhole) stream.end();
  return attempt;
}

function outcomeOfGrpc(headers: IncomingHttpHeaders): string {
  if (headers['grpc-status'] === undefined) return 'closed';
  if (headers['grpc-status'] === '0') return 'OK';
  const pairs = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(':') ? [] : [[name, String(value)] as [string, string]],
  );
  return reasonOf(findTrailerError(new Headers(pairs)));
}

/** A message as gRPC and Connect streams frame it. @param length - that it claims to have; unset: its own */
export function envelope(message: Uint8Array, length = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}
