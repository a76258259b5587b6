import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type ProcessorAddress,
  type Resolve,
  watchProcessorAddresses,
} from '../../../src/api/upstream/processor-addresses.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** Starts a watch and collects the reported lists of addresses. */
function watched(urls: string, resolve?: Resolve) {
  const lists: string[][] = [];
  const waiting: (() => void)[] = [];
  const onAddresses = (addresses: readonly ProcessorAddress[]) => {
    lists.push(addresses.map(({ url, address }) => `${url} ${address}`));
    for (const wake of waiting.splice(0)) wake();
  };
  const watch = watchProcessorAddresses(urls, 1, onAddresses, resolve);
  cleanups.push(watch.close);
  return { ...watch, lists, next: () => new Promise<void>((wake) => waiting.push(wake)) };
}

describe(watchProcessorAddresses, () => {
  it('returns hosts that are addresses at once', () => {
    expect(watched('http://127.0.0.1:50051, http://[::1]:50052').lists.at(-1)).toEqual([
      'http://127.0.0.1:50051 127.0.0.1:50051',
      'http://[::1]:50052 [::1]:50052',
    ]);
  });

  it("has all of a name's addresses, with the port of the URL or of its scheme", async () => {
    const resolve = async () => ['10.0.0.1', '10.0.0.2'];
    const { lists, lookedUp } = watched('http://a.example:50051,http://b.example,https://c.example', resolve);
    await lookedUp;
    expect(lists.at(-1)).toEqual([
      'http://a.example:50051 10.0.0.1:50051',
      'http://a.example:50051 10.0.0.2:50051',
      'http://b.example 10.0.0.1:80',
      'http://b.example 10.0.0.2:80',
      'https://c.example 10.0.0.1:443',
      'https://c.example 10.0.0.2:443',
    ]);
  });

  it.each([
    ['127.0.0.1', ['127.0.0.1', '127.0.0.2']],
    ['::1', ['[::1]']],
  ])('counts each pod of a dual-stack name once: by the family that %s listens in', async (host, hosts) => {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    cleanups.push(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const resolve = async () => ['127.0.0.1', '127.0.0.2', '::1'];
    const { lists, lookedUp } = watched(`http://a.example:${port}`, resolve);
    await lookedUp;
    expect(lists.at(-1)).toEqual(hosts.map((address) => `http://a.example:${port} ${address}:${port}`));
  });

  it('uses the IPv4 addresses of a dual-stack name while nothing listens, and looks again', async () => {
    const server = createServer().listen(0, '::1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((closed) => server.close(closed));
    const url = `http://a.example:${port}`;
    const { lists, lookedUp, next } = watched(url, async () => ['127.0.0.1', '::1']);
    await lookedUp;
    expect(lists).toEqual([[`${url} 127.0.0.1:${port}`]]);
    server.listen(port, '::1');
    await once(server, 'listening');
    cleanups.push(() => void server.close());
    while (lists.at(-1)?.[0] !== `${url} [::1]:${port}`) await next();
  });

  it('looks names up as the system does, in /etc/hosts too', async () => {
    const { lists, lookedUp } = watched('http://localhost:1');
    await lookedUp;
    expect(lists.at(-1)).toContain('http://localhost:1 127.0.0.1:1');
  });

  it('looks up again, and reports addresses that appear and disappear', async () => {
    let ips = ['10.0.0.1'];
    const { lists, lookedUp, next } = watched('http://a.example:1', async () => ips);
    await lookedUp;
    ips = ['10.0.0.2', '10.0.0.3'];
    await next();
    expect(lists[0]).toEqual(['http://a.example:1 10.0.0.1:1']);
    expect(lists.at(-1)).toEqual(['http://a.example:1 10.0.0.2:1', 'http://a.example:1 10.0.0.3:1']);
  });

  it.each([
    ['fails', () => Promise.reject(new Error('getaddrinfo EAI_AGAIN a.example'))],
    ['has no address', async () => []],
  ])('keeps the addresses of a name that %s later', async (_, later) => {
    let lookups = 0;
    const { promise: lookedUpAgain, resolve: onLookedUpAgain } = Promise.withResolvers<void>();
    const { lists } = watched('http://a.example:1', async () => {
      lookups++;
      if (lookups === 1) return ['10.0.0.1'];
      if (lookups === 4) onLookedUpAgain();
      return later();
    });
    await lookedUpAgain;
    expect(lists).toEqual([['http://a.example:1 10.0.0.1:1']]);
  });

  it('reports why a lookup failed', async () => {
    const { lookedUp, lastError, lists } = watched('http://a.example:1', async () => {
      throw new Error('getaddrinfo ENOTFOUND a.example');
    });
    await lookedUp;
    expect(String(lastError())).toBe('Error: getaddrinfo ENOTFOUND a.example');
    expect(lists).toEqual([]);
  });

  it('stops looking up when it is closed', async () => {
    let lookups = 0;
    const { lookedUp, close } = watched('http://a.example:1', async () => [`10.0.0.${++lookups}`]);
    await lookedUp;
    close();
    const before = lookups;
    // A lookup that is due is done by then.
    const other = watched('http://b.example:1', async () => ['10.0.0.1']);
    for (let i = 0; i < 3; i++) await other.next();
    expect(lookups).toBe(before);
  });
});
