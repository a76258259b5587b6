import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';

/** Serves the routes over HTTP/2 without TLS on a free port of the loopback. */
export async function startRpcServer(routes: (router: ConnectRouter) => void) {
  const server = createServer(connectNodeAdapter({ routes }));
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    /** `127.0.0.1:port`, as grpcurl takes it. */
    address: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,

    /** Ends when every call has ended, as a server that drains. */
    drain(): Promise<void> {
      return new Promise((resolve) => server.close(() => resolve()));
    },

    async [Symbol.asyncDispose](): Promise<void> {
      const closed = this.drain();
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}
