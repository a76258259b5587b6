import type { AddressInfo, Server } from 'node:net';
import { EnvironmentError } from './environment.ts';

/** Errors of an address that cannot be bound: the variable to change and its allowed values. */
const bindProblems: Readonly<Record<string, readonly ['HOST' | 'PORT', string]>> = {
  EADDRINUSE: ['PORT', 'a port that no other process listens on'],
  EACCES: ['PORT', 'a port that this user may listen on; ports under 1024 usually need root'],
  EADDRNOTAVAIL: ['HOST', 'an address of this machine'],
  ENOTFOUND: ['HOST', 'an address of this machine, or a name that resolves to one'],
  EAI_AGAIN: ['HOST', 'an address of this machine, or a name that resolves to one'],
  EINVAL: ['HOST', 'an address of this machine'],
  EAFNOSUPPORT: ['HOST', 'an address of a family that this machine supports'],
};

/**
 * Starts a server. `::` serves IPv6 and IPv4; on a machine without IPv6 it becomes `0.0.0.0`.
 *
 * @param portVariable - environment variable that `port` comes from
 * @returns the port, which the system chooses where `port` is 0
 * @throws EnvironmentError if the address cannot be bound
 */
export async function listen(
  server: Server,
  port: number,
  host: string,
  portVariable = 'PORT',
): Promise<number> {
  try {
    await bind(server, port, host);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (host === '::' && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL')) {
      return await listen(server, port, '0.0.0.0', portVariable);
    }
    const [variable, allowed] = bindProblems[code] ?? [];
    if (variable === undefined) throw error;
    const [name, value] = variable === 'PORT' ? [portVariable, port] : ['HOST', host];
    throw new EnvironmentError(`${name} is "${value}"; allowed: ${allowed}`);
  }
  return (server.address() as AddressInfo).port;
}

function bind(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
