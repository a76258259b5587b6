import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP, isIPv6, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { Failure } from '../../failures.ts';
import { watchResponses } from './origin-socket.ts';
import { isPublicAddress } from './public-address.ts';
import { maxHeadBytes } from './response-heads.ts';

/** Finds every address of a host name; `lookup` of node:dns is one. */
export type Lookup = (
  hostname: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Longest waits while talking to one origin. */
export interface OriginTimeouts {
  /** For name, TCP and TLS together. */
  readonly connectTimeoutMs: number;
  /** From the request to the end of the response's headers. */
  readonly headersTimeoutMs: number;
  /** Between two pieces of a body. */
  readonly bodyTimeoutMs: number;
}

export interface GuardedAgentOptions extends OriginTimeouts {
  /**
   * Hosts that may have private addresses: lower-case names and IP literals as a URL has them, with a port
   * (`minio:9000`, `[::1]:80`) or, for all ports, without.
   */
  readonly allowedHosts: ReadonlySet<string>;
  /**
   * Most bytes of one response on the wire, to within one read. Status line, early hints, headers and chunk lines count
   * too: undici bounds them only by time, or not at all.
   * Default: no limit.
   */
  readonly maxWireBytes?: number | undefined;
  /** Default: the system's resolver. */
  readonly lookup?: Lookup | undefined;
  /** Whether connections are kept for further requests. Default: true. */
  readonly keepsConnections?: boolean | undefined;
}

/**
 * Idle connections are closed after this time, whatever the origin's Keep-Alive says: callers name any origin, and each
 * could hold a file descriptor for undici's ten minutes.
 */
const keepAliveMaxTimeoutMs = 10_000;

/**
 * The failure of a host that has no public address. It is the same for a name that does not exist and for one with a
 * private address, and does not say which address was found: otherwise a caller could map a private
 * network by its names.
 */
function addressForbidden(host: string, cause?: unknown): Failure {
  return new Failure(
    'URL_ADDRESS_FORBIDDEN',
    `${host} does not lead to a public address, and images are downloaded from public addresses only. Check the URL's host name, send the image's bytes instead, or have the host added to URL_ALLOWED_HOSTS.`,
    { host },
    { cause },
  );
}

function unresolved(host: string, cause: unknown): Failure {
  return new Failure(
    'ORIGIN_UNRESOLVED',
    `The address of ${host} could not be looked up. Try again later.`,
    { host },
    { cause },
  );
}

/** Whether the name servers did not respond, which says nothing about the name. */
function isLookupOutage(error: NodeJS.ErrnoException | null): boolean {
  return error !== null && ['EAI_AGAIN', 'ETIMEOUT', 'ESERVFAIL', 'ECONNREFUSED'].includes(error.code ?? '');
}

function isAllowed(
  allowedHosts: ReadonlySet<string>,
  { hostname, protocol, port }: buildConnector.Options,
): boolean {
  const host = isIPv6(hostname) ? `[${hostname}]` : hostname;
  const namedPort = port || (protocol === 'https:' ? '443' : '80');
  return (
    allowedHosts.has(hostname) || allowedHosts.has(host) || allowedHosts.has(`${host}:${String(namedPort)}`)
  );
}

/**
 * An undici agent that opens sockets to public addresses only, and to `allowedHosts`. The check
 * runs where the socket is opened, so it covers every redirect and every spelling of a host.
 *
 * Its requests are rejected with URL_ADDRESS_FORBIDDEN or ORIGIN_UNRESOLVED, or with undici's own errors.
 */
export function createGuardedAgent({
  allowedHosts,
  connectTimeoutMs,
  headersTimeoutMs,
  bodyTimeoutMs,
  maxWireBytes = Number.POSITIVE_INFINITY,
  lookup = systemLookup,
  keepsConnections = true,
}: GuardedAgentOptions): Agent {
  // The connection uses the addresses that were checked: a second lookup could return others (DNS rebinding). One
  // private address refuses the host: otherwise an attacker publishes a public and a private record, refuses
  // connections on the public one, and the private one is tried next.
  const resolve =
    (acceptable: (address: string) => boolean, notFound: typeof unresolved): LookupFunction =>
    (hostname, options, callback) => {
      lookup(hostname, { all: true }, (error, addresses) => {
        const [first] = addresses ?? [];
        if (error !== null || first === undefined) {
          callback(isLookupOutage(error) ? unresolved(hostname, error) : notFound(hostname, error), []);
        } else if (!addresses.every(({ address }) => acceptable(address))) {
          callback(addressForbidden(hostname), []);
        } else if (options.all === true) {
          callback(null, addresses);
        } else {
          callback(null, first.address, first.family);
        }
      });
    };

  const connectBy = (lookupFunction: LookupFunction): buildConnector.connector => {
    const open = buildConnector({
      timeout: connectTimeoutMs,
      // Tries the next of the checked addresses when one is slow or dead.
      autoSelectFamily: true,
      lookup: lookupFunction,
      // One request per connection: aborting it by closing the connection disturbs no other.
      allowH2: false,
      // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment cannot turn it off.
      rejectUnauthorized: true,
    });
    return (options, callback) =>
      open(options, (...[error, socket]) => {
        if (error !== null) {
          callback(error, null);
          return;
        }
        watchResponses(socket, options.hostname, maxWireBytes);
        callback(null, socket);
      });
  };
  // The operator named this host, so its absence is no secret.
  const connectAnywhere = connectBy(resolve(() => true, unresolved));
  const connectPublic = connectBy(resolve(isPublicAddress, addressForbidden));

  const connect: buildConnector.connector = (options, callback) => {
    if (isAllowed(allowedHosts, options)) {
      connectAnywhere(options, callback);
      return;
    }
    const { hostname } = options;
    // `resolve` is not called for IP literals.
    if (isIP(hostname) !== 0 && !isPublicAddress(hostname)) {
      queueMicrotask(() => callback(addressForbidden(hostname), null));
      return;
    }
    connectPublic(options, (...[error, socket]) => {
      // A second check on the socket itself, in case the first was bypassed. A socket that was closed meanwhile has no
      // address, and undici handles it.
      if (socket?.remoteAddress !== undefined && !isPublicAddress(socket.remoteAddress)) {
        socket.destroy();
        callback(addressForbidden(hostname), null);
      } else if (error === null) {
        callback(null, socket);
      } else {
        callback(error, null);
      }
    });
  };

  return new Agent({
    connect,
    allowH2: false,
    headersTimeout: headersTimeoutMs,
    bodyTimeout: bodyTimeoutMs,
    maxHeaderSize: maxHeadBytes,
    keepAliveMaxTimeout: keepAliveMaxTimeoutMs,
    ...(keepsConnections ? {} : { pipelining: 0 }),
  });
}
