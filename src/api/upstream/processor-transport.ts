import type { SecureClientSessionOptions } from 'node:http2';
import { isIPv6, type LookupFunction } from 'node:net';
import { Code, ConnectError, type Transport } from '@connectrpc/connect';
import { createHttp2Connection } from '../../grpc/http2-connection.ts';
import { responseOverheadBytes } from '../../grpc/transport.ts';
import { createGrpcUnary } from '../connect/grpc-unary.ts';

/** A processor that has not taken the connection by then is gone: in one network it takes a millisecond. */
const connectTimeoutMs = 2_000;
/** Pings find a peer that hangs with its connection open; without them each call waits out its deadline. */
const pingIntervalMs = 1_000;

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
  const sessions = createHttp2Connection(url, {
    connectTimeoutMs,
    pingIntervalMs,
    ...(address !== undefined && { session: leadTo(address) }),
  });
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
