import type { Http2Session } from 'node:http2';

/** Connections of one age would all come back in the same moment. */
const jitter = 0.1;

/**
 * For a server's new sessions: each says GOAWAY at the age of `maxAgeMs`, ± 10 %, finishes the calls in flight and
 * ends. Callers behind a balancer of connections then connect again, also to newer processors.
 *
 * @param maxAgeMs - 0: connections have no maximum age
 */
export function limitConnectionAge(maxAgeMs: number): (session: Http2Session) => void {
  return (session) => {
    if (maxAgeMs === 0) return;
    const ageMs = maxAgeMs * (1 - jitter + 2 * jitter * Math.random());
    const timer = setTimeout(() => session.close(), ageMs);
    session.once('close', () => clearTimeout(timer));
  };
}
