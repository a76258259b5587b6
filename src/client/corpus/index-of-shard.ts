import { createHash } from 'node:crypto';
import * as z from 'zod';
import { ClientError } from '../client-error.ts';
import { indexName } from './names.ts';
import type { CorpusStore } from './store/corpus-store.ts';
import { readWhole } from './store/stored-bytes.ts';

const entrySchema = z.looseObject({
  id: z.string(),
  row: z.number().int().nonnegative(),
  outcome: z.enum(['stored', 'failed']),
  reason: z.string().optional(),
  retryable: z.boolean().optional(),
  source_sha256: z.string().optional(),
});

/** A line of an index: what became of a row. */
export type IndexEntry = z.infer<typeof entrySchema>;

/** SHA-256 of a file in hex, from its bytes. @returns undefined if there is no such file */
export async function hashOf(
  store: CorpusStore,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const bytes = await store.open(name, signal);
  if (bytes === undefined) return undefined;
  const digest = createHash('sha256');
  for await (const chunk of bytes) digest.update(chunk);
  return digest.digest('hex');
}

/**
 * Reads the index of the shard with this SHA-256.
 *
 * @returns undefined if there is none
 * @throws ClientError INDEX_INVALID
 */
export async function readIndex(
  shard: number,
  sha256: string,
  store: CorpusStore,
  signal: AbortSignal,
): Promise<IndexEntry[] | undefined> {
  const name = indexName(shard, sha256);
  const bytes = await readWhole(store, name, signal);
  if (bytes === undefined) return undefined;
  try {
    const lines = bytes.toString().split('\n').slice(0, -1);
    return lines.map((line) => entrySchema.parse(JSON.parse(line)));
  } catch (cause) {
    const message = `"${store.urlOf(name)}" is not the index of a shard.`;
    throw new ClientError('files', 'INDEX_INVALID', message, { cause });
  }
}
