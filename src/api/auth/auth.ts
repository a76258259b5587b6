import { callerOfKey } from '../../caller.ts';
import { Failure } from '../../failures.ts';
import { isLoopback } from '../../loopback.ts';
import { openSecretFile } from '../../secret-file.ts';
import type { Logger } from '../../telemetry/telemetry.ts';
import type { ApiConfig } from '../config.ts';
import type { ApiContext } from '../context.ts';
import { apiKeysFile, findApiKey, presentedApiKey } from './api-keys.ts';
import { createRateLimiter, type RateLimit, rateLimitHeaders, rateLimitOf } from './rate-limit.ts';
import { checkLink, linkParameters, linkSecretsFile } from './signed-links.ts';

/** Decides which callers may have images processed. */
export interface Gate {
  /**
   * Lets a request in by its API key or its signature, and counts it. Without keys and secrets it lets every request in. The
   * headers for it go into the response, and the caller into the access log.
   *
   * @throws Failure UNAUTHENTICATED, SIGNATURE_INVALID, LINK_EXPIRED, RATE_LIMITED
   */
  admit(c: ApiContext): Promise<void>;
  /** Ends the reading of the files. */
  close(): void;
}

interface Caller {
  /** The credential, for the access log. */
  readonly log: { readonly key_id: string } | { readonly link_id: string };
  readonly limit: RateLimit | undefined;
}

/**
 * Opens the gate with the files that the configuration names.
 *
 * @param now - the clock, in milliseconds since 1970
 * @throws Error when a file cannot be used
 */
export function createGate(config: ApiConfig, log: Logger, now: () => number = Date.now): Gate {
  const keys = config.apiKeysFile && openSecretFile(config.apiKeysFile, apiKeysFile, log);
  const links = config.linkSecretsFile && openSecretFile(config.linkSecretsFile, linkSecretsFile, log);
  const count = createRateLimiter();

  function identify(c: ApiContext): Caller {
    const { pathname, searchParams } = new URL(c.req.url);
    if (links && (c.req.method === 'GET' || c.req.method === 'HEAD') && searchParams.has('signature')) {
      const nowMs = now();
      const { secret, expiresMs } = checkLink(links.current().secrets, pathname, searchParams, nowMs);
      const leftSeconds = Math.floor((expiresMs - nowMs) / 1000);
      c.set('maxAgeSeconds', Math.min(leftSeconds, config.linkMaxAgeSeconds));
      c.set('spentParameters', linkParameters);
      // Many people use links of one secret, so the limit for keys does not apply to them.
      return { log: { link_id: secret.id }, limit: rateLimitOf(secret, undefined) };
    }
    const presented = presentedApiKey((name) => c.req.header(name));
    if (presented === undefined || !keys) {
      c.res.headers.set('WWW-Authenticate', 'Bearer realm="image-api"');
      throw new Failure('UNAUTHENTICATED', `The request does not say who sends it: ${ways()}.`);
    }
    const key = findApiKey(keys.current().keys, presented);
    if (key === undefined) {
      c.res.headers.set('WWW-Authenticate', 'Bearer realm="image-api", error="invalid_token"');
      throw new Failure('UNAUTHENTICATED', 'The API key is not known here. It may have been replaced.');
    }
    return { log: { key_id: key.id }, limit: rateLimitOf(key, config.rateLimit) };
  }

  function ways(): string {
    const byKey = 'send an API key as "Authorization: Bearer …" or as "X-API-Key"';
    return [keys && byKey, links && 'GET with a signed link'].filter(Boolean).join(', or ');
  }

  return {
    async admit(c) {
      if (!keys && !links) return;
      const { log: noted, limit } = identify(c);
      c.set('caller', noted);
      // Many people use links of one secret, so each request counts by the client's address.
      if ('key_id' in noted) c.set('callerName', callerOfKey(noted.key_id));
      if (limit === undefined) return;
      const state = await count(Object.entries(noted).join(), limit);
      // In the response itself, so that every response to this request has them.
      for (const [name, value] of Object.entries(rateLimitHeaders(state))) c.res.headers.set(name, value);
      if (!state.isExceeded) return;
      const { requestsPerSecond, burst } = limit;
      throw new Failure(
        'RATE_LIMITED',
        `This key may send ${requestsPerSecond} requests a second, ${burst} of them at once. Wait ${state.resetSeconds} s.`,
        { limit: requestsPerSecond, burst, retry_after_seconds: state.resetSeconds },
      );
    },
    close() {
      if (keys) keys.stop();
      if (links) links.stop();
    },
  };
}

/** Logs at the start that authentication is off: as a warning if other machines can reach the port. */
export function announceAuthentication(
  config: Pick<ApiConfig, 'host' | 'apiKeysFile' | 'linkSecretsFile'>,
  log: Logger,
): void {
  const { host, apiKeysFile: keys, linkSecretsFile: links } = config;
  if (keys !== undefined || links !== undefined) return;
  if (isLoopback(host)) {
    log.info({ host }, 'authentication is off: only this machine reaches the port');
  } else {
    log.warn(
      { host },
      'authentication is off, and HOST is not loopback: everybody who reaches the port may use it; set API_KEYS_FILE or LINK_SECRETS_FILE',
    );
  }
}
