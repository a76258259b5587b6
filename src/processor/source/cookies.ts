import { type Cookie, parseCookie } from 'undici';

/** The cookies of one chain of redirects. */
export interface Cookies {
  /** The Cookie header for a request; undefined when there is none. */
  headerFor(url: URL): string | undefined;
  /** Keeps what the Set-Cookie headers of a URL's response set. */
  keep(url: URL, setCookies: readonly string[]): void;
}

/** The least that browsers support (RFC 6265, 6.1). */
const maxCookieLength = 4096;
const maxCookies = 50;
/** Longest Cookie header, in characters: common servers refuse longer ones. */
const maxHeaderLength = 8192;

interface KeptCookie extends Cookie {
  readonly host: string;
  readonly path: string;
}

/** Where a cookie without a Path belongs (RFC 6265, 5.1.4). */
function defaultPath(url: URL): string {
  const end = url.pathname.lastIndexOf('/');
  return end <= 0 ? '/' : url.pathname.slice(0, end);
}

function isPathWithin(path: string, of: string): boolean {
  return path === of || path.startsWith(of.endsWith('/') ? of : `${of}/`);
}

function isExpired({ maxAge, expires }: Cookie): boolean {
  if (typeof maxAge === 'number') return maxAge <= 0;
  return expires !== null && expires !== undefined && Number(expires) <= Date.now();
}

/**
 * Cookies as in RFC 6265, with one difference: each is sent only to the host that set it, even where its Domain allows
 * others. The list of domains that share an owner (the Public Suffix List) is long and changes weekly, and images behind
 * redirects do not need it.
 */
export function createCookies(): Cookies {
  let cookies: readonly KeptCookie[] = [];

  return {
    headerFor({ hostname, pathname, protocol }) {
      const pairs = cookies
        .filter(({ host, path, secure }) => {
          const isSafe = secure !== true || protocol === 'https:';
          return host === hostname && isPathWithin(pathname, path) && isSafe;
        })
        .map(({ name, value }) => (name === '' ? value : `${name}=${value}`));
      const header = pairs.join('; ');
      return header === '' || header.length > maxHeaderLength ? undefined : header;
    },

    keep(url, setCookies) {
      for (const text of setCookies.slice(0, maxCookies)) {
        const cookie = text.length > maxCookieLength ? null : parseCookie(text);
        if (cookie === null || (cookie.secure === true && url.protocol !== 'https:')) continue;
        const path = cookie.path?.startsWith('/') ? cookie.path : defaultPath(url);
        const kept = { ...cookie, host: url.hostname, path };
        const others = cookies.filter(
          (one) => one.name !== kept.name || one.host !== kept.host || one.path !== kept.path,
        );
        cookies = isExpired(cookie) ? others : [...others, kept].slice(-maxCookies);
      }
    },
  };
}
