import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where a processor may be: one of the addresses of a URL's host. */
export interface ProcessorAddress {
  readonly url: string;
  /** An IPv4 or IPv6 address without its port. */
  readonly ip: string;
  /** `10.0.0.1:50051` or `[::1]:50051`: identifies a processor. */
  readonly address: string;
}

/** Between two lookups, in milliseconds: a pod that comes has its share of the calls within seconds. */
export const defaultResolveMs = 2_000;

const connectTimeoutMs = 2_000;

/** All IPv4 and IPv6 addresses of a host name. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/**
 * Looks up the addresses of the URLs' hosts repeatedly. A host whose lookup fails, or that has no address at the
 * moment, keeps the addresses that it had: a failing name server ends no connection.
 *
 * @param urls - origins with commas between them
 * @param intervalMs - from one lookup's end to the next
 * @param onAddresses - gets all addresses of all hosts; at once those of hosts that are addresses themselves
 */
export function watchProcessorAddresses(
  urls: string,
  intervalMs: number,
  onAddresses: (addresses: readonly ProcessorAddress[]) => void,
  resolve: Resolve = resolveByLookup,
) {
  const closing = new AbortController();
  const known = new Map<string, readonly ProcessorAddress[]>();
  /** Of each name that has addresses of both families: the one that is used. */
  const families = new Map<string, 4 | 6>();
  const firstLookups: Promise<unknown>[] = [];
  let lastError: unknown;

  function know(url: URL, ips: readonly string[]): void {
    const port = portOf(url);
    known.set(
      url.origin,
      ips.map((ip) => ({ url: url.origin, ip, address: `${isIP(ip) === 6 ? `[${ip}]` : ip}:${port}` })),
    );
    onAddresses([...known.values()].flat());
  }

  /**
   * A pod of a dual-stack Service has an address of each family, and counting both would double its limits. The family
   * is the one that takes a connection first, and is kept while the name has addresses of it.
   */
  async function ofOneFamily(url: URL, ips: readonly string[]): Promise<readonly string[]> {
    const of = (family: 4 | 6) => ips.filter((ip) => isIP(ip) === family);
    if (of(4).length === 0 || of(6).length === 0) return ips;
    const family =
      families.get(url.origin) ?? (await reachableFamily(Number(portOf(url)), ips, closing.signal));
    if (family !== undefined) families.set(url.origin, family);
    return of(family ?? 4);
  }

  async function lookUp(url: URL): Promise<void> {
    try {
      const ips = await ofOneFamily(url, await resolve(url.hostname));
      if (ips.length > 0 && !closing.signal.aborted) know(url, ips);
    } catch (error) {
      lastError = error;
    }
  }

  async function follow(url: URL, firstLookup: Promise<void>): Promise<void> {
    await firstLookup;
    for (;;) {
      await sleep(intervalMs, undefined, { ref: false, signal: closing.signal });
      await lookUp(url);
    }
  }

  for (const url of urls.split(',').map((one) => new URL(one.trim()))) {
    const literal = url.hostname.replace(/^\[(.*)\]$/, '$1');
    if (isIP(literal) !== 0) {
      know(url, [literal]);
    } else {
      const firstLookup = lookUp(url);
      firstLookups.push(firstLookup);
      // It ends by the sleep's AbortError when the watch is closed.
      follow(url, firstLookup).catch(() => {});
    }
  }

  return {
    /** Resolves when every name has been looked up once. */
    lookedUp: Promise.all(firstLookups),
    /** Why the latest lookup that failed did so. */
    lastError: () => lastError,
    close(): void {
      closing.abort();
    },
  };
}

function portOf(url: URL): string {
  return url.port || (url.protocol === 'https:' ? '443' : '80');
}

/** The family of the first address that takes a connection; undefined if none does. */
async function reachableFamily(
  port: number,
  ips: readonly string[],
  signal: AbortSignal,
): Promise<4 | 6 | undefined> {
  const socket = connect({
    host: 'processors',
    port,
    autoSelectFamily: true,
    lookup: (_host, _options, callback) =>
      callback(
        null,
        ips.map((address) => ({ address, family: isIP(address) })),
      ),
  });
  try {
    await once(socket, 'connect', {
      signal: AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)]),
    });
    return socket.remoteFamily === 'IPv6' ? 6 : 4;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

/** getaddrinfo, and not a query of DNS: it knows /etc/hosts and the search domains of a cluster's short names. */
const resolveByLookup: Resolve = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);
