import { indexName } from '../names.ts';
import type { CorpusStore, StoredFile } from '../store/corpus-store.ts';
import type { EarlierShard } from './retryable.ts';

/** A shard that is complete, before it is stored. */
export interface MadeShard {
  readonly shard: number;
  /** Its file's name in the store. */
  readonly name: string;
  readonly contentType: string;
  readonly file: StoredFile;
  readonly index: StoredFile;
  /** Its samples. */
  readonly stored: number;
}

/**
 * The end of a shard that was made: `present` means that another worker was faster, `kept` that an earlier one has as
 * many samples or more.
 */
export type ShardState = 'written' | 'present' | 'replaced' | 'kept';

/**
 * Stores a shard: first its index, under a name that contains the shard's SHA-256, and the shard last. The shard is done
 * exactly when it exists, and an index without its shard counts for nothing.
 *
 * @param earlier - the shard to replace, unless it has more samples; undefined to write only a shard that does not exist
 */
export async function commitShard(
  store: CorpusStore,
  { shard, name, contentType, file, index, stored }: MadeShard,
  earlier: EarlierShard | undefined,
  signal: AbortSignal,
): Promise<ShardState> {
  const sha256 = file.sha256.toString('hex');
  const ofIndex = [indexName(shard, sha256), index, 'application/jsonl', signal] as const;
  if (earlier === undefined) {
    await store.writeNew(...ofIndex);
    return await store.writeNew(name, file, contentType, signal);
  }
  if (stored < (earlier.stored ?? 0)) return 'kept';
  // The reasons of failures may have changed, even where no sample has.
  await store.replace(...ofIndex);
  if (sha256 === earlier.sha256) return 'kept';
  await store.replace(name, file, contentType, signal);
  return 'replaced';
}
