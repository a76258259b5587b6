import type { SecureClientSessionOptions } from 'node:http2';
import { isIPv6, type LookupFunction } from 'node:net';
import { createHttp2Connection, type Http2Connection } from '../../grpc/http2-connection.ts';

/** Longest wait for a connection. In one network it takes a millisecond. */
const connectTimeoutMs = 2_000;
/** Pings detect a peer that hangs with its connection open; without them each call waits for its deadline. */
const pingIntervalMs = 1_000;

/**
 * One connection to one processor, opened when a call needs it and opened again after it has ended.
 *
 * @param ip - the one of the host's addresses to connect to. The host's name still goes into `:authority`, and over TLS
 *   the certificate has to be for that name.
 */
export function createProcessorConnection(url: string, ip?: string): Http2Connection {
  return createHttp2Connection(url, {
    connectTimeoutMs,
    pingIntervalMs,
    ...(ip !== undefined && { session: connectTo(ip) }),
  });
}

/** Options of `http2.connect` that are passed on to `net.connect` or `tls.connect`. */
function connectTo(ip: string): SecureClientSessionOptions {
  const family = isIPv6(ip) ? 6 : 4;
  const lookup: LookupFunction = (_host, { all }, callback) => {
    if (all) callback(null, [{ address: ip, family }]);
    else callback(null, ip, family);
  };
  return { lookup };
}
