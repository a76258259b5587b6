import { hashOf, readIndex } from '../index-of-shard.ts';
import type { CorpusStore } from '../store/corpus-store.ts';

/** A shard that may be replaced. */
export interface EarlierShard {
  readonly sha256: string;
  /** Its samples; undefined for a shard without an index. */
  readonly stored: number | undefined;
}

/** Whether rows of a shard failed for a reason that can pass. A shard without an index is made again as well. */
export async function findRetryable(
  shard: number,
  name: string,
  store: CorpusStore,
  signal: AbortSignal,
): Promise<EarlierShard | undefined> {
  const sha256 = await hashOf(store, name, signal);
  if (sha256 === undefined) return undefined;
  const index = await readIndex(shard, sha256, store, signal);
  if (index === undefined) return { sha256, stored: undefined };
  if (!index.some(({ retryable }) => retryable === true)) return undefined;
  return { sha256, stored: index.filter(({ outcome }) => outcome === 'stored').length };
}
