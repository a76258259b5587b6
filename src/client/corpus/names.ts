/*
 * The files of a corpus, by their names in its store.
 *
 *     manifest.json             the plan; the last file that planning writes
 *     rows/00003-DIGEST.jsonl   the rows of a shard; DIGEST begins their SHA-256
 *     index/00003-SHA256.jsonl  what became of each row, for the shard with this SHA-256
 *     shards/00003.tar          the shard; it counts as done exactly when this file exists
 *     log/00003-ATTEMPT.jsonl   what one attempt tried, with times
 */

export const manifestName = 'manifest.json';

/** The folders of a corpus. */
export const folders = { rows: 'rows', index: 'index', shards: 'shards', log: 'log' } as const;

const number = (shard: number) => String(shard).padStart(5, '0');

/** @param sha256 - of the rows, in hex */
export const rowsName = (shard: number, sha256: string) =>
  `${folders.rows}/${number(shard)}-${sha256.slice(0, 16)}.jsonl`;

/** @param sha256 - of the shard, in hex */
export const indexName = (shard: number, sha256: string) =>
  `${folders.index}/${number(shard)}-${sha256}.jsonl`;

/** @param ending - of the format, with the dot */
export const shardName = (shard: number, ending: string) => `${folders.shards}/${number(shard)}${ending}`;

export const logName = (shard: number, attempt: string) => `${folders.log}/${number(shard)}-${attempt}.jsonl`;

/** The shard and its SHA-256 in an index' name; undefined for another file. */
export function partsOfIndex(name: string): { readonly shard: number; readonly sha256: string } | undefined {
  const [, shard, sha256] = /^index\/(\d{5,})-([0-9a-f]{64})\.jsonl$/.exec(name) ?? [];
  return shard === undefined || sha256 === undefined ? undefined : { shard: Number(shard), sha256 };
}
