import { hash } from 'node:crypto';
import { z } from 'zod';

/** Headers by lower-case name. */
export type Headers = Readonly<Record<string, string>>;

/** Headers for origins, by the origins as `ORIGIN_HEADERS_FILE` names them. */
export type OriginHeaders = Readonly<Record<string, Headers>>;

/** The product token that says who asks, where nothing else is set. */
export const defaultUserAgent = 'image-processor';

/** What is sent to origins beside what belongs to one request. */
export interface RequestHeaders {
  /** The headers of a request to a URL. */
  of(url: URL): Headers;
  /**
   * The same, with a hash in place of each value that is a secret: what decides whether two responses may stand for each
   * other, and may be stored.
   */
  fingerprintsOf(url: URL): Headers;
  /** Of all secrets together, in hex; empty without any. Whatever was learnt with other ones is not used. */
  fingerprint(): string;
}

/** Names that the download itself needs, or that would change what a response means. */
const reservedNames: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'cookie',
  'expect',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'keep-alive',
  'proxy-connection',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** `host`, `host:port` or `http://host:port`, as a URL has them. */
const originForm = /^(?:https?:\/\/)?(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/;

const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~\w-]+$/, 'a name that is no header')
  .transform((name) => name.toLowerCase())
  .refine((name) => !reservedNames.has(name), 'a header that the service itself decides');

/** `{"images.example": {"Authorization": "Bearer …"}}` */
export const originHeadersFile = z.record(
  z
    .string()
    .transform((origin) => origin.toLowerCase())
    .refine((origin) => originForm.test(origin), 'a host is host, host:port or http://host:port'),
  z.record(headerName, z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'a value that no header has')),
);

/**
 * @param userAgent - says who asks
 * @param originHeaders - asked anew for each request: the file may change
 */
export function createRequestHeaders(
  userAgent: string,
  originHeaders: () => OriginHeaders = () => ({}),
): RequestHeaders {
  const common = {
    // An image if there are several representations; whatever there is otherwise.
    accept: 'image/*,*/*;q=0.8',
    'accept-encoding': 'identity',
    'user-agent': userAgent,
  };
  return {
    of: (url) => ({ ...common, ...secretsOf(url, originHeaders()) }),
    fingerprintsOf(url) {
      const secrets = Object.entries(secretsOf(url, originHeaders()));
      return { ...common, ...Object.fromEntries(secrets.map(([name, value]) => [name, sha256(value)])) };
    },
    fingerprint() {
      const all = originHeaders();
      return Object.keys(all).length === 0 ? '' : sha256(JSON.stringify(all));
    },
  };
}

function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}

/**
 * The headers for the origin of a URL. An entry without a port and scheme holds for https alone: a URL that somebody
 * sends with http would otherwise carry the secret over the network in the clear.
 */
function secretsOf({ protocol, host, hostname, port }: URL, all: OriginHeaders): Headers {
  const isTls = protocol === 'https:';
  const named = port === '' ? `${hostname}:${isTls ? 443 : 80}` : host;
  const isPlainOnTlsPort = !isTls && named.endsWith(':443');
  return {
    ...(isTls && all[hostname]),
    ...(!isPlainOnTlsPort && all[named]),
    ...all[`${protocol}//${hostname}`],
    ...all[`${protocol}//${named}`],
  };
}
