import { hash } from 'node:crypto';
import type { Plan } from '../image/plan.ts';
import { numericsVersions } from '../image/provenance.ts';

/**
 * The key of a response, derived from everything that determines it: the source's bytes, the plan, the version of its
 * numerics and the libraries. Equal keys mean equal bytes, on every machine and in every replica.
 *
 * @param sourceSha256 - of the encoded source, in hex
 * @param libraries - the versions of the libraries that decode and encode
 * @returns SHA-256 in hex
 */
export function cacheKey(
  sourceSha256: string,
  plan: Plan,
  libraries: Readonly<Record<string, string>>,
): string {
  return hash(
    'sha256',
    JSON.stringify([
      numericsVersions[plan.numerics],
      libraries,
      sourceSha256,
      canonical(withoutPassword(plan)),
    ]),
  );
}

/** The plan with the SHA-256 of its password, so that what is hashed does not contain the password itself. */
function withoutPassword(plan: Plan): Plan {
  const { source } = plan;
  if (source === undefined || source.password === '') return plan;
  return { ...plan, source: { ...source, password: hash('sha256', source.password) } };
}

/** The same value with the keys of every object in order, so that their original order does not matter. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  // JSON has no −0, and a factor of −0 gives other bits than 0.
  if (Object.is(value, -0)) return '-0';
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, part]) => [key, canonical(part)]));
}
