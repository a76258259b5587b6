import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EnvironmentError } from '../src/environment.ts';
import { listen } from '../src/listen.ts';

function newServer() {
  const server = createServer();
  onTestFinished(() => void server.close());
  return server;
}

describe(listen, () => {
  it('names PORT, or the variable of another port, when the port is taken', async () => {
    const port = await listen(newServer(), 0, '127.0.0.1');
    await expect(listen(newServer(), port, '127.0.0.1')).rejects.toThrow(
      new EnvironmentError(`PORT is "${port}"; allowed: a port that no other process listens on`),
    );
    await expect(listen(newServer(), port, '127.0.0.1', 'METRICS_PORT')).rejects.toThrow(/^METRICS_PORT is /);
  });

  it.each(['192.0.2.1', 'no-such-host.invalid', '256.1.1.1'])('names HOST when it is %s', async (host) => {
    await expect(listen(newServer(), 0, host)).rejects.toThrow(
      new RegExp(`^HOST is "${host}"; allowed: an address of this machine`),
    );
  });

  it('serves IPv4 at ::, or 0.0.0.0 where there is no IPv6', async () => {
    const server = newServer();
    const port = await listen(server, 0, '::');
    expect(['::', '0.0.0.0']).toContain((server.address() as AddressInfo).address);
    const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(500) }).catch(
      (error: Error) => error.name,
    );
    // Nothing responds here: the connection was accepted and the request waits.
    expect(response).toBe('TimeoutError');
  });
});
