import { ClientError } from '../../client-error.ts';
import type { JobConsole } from '../../job/job.ts';
import type { VerifyArguments } from '../corpus-arguments.ts';
import { hashOf, type IndexEntry, readIndex } from '../index-of-shard.ts';
import { loadManifest } from '../load-manifest.ts';
import type { Manifest } from '../manifest.ts';
import { folders, partsOfIndex, shardName } from '../names.ts';
import { shardFormat } from '../shards/shard-formats.ts';
import type { CorpusStore } from '../store/corpus-store.ts';
import { openStore } from '../store/open-store.ts';
import { RepeatedSources } from './repeated-sources.ts';
import { emptyReport, reportJson, reportWords, type VerifyReport } from './report.ts';

/** Shards that are read at the same time. */
const shardsAtOnce = 4;

/**
 * Counts and hashes what is there.
 *
 * @returns `incomplete` if a shard is missing or damaged, or too many rows failed
 * @throws ClientError for a manifest or a store that cannot be read
 */
export async function verifyCorpus(
  verify: VerifyArguments,
  { print }: JobConsole,
  signal: AbortSignal,
): Promise<'done' | 'incomplete'> {
  const store = openStore(verify.out, verify.environment, verify.patienceMs);
  try {
    const manifest = await loadManifest(store, verify.job, signal);
    const report = await reportOf(store, manifest, verify, signal);
    const share = report.failed / Math.max(1, report.stored + report.failed);
    const isFailed = share > verify.maxFailed;
    if (verify.json) print(JSON.stringify(reportJson(report, manifest)));
    else for (const line of reportWords(report, manifest, store.url)) print(line);
    if (isFailed && !verify.json) {
      print(
        `${(100 * share).toFixed(1)} % of the rows failed; --max-failed allows ${100 * verify.maxFailed} %.`,
      );
    }
    return report.missing.length > 0 || report.damaged.length > 0 || isFailed ? 'incomplete' : 'done';
  } finally {
    store.close();
  }
}

async function reportOf(
  store: CorpusStore,
  manifest: Manifest,
  { countsOnly, findsDuplicates }: Pick<VerifyArguments, 'countsOnly' | 'findsDuplicates'>,
  signal: AbortSignal,
): Promise<VerifyReport> {
  const { ending } = await shardFormat(manifest.format);
  const report = emptyReport();
  const sources = findsDuplicates ? new RepeatedSources() : undefined;
  const present = new Map<string, number>();
  for await (const { name, bytes } of store.list(folders.shards, signal)) present.set(name, bytes);
  const indexes = countsOnly ? await indexesOf(store, signal) : new Map<number, string[]>();
  const expected = new Set(manifest.shards.map((_, shard) => shardName(shard, ending)));
  report.foreign.push(...[...present.keys()].filter((name) => !expected.has(name)));
  const waiting = manifest.shards.keys();
  const worker = async () => {
    for (const shard of waiting) {
      signal.throwIfAborted();
      const name = shardName(shard, ending);
      const bytes = present.get(name);
      if (bytes === undefined) report.missing.push(shard);
      else
        await addShard(
          report,
          { shard, name, bytes, known: indexes.get(shard) ?? [] },
          sources,
          store,
          manifest,
          signal,
        );
    }
  };
  await Promise.all(Array.from({ length: shardsAtOnce }, worker));
  if (sources !== undefined) report.duplicates = sources.count();
  report.missing.sort((a, b) => a - b);
  report.damaged.sort((a, b) => a.shard - b.shard);
  return report;
}

/** SHA-256 of the indexes of each shard. */
async function indexesOf(store: CorpusStore, signal: AbortSignal): Promise<Map<number, string[]>> {
  const found = new Map<number, string[]>();
  for await (const { name } of store.list(folders.index, signal)) {
    const parts = partsOfIndex(name);
    if (parts !== undefined) found.set(parts.shard, [...(found.get(parts.shard) ?? []), parts.sha256]);
  }
  return found;
}

interface PresentShard {
  readonly shard: number;
  readonly name: string;
  readonly bytes: number;
  /** SHA-256 of its indexes, where those are trusted. */
  readonly known: readonly string[];
}

async function addShard(
  report: VerifyReport,
  { shard, name, bytes, known }: PresentShard,
  sources: RepeatedSources | undefined,
  store: CorpusStore,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<void> {
  const isTrusted = known.length > 0;
  const stored = isTrusted ? (await store.info(name, signal))?.sha256 : undefined;
  const sha256 =
    stored ?? (known.length === 1 ? known[0] : undefined) ?? (await hashOf(store, name, signal)) ?? '';
  const problem = await problemOf(shard, sha256, store, manifest, signal);
  if (typeof problem === 'string') {
    report.damaged.push({ shard, why: problem });
    return;
  }
  report.shards++;
  report.bytes += bytes;
  for (const { outcome, reason = '', retryable, source_sha256: source = '', page } of problem) {
    if (outcome === 'stored') {
      report.stored++;
      sources?.add(source, manifest.pages === true && typeof page === 'number' ? page : undefined);
      continue;
    }
    report.failed++;
    if (retryable === true) report.retryable++;
    report.reasons.set(reason, (report.reasons.get(reason) ?? 0) + 1);
  }
}

/** The entries of a shard's index, or why the shard is damaged. */
async function problemOf(
  shard: number,
  sha256: string,
  store: CorpusStore,
  { shards }: Manifest,
  signal: AbortSignal,
): Promise<readonly IndexEntry[] | string> {
  let entries: readonly IndexEntry[] | undefined;
  try {
    entries = await readIndex(shard, sha256, store, signal);
  } catch (error) {
    if (error instanceof ClientError && error.reason === 'INDEX_INVALID') return error.message;
    throw error;
  }
  if (entries === undefined)
    return `no index is of its SHA-256 ${sha256}: the shard or the index has changed`;
  const { first = 0, count = 0 } = shards[shard] ?? {};
  const rows = new Set(entries.map(({ row }) => row));
  const isWhole = rows.size === entries.length && entries.length === count;
  if (isWhole && [...rows].every((row) => row >= first && row < first + count)) return entries;
  return `its index has ${rows.size} of the rows ${first} to ${first + count - 1}`;
}
