import { hashOf, readIndex } from '../index-of-shard.ts';
import type { CorpusStore } from '../store/corpus-store.ts';

/** Whether rows of a shard failed for a reason that can pass. A shard without an index is made again as well. */
export async function hasRetryable(
  shard: number,
  name: string,
  store: CorpusStore,
  signal: AbortSignal,
): Promise<boolean> {
  const sha256 = await hashOf(store, name, signal);
  const index = sha256 === undefined ? undefined : await readIndex(shard, sha256, store, signal);
  return index === undefined || index.some(({ retryable }) => retryable === true);
}
