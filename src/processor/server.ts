import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { http2Settings, maxSessionMemory, messageOverheadBytes, widenSession } from '../transport.ts';

/** A listening gRPC server. */
export interface GrpcServer {
  readonly port: number;
  /** Tells every peer to go elsewhere (GOAWAY), refuses new connections and waits for the calls in flight. */
  drain(): Promise<void>;
}

/**
 * Serves routes over gRPC, gRPC-Web and Connect on cleartext HTTP/2.
 *
 * @param maxSourceBytes - a message may have this much and some room for its other fields
 */
export async function startGrpcServer(
  routes: (router: ConnectRouter) => void,
  options: { host: string; port: number; maxSourceBytes: number },
): Promise<GrpcServer> {
  const server = createServer(
    { settings: http2Settings, maxSessionMemory },
    connectNodeAdapter({
      routes,
      readMaxBytes: options.maxSourceBytes + messageOverheadBytes,
      // Images are compressed already.
      acceptCompression: [],
    }),
  );
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    widenSession(session);
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    drain: () => drain(server, sessions),
  };
}

async function drain(server: Http2Server, sessions: ReadonlySet<ServerHttp2Session>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  for (const session of sessions) session.close();
  await closed;
}
