import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import process from 'node:process';
import { EnvironmentError } from '../environment.ts';

/**
 * The port for a service of `npm start`: the variable's if it is set, else the default, or any free one (`0`) where
 * another process has the default.
 *
 * @throws EnvironmentError if the variable is set and its port is taken
 */
export async function choosePort(variable: string, defaultPort: number, host: string): Promise<string> {
  const set = process.env[variable];
  const port = set || String(defaultPort);
  // The service's own config reports values that are no port.
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535 || !(await isTaken(Number(port), host))) return port;
  if (!set) return '0';
  throw new EnvironmentError(`${variable} is "${port}"; allowed: a port that no other process listens on`);
}

/** Loopback of both families counts as well: `localhost` in the printed commands may lead to either. */
async function isTaken(port: number, host: string): Promise<boolean> {
  if (port === 0) return false;
  if (await isAnswered(port)) return true;
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
  } finally {
    server.close();
  }
}

async function isAnswered(port: number): Promise<boolean> {
  for (const host of ['127.0.0.1', '::1']) {
    const socket = connect(port, host);
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      // The next one.
    } finally {
      socket.destroy();
    }
  }
  return false;
}
