/**
 * Whether a request's Cache-Control asks for a response that was checked with its origin (RFC 9111, 5.2.1): `no-cache`, or
 * `max-age=0` as browsers send it when a page is reloaded.
 */
export function saysNoCache(cacheControl: string | null | undefined): boolean {
  const directives = (cacheControl ?? '').split(',').map((directive) => directive.trim().toLowerCase());
  return directives.some((directive) => directive === 'no-cache' || /^max-age\s*=\s*"?0+"?$/.test(directive));
}
