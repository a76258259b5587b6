import { hash } from 'node:crypto';
import CachePolicy from 'http-cache-semantics';
import * as z from 'zod';
import type { Validators } from './download.ts';
import type { RequestHeaders } from './request-headers.ts';
import type { OriginResponse } from './response-image.ts';

/** Where records are kept: the result cache's tiers. A lost or failed record costs a download, no more. */
export interface RecordStore {
  get(key: string): Promise<Uint8Array | undefined>;
  set(key: string, value: Uint8Array, ttlMs: number): void | Promise<void>;
}

/** The result of a URL's last download. */
export interface UrlRecord {
  /** SHA-256 of the image, in hex. */
  readonly sha256: string;
  /** Whether all origins of the redirect chain allow reuse without revalidation. */
  readonly isFresh: boolean;
  /** Headers for a conditional request; undefined when the origin sent no validator. */
  readonly validators: Validators | undefined;
  /** One policy per response: redirects, then the image's. */
  readonly policies: readonly CachePolicy[];
  /** The header line that opts out of machine learning; empty for none, undefined in records of older versions. */
  readonly optOut: string | undefined;
}

export interface UrlRecords {
  /** The record of a URL; undefined when there is none or it cannot be read. */
  find(url: string): Promise<UrlRecord | undefined>;
  /**
   * Stores the result of a download as far as its headers allow.
   *
   * @param previous - the record until now; a 304 at the end of `responses` confirms it
   */
  keep(
    url: string,
    responses: readonly OriginResponse[],
    sha256: string,
    previous: UrlRecord | undefined,
  ): void;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Longest reuse of an image without revalidation, whatever its origin allows: many send a year by default. */
const maxFreshMs = dayMs;

/** Lifetime of a record with validators. */
const validatorsMs = 7 * dayMs;

/** The headers that control caching. Others, such as cookies, are not stored. */
const freshnessHeaders = [
  'age',
  'cache-control',
  'date',
  'etag',
  'expires',
  'last-modified',
  'pragma',
  'vary',
];

/** The fields read here; the library checks the version of the others. */
const storedPolicy = z.object({
  t: z.number(),
  resh: z.record(z.string(), z.string()),
  rescc: z.record(z.string(), z.unknown()),
});

const storedRecord = z.object({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  policies: z
    .array(z.custom<CachePolicy.CachePolicyObject>((value) => storedPolicy.safeParse(value).success))
    .min(1),
  optOut: z.string().optional(),
});

function policyHeaders({ headers }: OriginResponse): Record<string, string> {
  const kept = Object.fromEntries(
    freshnessHeaders.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );
  // The library understands only lower-case directives. Stale images are never used here, so must-revalidate adds
  // nothing; the library would treat it as "always revalidate".
  const cacheControl = kept['cache-control']?.toLowerCase().replace(/\b(must|proxy)-revalidate\b/g, '');
  if (cacheControl !== undefined) kept['cache-control'] = cacheControl;
  // The presence of a cookie affects freshness; its value does not.
  if (headers['set-cookie'] !== undefined) kept['set-cookie'] = 'set';
  return kept;
}

function urlOf(policy: CachePolicy): string {
  return policy.toObject().u ?? '';
}

/**
 * The opt-out of a redirect chain; empty for none. A 304 usually repeats none of the headers, so what is known remains;
 * undefined where nothing is.
 */
export function optOutOfChain(
  responses: readonly OriginResponse[],
  previous: Pick<UrlRecord, 'optOut'> | undefined,
): string | undefined {
  const stated = responses.find(({ optOut }) => optOut !== undefined)?.optOut;
  if (stated !== undefined) return stated;
  return responses.at(-1)?.status === 304 ? previous?.optOut : '';
}

/** Whether no response of the chain forbids storage in a shared cache. */
function mayBeKept(policies: readonly CachePolicy[]): boolean {
  return policies.every((policy) => {
    const directives = policy.toObject().rescc;
    return !('no-store' in directives || 'private' in directives);
  });
}

/**
 * Freshness of URLs by RFC 9111, as a shared cache: a URL's image is fresh as long as every response of its redirect
 * chain is.
 *
 * An image without explicit freshness is not fresh. RFC 9111 allows a guess from Last-Modified, but then a replaced file
 * would be served stale for up to a day although its origin can revalidate it.
 *
 * @param now - the clock, in milliseconds since 1970
 * @param requestHeaders - sent with every request
 */
export function createUrlRecords(
  store: RecordStore,
  now: () => number,
  requestHeaders: Pick<RequestHeaders, 'fingerprint' | 'fingerprintsOf'>,
): UrlRecords {
  // A record made with other secrets, or with none, may belong to another user of the origin.
  function recordKey(url: string): string {
    return `url:${hash('sha256', requestHeaders.fingerprint() + url, 'hex')}`;
  }

  /** A download's request for http-cache-semantics, without secrets: it may store the headers. */
  function policyRequest(href: string): CachePolicy.HttpRequest {
    const url = new URL(href);
    return {
      url: href,
      method: 'GET',
      headers: { ...requestHeaders.fingerprintsOf(url), host: url.host },
    };
  }

  function validatorsOf(policy: CachePolicy): Validators | undefined {
    const url = urlOf(policy);
    const headers = policy.revalidationHeaders(policyRequest(url));
    const validators = ['if-none-match', 'if-modified-since'].flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    });
    return validators.length === 0 ? undefined : { url, headers: Object.fromEntries(validators) };
  }

  // The library takes its clock as a method of its policies.
  class Policy extends CachePolicy {
    now(): number {
      return now();
    }
  }

  function toRecord(
    sha256: string,
    policies: readonly CachePolicy[],
    optOut: string | undefined,
  ): UrlRecord | undefined {
    const last = policies.at(-1);
    if (last === undefined) return undefined;
    const isFresh =
      now() - last.toObject().t < maxFreshMs &&
      policies.every((policy) => policy.satisfiesWithoutRevalidation(policyRequest(urlOf(policy))));
    return { sha256, isFresh, validators: validatorsOf(last), policies, optOut };
  }

  function toPolicy(response: OriginResponse, previous: UrlRecord | undefined): CachePolicy {
    const request = policyRequest(response.url);
    const confirmed = previous?.policies.at(-1);
    if (response.status !== 304 || confirmed === undefined) {
      return new Policy(
        request,
        { status: response.status, headers: policyHeaders(response) },
        { cacheHeuristic: 0 },
      );
    }
    // Many origins omit the validators from a 304, which then confirms those of the request.
    const { etag, 'last-modified': lastModified } = confirmed.toObject().resh;
    const headers = { etag, 'last-modified': lastModified, ...policyHeaders(response) };
    return confirmed.revalidatedPolicy(request, { status: 304, headers }).policy;
  }

  function lifetimeMs(policies: readonly CachePolicy[], record: UrlRecord): number {
    if (record.validators !== undefined) return validatorsMs;
    const freshSeconds = Math.min(...policies.map((policy) => policy.maxAge() - policy.age()));
    return Math.min(freshSeconds * 1000, maxFreshMs);
  }

  async function write(key: string, value: Uint8Array, ttlMs: number): Promise<void> {
    try {
      await store.set(key, value, ttlMs);
    } catch {
      // A lost record only costs the next download.
    }
  }

  return {
    async find(url) {
      try {
        const bytes = await store.get(recordKey(url));
        if (bytes === undefined) return undefined;
        const { sha256, policies, optOut } = storedRecord.parse(JSON.parse(Buffer.from(bytes).toString()));
        return toRecord(
          sha256,
          policies.map((policy) => Policy.fromObject({ ...policy, ch: 0 })),
          optOut,
        );
      } catch {
        // A truncated record, one of another version or a failing store counts as no record.
        return undefined;
      }
    },

    keep(url, responses, sha256, previous) {
      const policies = responses.map((response) => toPolicy(response, previous));
      const optOut = optOutOfChain(responses, previous);
      const record = mayBeKept(policies) ? toRecord(sha256, policies, optOut) : undefined;
      const ttlMs = record === undefined ? 0 : lifetimeMs(policies, record);
      if (ttlMs > 0) {
        const stored = { sha256, policies: policies.map((policy) => policy.toObject()), optOut };
        void write(recordKey(url), Buffer.from(JSON.stringify(stored)), ttlMs);
      } else if (previous !== undefined) {
        // Stores cannot delete. An empty value counts as no record and replaces the old one.
        void write(recordKey(url), new Uint8Array(), 1000);
      }
    },
  };
}
