import { hash, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { ownRateLimit } from './rate-limit.ts';

/** Short and plain, because logs contain it. */
export const credentialId = z.string().regex(/^[\w.-]{1,64}$/, '1 to 64 of A–Z, a–z, 0–9, "_", "." and "-"');

/** Whether no two entries have the same id: the log must tell one from the other. */
export function haveOwnIds(entries: readonly { readonly id: string }[]): boolean {
  return new Set(entries.map(({ id }) => id)).size === entries.length;
}

/** More would make each request slow, because it is compared with all of them. */
const maxKeys = 1000;

/**
 * The file of API keys: `{"keys": [{"id": "team-a", "sha256": "…"}]}`. The keys themselves are not in it, so
 * a reader of the file learns none. An empty list refuses every key.
 */
export const apiKeysFile = z.object({
  keys: z
    .array(
      z.strictObject({
        id: credentialId,
        sha256: z
          .string()
          .regex(/^[0-9a-fA-F]{64}$/, "SHA-256 of the key's text, 64 hexadecimal digits")
          .transform((digits) => Buffer.from(digits, 'hex')),
        ...ownRateLimit,
      }),
    )
    .max(maxKeys, `at most ${maxKeys} keys`)
    .refine(haveOwnIds, 'two keys have the same id'),
});

export type ApiKey = z.output<typeof apiKeysFile>['keys'][number];

/**
 * The entry of a key that a caller has sent. All entries are compared, each in constant time, so that the
 * time reveals nothing about them.
 */
export function findApiKey(keys: readonly ApiKey[], presented: string): ApiKey | undefined {
  const digest = hash('sha256', presented, 'buffer');
  let found: ApiKey | undefined;
  for (const key of keys) {
    if (timingSafeEqual(key.sha256, digest)) found = key;
  }
  return found;
}

/** The key in a request's headers: `X-API-Key`, or else `Authorization: Bearer` (RFC 6750). */
export function presentedApiKey(header: (name: string) => string | undefined): string | undefined {
  // In this order because a proxy in front may have an Authorization of its own.
  return header('x-api-key') || /^Bearer +(\S+) *$/i.exec(header('authorization') ?? '')?.[1];
}
