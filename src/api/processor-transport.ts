import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type SecureClientSessionOptions,
} from 'node:http2';
import { isIPv6, type LookupFunction } from 'node:net';
import { Code, ConnectError, type Transport } from '@connectrpc/connect';
import { Http2SessionManager } from '@connectrpc/connect-node';
import { http2Settings, maxSessionMemory, responseOverheadBytes, widenSession } from '../transport.ts';
import { createGrpcUnary } from './grpc-unary.ts';

/** A processor that has not taken the connection by then is gone: in one network it takes a millisecond. */
const connectTimeoutMs = 2_000;
/** Pings find a peer that hangs with its connection open; without them each call waits out its deadline. */
const pingIntervalMs = 1_000;
/** Pings in a row after which nothing has come: then the connection is dead. */
const pingsUnheard = 3;

/** The way to one processor. */
export interface ProcessorTransport {
  readonly transport: Transport;
  /** Ends the connection, and with it the calls that are on it. */
  close(): void;
}

/**
 * One connection to one processor, opened when a call needs it and opened anew after it has ended.
 *
 * @param maxAnswerBytes - longest image in an answer
 * @param address - the one of the host's addresses to connect to; the host's name still goes into `:authority` and,
 * over TLS, into what the certificate is held to
 */
export function createProcessorTransport(
  url: string,
  maxAnswerBytes: number,
  address?: string,
): ProcessorTransport {
  const sessions = new ProcessorSessions(
    url,
    {},
    { settings: http2Settings, maxSessionMemory, ...(address !== undefined && leadTo(address)) },
  );
  const readMaxBytes = maxAnswerBytes + responseOverheadBytes;
  const unary = createGrpcUnary(url, sessions, readMaxBytes);
  return { transport: unaryTransport(unary), close: () => sessions.abort() };
}

/** A transport for unary calls alone: the images of a stream are calls of their own. */
export function unaryTransport(unary: Transport['unary']): Transport {
  return {
    unary,
    stream: () => Promise.reject(new ConnectError('only unary calls are made', Code.Unimplemented)),
  };
}

/** Options of `http2.connect` that go on to `net.connect` or `tls.connect`. */
function leadTo(address: string): SecureClientSessionOptions {
  const family = isIPv6(address) ? 6 : 4;
  const lookup: LookupFunction = (_host, { all }, callback) => {
    if (all) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
  return { lookup };
}

/** Connections to the processor: with wide windows, and given up when they don't come about. */
class ProcessorSessions extends Http2SessionManager {
  readonly #seen = new WeakSet<ClientHttp2Session>();

  override async request(...call: Parameters<Http2SessionManager['request']>): Promise<ClientHttp2Stream> {
    const giveUp = setTimeout(() => {
      if (this.state() === 'connecting') {
        this.abort(new ConnectError('no connection in time', Code.Unavailable));
      }
    }, connectTimeoutMs);
    try {
      const stream = await super.request(...call);
      const session = stream.session as ClientHttp2Session | undefined;
      if (session !== undefined && !this.#seen.has(session)) {
        this.#seen.add(session);
        widenSession(session);
        endWhenSilent(session);
        // The manager takes its own listener off a session that it leaves, while that session's last
        // error, of a ping without an answer say, may still be on its way: it would end this process.
        session.on('error', () => {});
      }
      return stream;
    } finally {
      clearTimeout(giveUp);
    }
  }
}

/**
 * Ends a session on which nothing comes, idle ones too. Http2SessionManager has pings, but for a session that it
 * verifies while that is lost it opens two connections, and callers that wait for the first of them wait for ever.
 */
function endWhenSilent(session: ClientHttp2Session): void {
  let heardBytes = -1;
  let pings = 0;
  const timer = setInterval(() => {
    // It may take a while from there to its close.
    if (session.destroyed) return;
    const { bytesRead } = session.socket;
    if (bytesRead !== heardBytes) {
      heardBytes = bytesRead;
      pings = 0;
    }
    if (pings === pingsUnheard) {
      session.destroy(new ConnectError('pings are not answered', Code.Unavailable), constants.NGHTTP2_CANCEL);
    } else {
      pings++;
      // The answer is a byte read.
      session.ping(() => {});
    }
  }, pingIntervalMs);
  timer.unref();
  session.once('close', () => clearInterval(timer));
}
