import { Failure } from '../../failures.ts';
import { statusFailure } from './origin-failures.ts';

/**
 * Checks that a URL is one that is downloaded by HTTP: http or https, and without a user name and password, which
 * would end up in caches and logs.
 *
 * @param subject - what the failure's message begins with
 * @throws Failure URL_SCHEME_UNSUPPORTED, URL_INVALID
 */
export function checkUrl(url: URL, subject = 'The URL'): void {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    const scheme = url.protocol.slice(0, -1);
    throw new Failure(
      'URL_SCHEME_UNSUPPORTED',
      `${subject} has the scheme ${scheme}; only http, https and s3 are allowed.`,
      { scheme },
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new Failure(
      'URL_INVALID',
      `${subject} contains a user name or password, which is not allowed. Use a URL that needs none, such as a signed one.`,
    );
  }
}

/** A URL as its records are kept: a fragment is never sent to an origin. */
export function hrefWithoutFragment(url: URL): string {
  const copy = new URL(url);
  copy.hash = '';
  return copy.href;
}

/** Where a response redirects to. @throws Failure ORIGIN_STATUS */
export function redirectTarget(
  response: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
  from: URL,
): URL {
  // undici reads headers as Latin-1; servers that don't escape a path write it in UTF-8.
  const location = Buffer.from(response.headers.location ?? '', 'latin1').toString();
  const target = location === '' ? null : URL.parse(location, from);
  if (target === null) {
    throw statusFailure(
      from.host,
      response.status,
      `responded with ${response.status} without a valid Location`,
    );
  }
  return target;
}
