import type { Manifest } from '../manifest.ts';
import { rowsName } from '../names.ts';
import { type CorpusRow, lineOfRow } from '../row.ts';
import type { CorpusStore } from '../store/corpus-store.ts';
import { storedText } from '../store/stored-bytes.ts';

/** The rows of a list by shards, as a plan counts them. */
export interface RowShards {
  readonly rows: number;
  readonly shards: Manifest['shards'];
  /** Rows that fail without being sent, by reason. */
  readonly problems: ReadonlyMap<string, number>;
  /** The first of them by reason, in words. */
  readonly firstProblems: ReadonlyMap<string, string>;
}

const contentType = 'application/jsonl';

/**
 * Splits rows into shards and stores the rows of each. Within a shard they are sorted by the bytes of their keys; so are the
 * samples.
 *
 * @param store - undefined to only count
 */
export async function splitRows(
  rows: AsyncIterable<CorpusRow>,
  rowsPerShard: number,
  store: CorpusStore | undefined,
  signal: AbortSignal,
): Promise<RowShards> {
  const shards: Manifest['shards'] = [];
  const problems = new Map<string, number>();
  const firstProblems = new Map<string, string>();
  let count = 0;
  let part: CorpusRow[] = [];
  const close = async () => {
    const sorted = part.map((row) => ({ row, key: Buffer.from(row.id) }));
    sorted.sort((a, b) => Buffer.compare(a.key, b.key));
    const file = storedText(sorted.map(({ row }) => `${lineOfRow(row)}\n`).join(''));
    const rowsSha256 = file.sha256.toString('hex');
    const name = rowsName(shards.length, rowsSha256);
    await store?.writeNew(name, file, contentType, signal);
    if (shards.length === 0) await store?.ensureWrittenOnce(name, file, contentType, signal);
    shards.push({ first: count - part.length, count: part.length, rowsSha256 });
    part = [];
  };
  for await (const row of rows) {
    signal.throwIfAborted();
    if (row.problem !== undefined) {
      const { reason, message } = row.problem;
      problems.set(reason, (problems.get(reason) ?? 0) + 1);
      if (!firstProblems.has(reason)) firstProblems.set(reason, `${reason}: ${message}`);
    }
    part.push(row);
    count++;
    if (part.length === rowsPerShard) await close();
  }
  if (part.length > 0) await close();
  return { rows: count, shards, problems, firstProblems };
}
