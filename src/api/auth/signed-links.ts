import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { Failure } from '../../failures.ts';
import { credentialId, haveOwnIds } from './api-keys.ts';
import { ownRateLimit } from './rate-limit.ts';

/*
 * Links that need no API key until they expire: with one, a web page shows an image without holding a key.
 *
 *   GET /v1/images?expires=1893456000&url=https%3A%2F%2F…&width=224&signature=…
 */

/** The query parameters that make a link a signed one. They are options of the link, not of the image. */
export const linkParameters = ['expires', 'signature'] as const;

/** The file of secrets that links are signed with: `{"secrets": [{"id": "2026-11", "secret": "…"}]}`. */
export const linkSecretsFile = z.object({
  secrets: z
    .array(
      z.strictObject({
        id: credentialId,
        secret: z.string().min(32, 'a secret of at least 32 characters'),
        ...ownRateLimit,
      }),
    )
    .max(100, 'at most 100 secrets')
    .refine(haveOwnIds, 'two secrets have the same id'),
});

export type LinkSecret = z.output<typeof linkSecretsFile>['secrets'][number];

/**
 * The signed part of a link: its path, `?`, and all parameters but `signature`, sorted by name and then by value, each
 * percent-encoded as UTF-8 except for A–Z, a–z, 0–9, `-`, `.`, `_` and `~` (RFC 3986's unreserved characters).
 */
export function canonicalLink(path: string, query: URLSearchParams): string {
  const pairs = [...query]
    .filter(([name]) => name !== 'signature')
    .map(([name, value]) => [percentEncoded(name), percentEncoded(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB));
  return `${path}?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`;
}

/** The signature of a link: HMAC-SHA-256 over its canonical form, in base64url without padding. */
export function signLink(secret: string, path: string, query: URLSearchParams): string {
  return createHmac('sha256', secret).update(canonicalLink(path, query)).digest('base64url');
}

/**
 * The secret that a link was signed with, and when the link expires, in milliseconds since 1970.
 *
 * @param nowMs - since 1970
 * @throws Failure SIGNATURE_INVALID, LINK_EXPIRED
 */
export function checkLink(
  secrets: readonly LinkSecret[],
  path: string,
  query: URLSearchParams,
  nowMs: number,
): { readonly secret: LinkSecret; readonly expiresMs: number } {
  const [signature = '', ...otherSignatures] = query.getAll('signature');
  const [expires = '', ...otherExpiries] = query.getAll('expires');
  let found: LinkSecret | undefined;
  for (const secret of secrets) {
    if (isEqual(signLink(secret.secret, path, query), signature)) found = secret;
  }
  const isComplete = otherSignatures.length + otherExpiries.length === 0 && /^\d{1,12}$/.test(expires);
  if (found === undefined || !isComplete) {
    throw new Failure(
      'SIGNATURE_INVALID',
      'The signature is not that of this link. Use the link as it was made, with all its parameters.',
    );
  }
  const expiresMs = Number(expires) * 1000;
  if (expiresMs <= nowMs) {
    throw new Failure(
      'LINK_EXPIRED',
      `The link was good until ${expires}, in seconds since 1970. Ask for a new one.`,
      {
        expires,
      },
    );
  }
  return { secret: found, expiresMs };
}

function isEqual(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** encodeURIComponent leaves five more characters as they are than RFC 3986 has unreserved ones. */
function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
