import type { Outcome } from './outcome.ts';

/**
 * Keeps the first of several samples of the same page of sources with the same SHA-256. The others fail with SOURCE_REPEATED and the row
 * that was kept. It depends on the order and the bytes of the sources only, never on which response came first.
 *
 * @param outcomes - of a shard, in the order of their keys
 */
export function withoutDuplicates(outcomes: readonly Outcome[]): readonly Outcome[] {
  const first = new Map<string, number>();
  return outcomes.map((outcome) => {
    if (!('sample' in outcome)) return outcome;
    const { row, source } = outcome.sample;
    const key = `${source.sha256} ${row.page ?? 1}`;
    const kept = first.get(key);
    if (kept === undefined) {
      first.set(key, row.row);
      return outcome;
    }
    const details = { kept_row: String(kept), source_sha256: source.sha256 };
    return { failure: { row, reason: 'SOURCE_REPEATED', retryable: false, details } };
  });
}
