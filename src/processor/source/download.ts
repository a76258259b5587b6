import type { Dispatcher } from 'undici';
import { Failure } from '../../failures.ts';
import { untilAborted } from '../../until-aborted.ts';
import { failureFromOrigin } from './client-failures.ts';
import { createCookies } from './cookies.ts';
import { createGuardedAgent, type GuardedAgentOptions, type OriginTimeouts } from './guarded-agent.ts';
import { optOutOf } from './opt-outs.ts';
import { isOfStaleConnection } from './origin-socket.ts';
import { checkUrl, hrefWithoutFragment, redirectTarget } from './origin-url.ts';
import {
  createRequestHeaders,
  defaultUserAgent,
  type Headers,
  type RequestHeaders,
} from './request-headers.ts';
import { type OriginResponse, readImage, wireBytesOf } from './response-image.ts';
import { withinTime } from './within-time.ts';

/** The timeouts of one connection are half of `timeoutMs` by default. */
export interface DownloaderOptions
  extends Pick<GuardedAgentOptions, 'allowedHosts' | 'lookup'>,
    Partial<OriginTimeouts> {
  /** Most bytes of an image. */
  readonly maxBytes: number;
  /** Longest wait for a download as a whole, with all its redirects. */
  readonly timeoutMs: number;
  /** Most redirects that are followed. Default: 3. */
  readonly maxRedirects?: number | undefined;
  /** Sent with every request. Default: those of `image-processor`, without secrets. */
  readonly requestHeaders?: RequestHeaders | undefined;
}

/** If-None-Match and If-Modified-Since for the response of one URL. */
export interface Validators {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Download {
  /** Every response, in order: redirects, then the last one. */
  readonly responses: readonly OriginResponse[];
  /** The body, in a buffer of its own; undefined when the last response is 304 Not Modified. */
  readonly content: Uint8Array | undefined;
}

export interface Downloader {
  /**
   * Downloads a URL and follows its redirects.
   *
   * @param validators - sent only with the request to their own URL, which may be the target of a redirect:
   *   another URL's response has other validators, and a 304 from it would mean nothing
   * @throws Failure URL_SCHEME_UNSUPPORTED, URL_INVALID, URL_ADDRESS_FORBIDDEN, ORIGIN_UNRESOLVED,
   *   ORIGIN_UNREACHABLE, ORIGIN_STATUS, ORIGIN_BUSY, ORIGIN_REDIRECTS_OVER_LIMIT, ORIGIN_TIMEOUT,
   *   SOURCE_EMPTY, SOURCE_BYTES_OVER_LIMIT, or the failure that `failureFromAbort` derives from the signal
   */
  download(url: URL, validators: Validators | undefined, signal: AbortSignal): Promise<Download>;
  /** Closes all connections; running downloads fail. */
  close(): Promise<void>;
}

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Whether a response tells where to go on. 300 (Multiple Choices) does where it names its preferred choice. */
function isRedirect({ status, headers }: OriginResponse): boolean {
  return redirectStatuses.has(status) || (status === 300 && headers.location !== undefined);
}

function plainHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}

/**
 * Records a request of a redirect chain. Repeating a URL with the same cookies would never end.
 *
 * @throws Failure ORIGIN_REDIRECTS_OVER_LIMIT
 */
function checkVisit(visits: Set<string>, visit: string, maxRedirects: number): void {
  if (visits.has(visit)) {
    throw new Failure('ORIGIN_REDIRECTS_OVER_LIMIT', 'The URL redirects in a circle. Check the URL.', {
      limit: maxRedirects,
      actual: visits.size,
    });
  }
  visits.add(visit);
}

/** Downloads from public addresses, within limits of bytes and time. */
export function createDownloader(options: DownloaderOptions): Downloader {
  const { allowedHosts, lookup, maxBytes, timeoutMs, maxRedirects = 3 } = options;
  const requestHeaders = options.requestHeaders ?? createRequestHeaders(defaultUserAgent);
  const halfMs = Math.ceil(timeoutMs / 2);
  const timeouts: OriginTimeouts = {
    connectTimeoutMs: options.connectTimeoutMs ?? halfMs,
    headersTimeoutMs: options.headersTimeoutMs ?? halfMs,
    bodyTimeoutMs: options.bodyTimeoutMs ?? halfMs,
  };
  const maxWireBytes = wireBytesOf(maxBytes);
  const agentOptions = { allowedHosts, lookup, maxWireBytes, ...timeouts };
  const agent = createGuardedAgent(agentOptions);
  const fresh = createGuardedAgent({ ...agentOptions, keepsConnections: false });

  async function request(
    url: URL,
    headers: Headers,
    signal: AbortSignal,
    by = agent,
  ): Promise<Dispatcher.ResponseData> {
    signal.throwIfAborted();
    const response = by.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      headers,
      signal,
    });
    try {
      // undici ignores the signal while it connects.
      return await untilAborted(response, signal);
    } catch (error) {
      // Sent once more, on a new connection that cannot be stale.
      if (by === agent && isOfStaleConnection(error)) return request(url, headers, signal, fresh);
      throw failureFromOrigin(error, url.host, timeouts);
    }
  }

  /** The URL that a redirect names, if another redirect may be followed. */
  function nextTarget(responses: readonly OriginResponse[], response: OriginResponse, from: URL): URL {
    const target = redirectTarget(response, from);
    checkUrl(target, `${from.host} redirects to a URL that`);
    if (responses.length > maxRedirects) {
      throw new Failure(
        'ORIGIN_REDIRECTS_OVER_LIMIT',
        `The URL redirects more than ${maxRedirects} times. Use the URL that it leads to.`,
        { limit: maxRedirects, actual: responses.length },
      );
    }
    return target;
  }

  async function follow(
    first: URL,
    validators: Validators | undefined,
    signal: AbortSignal,
  ): Promise<Download> {
    checkUrl(first);
    const responses: OriginResponse[] = [];
    const cookies = createCookies();
    const visits = new Set<string>();
    let target = first;
    for (;;) {
      const url = hrefWithoutFragment(target);
      const conditional = validators?.url === url ? validators.headers : undefined;
      const cookie = cookies.headerFor(target);
      checkVisit(visits, `${url} ${cookie}`, maxRedirects);
      const headers: Headers = {
        ...requestHeaders.of(target),
        ...conditional,
        ...(cookie !== undefined && { cookie }),
      };
      const received = await request(target, headers, signal);
      const response = {
        url,
        status: received.statusCode,
        headers: plainHeaders(received.headers),
        optOut: optOutOf(received.headers, headers['user-agent']),
      };
      cookies.keep(target, [received.headers['set-cookie'] ?? []].flat());
      responses.push(response);
      try {
        if (response.status === 304 && conditional !== undefined) return { responses, content: undefined };
        if (!isRedirect(response)) {
          return {
            responses,
            content: await readImage(received.body, response, target.host, { maxBytes, maxWireBytes }),
          };
        }
        target = nextTarget(responses, response, target);
      } catch (error) {
        throw failureFromOrigin(error, target.host, timeouts);
      } finally {
        // Closes the connection of an unread body; does nothing to a body that was read.
        received.body.on('error', () => {}).destroy();
      }
    }
  }

  return {
    download: (url, validators, signal) =>
      withinTime(url.host, timeoutMs, signal, (either) => follow(url, validators, either)),
    async close() {
      await Promise.all([agent.destroy(), fresh.destroy()]);
    },
  };
}
