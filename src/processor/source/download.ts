import type { Dispatcher } from 'undici';
import { Failure, failureFromAbort } from '../../failures.ts';
import { ContentCodingError, isEncoded, withoutContentCodings } from './content-coding.ts';
import { createCookies } from './cookies.ts';
import { createGuardedAgent, type GuardedAgentOptions, type OriginTimeouts } from './guarded-agent.ts';
import { failureFromOrigin, failureFromStatus, statusFailure, timedOut } from './origin-failures.ts';
import { isOfStaleConnection } from './origin-socket.ts';
import { checkUrl, hrefWithoutFragment, redirectTarget } from './origin-url.ts';
import {
  createRequestHeaders,
  defaultUserAgent,
  type Headers,
  type RequestHeaders,
} from './request-headers.ts';

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

/** One answer of an origin: a redirect or the last one. */
export interface OriginAnswer {
  /** What was asked for, without fragment. */
  readonly url: string;
  readonly status: number;
  /** By lower-case name; a header that came more than once is joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
}

/** If-None-Match and If-Modified-Since for the answer of one URL. */
export interface Validators {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Download {
  /** Every answer on the way, in order: redirects, then the last one. */
  readonly answers: readonly OriginAnswer[];
  /** The body, in a buffer of its own; undefined when the last answer is 304 Not Modified. */
  readonly content: Uint8Array | undefined;
}

export interface Downloader {
  /**
   * Downloads what a URL leads to.
   *
   * @param validators - sent with the request to their own URL alone, be it the first or one that is
   *   redirected to: another URL's answer has other validators, and a 304 from it would mean nothing
   * @throws Failure URL_SCHEME_UNSUPPORTED, URL_INVALID, URL_ADDRESS_FORBIDDEN, ORIGIN_UNRESOLVED,
   *   ORIGIN_UNREACHABLE, ORIGIN_STATUS, ORIGIN_BUSY, ORIGIN_REDIRECTS_OVER_LIMIT, ORIGIN_TIMEOUT,
   *   SOURCE_EMPTY, SOURCE_BYTES_OVER_LIMIT, and what `failureFromAbort` makes of the signal
   */
  download(url: URL, validators: Validators | undefined, signal: AbortSignal): Promise<Download>;
  /** Closes all connections; downloads under way fail. */
  close(): Promise<void>;
}

/** Beside twice the image, which is plenty for chunks: headers, early hints, the bodies of redirects. */
const wireSlackBytes = 1024 * 1024;

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Whether a response tells where to go on. 300 (Multiple Choices) does where it names its preferred choice. */
function isRedirect({ status, headers }: OriginAnswer): boolean {
  return redirectStatuses.has(status) || (status === 300 && headers.location !== undefined);
}

/**
 * Whether a response contains a whole image. 203 is a 200 that a proxy has changed; an unrequested 206 may contain all
 * bytes (RFC 9110, 14.4). 202, 204 and the others do not.
 */
function isWholeImage({ status, headers }: OriginAnswer): boolean {
  if (status !== 206) return status === 200 || status === 203;
  const [, last, length] = /^bytes 0-(\d+)\/(\d+)$/.exec(headers['content-range'] ?? '') ?? [];
  return length !== undefined && Number(last) + 1 === Number(length);
}

/** An image with more bytes than are taken, as the failure that says so. */
export function bytesOverLimit(limit: number, actual: number): Failure {
  return new Failure(
    'SOURCE_BYTES_OVER_LIMIT',
    `The image has at least ${actual} bytes; at most ${limit} are taken. Send a smaller file.`,
    { limit, actual },
  );
}

function plainHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}

/**
 * Notes a request of a chain of redirects. A request for the same URL with the same cookies would end as before.
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

/** The whole body in one buffer: of the declared length, or else growing as the bytes come. */
async function readBody(
  body: AsyncIterable<Uint8Array>,
  declaredBytes: number | undefined,
  maxBytes: number,
): Promise<Uint8Array> {
  if (declaredBytes !== undefined && declaredBytes > maxBytes) throw bytesOverLimit(maxBytes, declaredBytes);
  let buffer = new ArrayBuffer(declaredBytes ?? Math.min(64 * 1024, maxBytes));
  let length = 0;
  for await (const chunk of body) {
    const needed = length + chunk.byteLength;
    if (needed > maxBytes) throw bytesOverLimit(maxBytes, needed);
    if (needed > buffer.byteLength) {
      buffer = buffer.transfer(Math.min(Math.max(needed, 2 * buffer.byteLength), maxBytes));
    }
    new Uint8Array(buffer).set(chunk, length);
    length = needed;
  }
  return new Uint8Array(length === buffer.byteLength ? buffer : buffer.transfer(length));
}

/** A promise's outcome, or the signal's reason as soon as it aborts: undici heeds no signal while it connects. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject);
  });
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
  const maxWireBytes = 2 * maxBytes + wireSlackBytes;
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
      return await unlessAborted(response, signal);
    } catch (error) {
      // Once more, where no such thing can happen again.
      if (by === agent && isOfStaleConnection(error)) return request(url, headers, signal, fresh);
      throw failureFromOrigin(error, url.host, timeouts);
    }
  }

  /** The body of a response with a Content-Encoding. Its declared length, if any, is that of the encoded bytes. */
  async function readEncoded(
    body: AsyncIterable<Uint8Array>,
    coding: string | undefined,
    host: string,
    status: number,
  ): Promise<Uint8Array> {
    try {
      return await readBody(withoutContentCodings(body, coding, maxWireBytes), undefined, maxBytes);
    } catch (error) {
      if (!(error instanceof ContentCodingError)) throw error;
      const words = 'sent a body that its Content-Encoding does not decode';
      throw statusFailure(host, status, words, error);
    }
  }

  /** The body of an answer that is to be an image. */
  async function readImage(
    { body }: Dispatcher.ResponseData,
    answer: OriginAnswer,
    host: string,
  ): Promise<Uint8Array> {
    const { status, headers } = answer;
    if (!isWholeImage(answer)) throw failureFromStatus(host, status, headers['retry-after']);
    // undici takes the chunks apart and leaves the rest as it is, which is no image then.
    if (!/^(chunked)?$/i.test(headers['transfer-encoding']?.trim() ?? '')) {
      throw statusFailure(host, status, 'answered with a Transfer-Encoding that nobody asked for');
    }
    const declared = headers['content-length'];
    const coding = headers['content-encoding'];
    const content = isEncoded(coding)
      ? await readEncoded(body, coding, host, status)
      : await readBody(body, declared === undefined ? undefined : Number(declared), maxBytes);
    if (content.byteLength === 0) {
      throw new Failure('SOURCE_EMPTY', `${host} answered ${status} with an empty body.`, { host });
    }
    return content;
  }

  /** Where a redirect leads to, if it may be followed after the answers so far. */
  function nextTarget(answers: readonly OriginAnswer[], answer: OriginAnswer, from: URL): URL {
    const target = redirectTarget(answer, from);
    checkUrl(target, `${from.host} redirects to a URL that`);
    if (answers.length > maxRedirects) {
      throw new Failure(
        'ORIGIN_REDIRECTS_OVER_LIMIT',
        `The URL redirects more than ${maxRedirects} times. Use the URL that it leads to.`,
        { limit: maxRedirects, actual: answers.length },
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
    const answers: OriginAnswer[] = [];
    const cookies = createCookies();
    const visits = new Set<string>();
    let target = first;
    for (;;) {
      const url = hrefWithoutFragment(target);
      const conditional = validators?.url === url ? validators.headers : undefined;
      const cookie = cookies.headerFor(target);
      checkVisit(visits, `${url} ${cookie}`, maxRedirects);
      const headers = {
        ...requestHeaders.of(target),
        ...conditional,
        ...(cookie !== undefined && { cookie }),
      };
      const response = await request(target, headers, signal);
      const answer = { url, status: response.statusCode, headers: plainHeaders(response.headers) };
      cookies.keep(target, [response.headers['set-cookie'] ?? []].flat());
      answers.push(answer);
      try {
        if (answer.status === 304 && conditional !== undefined) return { answers, content: undefined };
        if (!isRedirect(answer)) {
          return { answers, content: await readImage(response, answer, target.host) };
        }
        target = nextTarget(answers, answer, target);
      } catch (error) {
        throw failureFromOrigin(error, target.host, timeouts);
      } finally {
        // What is not read is not waited for: its connection is closed. A body that was read is over.
        response.body.on('error', () => {}).destroy();
      }
    }
  }

  return {
    async download(url, validators, signal) {
      const whole = new AbortController();
      const timer = setTimeout(() => whole.abort(timedOut(url.host, 'whole', timeoutMs)), timeoutMs);
      const either = AbortSignal.any([signal, whole.signal]);
      try {
        return await follow(url, validators, either);
      } catch (error) {
        throw either.aborted ? failureFromAbort(either) : error;
      } finally {
        clearTimeout(timer);
      }
    },
    async close() {
      await Promise.all([agent.destroy(), fresh.destroy()]);
    },
  };
}
