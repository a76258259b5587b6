import { hash } from 'node:crypto';
import * as z from 'zod';

/** Headers by lower-case name. */
export type Headers = Readonly<Record<string, string>>;

/** Headers for origins, by the origins as `ORIGIN_HEADERS_FILE` names them. */
export type OriginHeaders = Readonly<Record<string, Headers>>;

/** Default User-Agent. */
export const defaultUserAgent = 'image-processor';

/** Headers sent with every request to an origin. */
export interface RequestHeaders {
  /** The headers of a request to a URL. */
  of(url: URL): Headers;
  /**
   * The same headers with a hash in place of each secret. They decide whether a stored response may be reused, and may
   * themselves be stored.
   */
  fingerprintsOf(url: URL): Headers;
  /** Hash of all secrets, in hex; empty without secrets. Records made with other secrets are not used. */
  fingerprint(): string;
}

/** Headers that the download sets itself, or that would change the meaning of a response. */
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
 * @param userAgent - value of the User-Agent header
 * @param originHeaders - read for each request: the file may change
 */
export function createRequestHeaders(
  userAgent: string,
  originHeaders: () => OriginHeaders = () => ({}),
): RequestHeaders {
  const common = {
    // Prefers an image where there are several representations, and accepts anything else.
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
 * The headers for the origin of a URL. An entry without port and scheme applies to https only: otherwise a caller's http
 * URL would send the secret in clear text.
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
