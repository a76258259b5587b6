import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port of the loopback address that no program has at the moment, for one that cannot choose its own. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
