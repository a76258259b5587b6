import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import { Code, ConnectError } from '@connectrpc/connect';
import { http2Settings, maxSessionMemory, widenSession } from './transport.ts';

/**
 * One HTTP/2 connection to a server: opened when a call needs it, and again after it has ended.
 *
 * Connect's Http2SessionManager is not used. When a connection dies at the moment at which it comes about, its
 * `gotoReady` (2.2.0) waits for a promise that has settled already, in an endless loop that stops the event loop; and
 * it reports hosts that cannot be reached as Internal.
 */
export interface Http2Connection {
  /** The server's origin, which Connect compares with that of each request. */
  readonly authority: string;
  /**
   * Starts a request.
   *
   * @throws ConnectError UNAVAILABLE where there is no connection in time
   */
  request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: object,
  ): Promise<ClientHttp2Stream>;
  /** Part of Connect's interface; pings take care of it here. */
  notifyResponseByteRead(): void;
  /** Ends the connection, and with it the calls on it. A later request opens another one. */
  abort(): void;
}

export interface Http2ConnectionOptions {
  /** Longest wait for a connection, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** Between two pings, in milliseconds; a connection on which nothing comes after three of them is dead. */
  readonly pingIntervalMs: number;
  /** Options of `http2.connect`, which go on to `net.connect` or `tls.connect`. */
  readonly session?: SecureClientSessionOptions;
}

/** Connections for one request: each may end just before the request begins. */
const maxTries = 3;

/** Pings in a row after which nothing has come. */
const pingsUnheard = 3;

/** Opens no connection yet. */
export function createHttp2Connection(authority: string, options: Http2ConnectionOptions): Http2Connection {
  let current: Promise<ClientHttp2Session> | undefined;
  const sessions = new Set<ClientHttp2Session>();

  function leave(opening: Promise<ClientHttp2Session>): void {
    if (current === opening) current = undefined;
  }

  /** A connection that ends, or that the server asks to leave (GOAWAY), gets no new calls. */
  function openTracked(): Promise<ClientHttp2Session> {
    const opening = open(authority, options, sessions);
    opening.then(
      (opened) => void opened.once('goaway', () => leave(opening)).once('close', () => leave(opening)),
      () => leave(opening),
    );
    return opening;
  }

  return {
    authority,
    async request(method, path, headers, requestOptions) {
      for (let tries = 1; ; tries++) {
        current ??= openTracked();
        const opening = current;
        const opened = await opening;
        // A session that has ended throws, or gives a stream that fails: it may have ended since it was opened.
        if (!opened.closed && !opened.destroyed) {
          return heldOpen(
            opened,
            opened.request({ ...headers, ':method': method, ':path': path }, requestOptions),
          );
        }
        leave(opening);
        if (tries === maxTries) throw unavailable('the connection was lost', undefined);
      }
    },
    notifyResponseByteRead() {},
    abort() {
      current = undefined;
      for (const one of sessions) one.destroy(undefined, constants.NGHTTP2_CANCEL);
    },
  };
}

async function open(
  authority: string,
  { connectTimeoutMs, pingIntervalMs, session: sessionOptions }: Http2ConnectionOptions,
  sessions: Set<ClientHttp2Session>,
): Promise<ClientHttp2Session> {
  const session = connect(authority, { settings: http2Settings, maxSessionMemory, ...sessionOptions });
  sessions.add(session);
  session.once('close', () => sessions.delete(session));
  // Errors reach the calls on the session; an error event without a listener would end this process.
  session.on('error', () => {});
  await connected(session, connectTimeoutMs);
  // An idle connection does not keep the process alive: `heldOpen`.
  session.unref();
  widenSession(session);
  endWhenSilent(session, pingIntervalMs);
  return session;
}

/** Waits for the connection. A session that is destroyed while it connects may emit nothing for a long time. */
async function connected(session: ClientHttp2Session, timeoutMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onError = (cause: Error) => reject(unavailable(cause.message, cause));
  const onClose = () => reject(unavailable('the connection was closed', undefined));
  const timer = setTimeout(
    () => reject(unavailable(`no connection within ${timeoutMs} ms`, undefined)),
    timeoutMs,
  );
  session.once('connect', resolve).once('error', onError).once('close', onClose);
  try {
    await promise;
    if (session.destroyed) throw unavailable('the connection was lost', undefined);
  } catch (error) {
    session.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    session.off('connect', resolve).off('error', onError).off('close', onClose);
  }
}

/** Keeps the process alive while there is a call on the session. */
function heldOpen(session: ClientHttp2Session, stream: ClientHttp2Stream): ClientHttp2Stream {
  const streams = (calls.get(session) ?? 0) + 1;
  calls.set(session, streams);
  if (streams === 1) session.ref();
  stream.once('close', () => {
    const left = (calls.get(session) ?? 1) - 1;
    calls.set(session, left);
    if (left === 0) session.unref();
  });
  return stream;
}

const calls = new WeakMap<ClientHttp2Session, number>();

/** Ends a session on which nothing comes, idle ones too: a peer that hangs keeps its connection open. */
function endWhenSilent(session: ClientHttp2Session, intervalMs: number): void {
  let heardBytes = -1;
  let pings = 0;
  const timer = setInterval(() => {
    // `close` may come some time after the session is destroyed.
    if (session.destroyed) return;
    const { bytesRead } = session.socket;
    if (bytesRead !== heardBytes) {
      heardBytes = bytesRead;
      pings = 0;
    }
    if (pings === pingsUnheard) {
      session.destroy(unavailable('pings have no response', undefined), constants.NGHTTP2_CANCEL);
    } else {
      pings++;
      // The response is a byte read.
      session.ping(() => {});
    }
  }, intervalMs);
  timer.unref();
  session.once('close', () => clearInterval(timer));
}

function unavailable(message: string, cause: unknown): ConnectError {
  return new ConnectError(message, Code.Unavailable, undefined, undefined, cause);
}
