import { hash } from 'node:crypto';
import CachePolicy from 'http-cache-semantics';
import { z } from 'zod';
import type { OriginAnswer, Validators } from './download.ts';
import type { RequestHeaders } from './request-headers.ts';

/** Where records are kept: the result cache's tiers. A lost or failed record costs a download, no more. */
export interface RecordStore {
  get(key: string): Promise<Uint8Array | undefined>;
  set(key: string, value: Uint8Array, ttlMs: number): void | Promise<void>;
}

/** What is known of a URL from its last download. */
export interface UrlRecord {
  /** Of the image that it led to, in hex. */
  readonly sha256: string;
  /** Whether the origins on the way allow the image to be used again without asking them. */
  readonly isFresh: boolean;
  /** What to ask with whether the image has changed; undefined when the origin gave nothing for that. */
  readonly validators: Validators | undefined;
  /** One policy an answer: redirects, then the image's. */
  readonly policies: readonly CachePolicy[];
}

export interface UrlRecords {
  /** The record of a URL; undefined when there is none or it can't be read. */
  find(url: string): Promise<UrlRecord | undefined>;
  /**
   * Keeps what a download has told, as far as its headers allow that.
   *
   * @param previous - the record until now; a 304 at the end of `answers` confirms it
   */
  keep(url: string, answers: readonly OriginAnswer[], sha256: string, previous: UrlRecord | undefined): void;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Longest use of an image without asking its origin, whatever that allows: many send a year by default. */
const maxFreshMs = dayMs;

/** How long a record with validators is of use: after this a download costs no more than asking. */
const validatorsMs = 7 * dayMs;

/** The headers that say how an answer may be kept. The others, cookies above all, aren't stored. */
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

/** What is relied on here; the library checks its own version of the rest. */
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
});

function policyHeaders({ headers }: OriginAnswer): Record<string, string> {
  const kept = Object.fromEntries(
    freshnessHeaders.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );
  // The library knows directives in lower case alone. Nothing stale is ever used here, so that one must
  // revalidate once stale goes without saying; the library would take it for "revalidate always".
  const cacheControl = kept['cache-control']?.toLowerCase().replace(/\b(must|proxy)-revalidate\b/g, '');
  if (cacheControl !== undefined) kept['cache-control'] = cacheControl;
  // That a cookie came bears on freshness, its value doesn't.
  if (headers['set-cookie'] !== undefined) kept['set-cookie'] = 'set';
  return kept;
}

function urlOf(policy: CachePolicy): string {
  return policy.toObject().u ?? '';
}

/** Whether nobody on the way forbids a shared cache to keep what it said. */
function mayBeKept(policies: readonly CachePolicy[]): boolean {
  return policies.every((policy) => {
    const directives = policy.toObject().rescc;
    return !('no-store' in directives || 'private' in directives);
  });
}

/**
 * Freshness of URLs by RFC 9111, as a shared cache: a URL leads to the same image again as long as every
 * answer on the way to it, redirects included, is fresh.
 *
 * Without a word of the origin about freshness an image is not fresh: RFC 9111 lets caches guess from Last-Modified, and
 * then a replaced file stays the old one for up to a day, although the origin could be asked.
 *
 * @param now - the clock, in milliseconds since 1970
 * @param requestHeaders - what is sent with every request
 */
export function createUrlRecords(
  store: RecordStore,
  now: () => number,
  requestHeaders: Pick<RequestHeaders, 'fingerprint' | 'fingerprintsOf'>,
): UrlRecords {
  // What was learnt with other secrets, or with none, may not be theirs to see.
  function recordKey(url: string): string {
    return `url:${hash('sha256', requestHeaders.fingerprint() + url, 'hex')}`;
  }

  /** The request of a download, as http-cache-semantics takes it. It may store headers, so none of them is a secret. */
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

  // The library's clock is a method of its policies.
  class Policy extends CachePolicy {
    now(): number {
      return now();
    }
  }

  function toRecord(sha256: string, policies: readonly CachePolicy[]): UrlRecord | undefined {
    const last = policies.at(-1);
    if (last === undefined) return undefined;
    const isFresh =
      now() - last.toObject().t < maxFreshMs &&
      policies.every((policy) => policy.satisfiesWithoutRevalidation(policyRequest(urlOf(policy))));
    return { sha256, isFresh, validators: validatorsOf(last), policies };
  }

  function toPolicy(answer: OriginAnswer, previous: UrlRecord | undefined): CachePolicy {
    const request = policyRequest(answer.url);
    const confirmed = previous?.policies.at(-1);
    if (answer.status !== 304 || confirmed === undefined) {
      return new Policy(
        request,
        { status: answer.status, headers: policyHeaders(answer) },
        { cacheHeuristic: 0 },
      );
    }
    // Many origins leave the validators out of a 304; it can only mean the ones that it was asked with.
    const { etag, 'last-modified': lastModified } = confirmed.toObject().resh;
    const headers = { etag, 'last-modified': lastModified, ...policyHeaders(answer) };
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
      // Without its record the URL is downloaded again next time.
    }
  }

  return {
    async find(url) {
      try {
        const bytes = await store.get(recordKey(url));
        if (bytes === undefined) return undefined;
        const { sha256, policies } = storedRecord.parse(JSON.parse(Buffer.from(bytes).toString()));
        return toRecord(
          sha256,
          policies.map((policy) => Policy.fromObject({ ...policy, ch: 0 })),
        );
      } catch {
        // Cut short, written by another version, or no answer from the store: as good as no record.
        return undefined;
      }
    },

    keep(url, answers, sha256, previous) {
      const policies = answers.map((answer) => toPolicy(answer, previous));
      const record = mayBeKept(policies) ? toRecord(sha256, policies) : undefined;
      const ttlMs = record === undefined ? 0 : lifetimeMs(policies, record);
      if (ttlMs > 0) {
        const stored = { sha256, policies: policies.map((policy) => policy.toObject()) };
        void write(recordKey(url), Buffer.from(JSON.stringify(stored)), ttlMs);
      } else if (previous !== undefined) {
        // Stores can't delete: an empty value is no record, and it ends the old one.
        void write(recordKey(url), new Uint8Array(), 1000);
      }
    },
  };
}
