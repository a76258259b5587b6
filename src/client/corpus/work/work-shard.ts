import type { JobConsole } from '../../job/job.ts';
import { reasonsInWords, showProgress } from '../../job/progress.ts';
import type { ServiceConnection } from '../../job/sending/connection.ts';
import { bytesInWords } from '../../job/summary.ts';
import type { WorkArguments } from '../corpus-arguments.ts';
import { loadRows } from '../load-manifest.ts';
import type { Manifest } from '../manifest.ts';
import { logName, shardName } from '../names.ts';
import type { Sample } from '../shards/shard-format.ts';
import { shardFormat } from '../shards/shard-formats.ts';
import type { CorpusStore } from '../store/corpus-store.ts';
import { storedText } from '../store/stored-bytes.ts';
import { type AttemptLog, beginLog } from './attempt-log.ts';
import { commitShard, type ShardState } from './commit-shard.ts';
import { withoutDuplicates } from './duplicates.ts';
import { indexLine, type Outcome } from './outcome.ts';
import { findRetryable } from './retryable.ts';
import { sendRows } from './send-rows.ts';
import { openSpill, spillFile } from './spill.ts';
import type { WorkMetrics } from './work-metrics.ts';

/** A corpus and what a worker needs for it. */
export interface WorkContext {
  readonly work: WorkArguments;
  readonly manifest: Manifest;
  readonly store: CorpusStore;
  readonly connection: ServiceConnection;
  readonly metrics: WorkMetrics;
}

/** The outcome of a shard. */
export interface ShardResult {
  /** `present` also for a shard that was done before. */
  readonly state: ShardState;
  readonly stored?: number;
  readonly failed?: number;
  readonly bytes?: number;
  readonly sha256?: string;
}

/**
 * Makes one shard unless it exists.
 *
 * @throws ClientError; nothing is written then, except the log of the attempt
 */
export async function workShard(
  shard: number,
  context: WorkContext,
  console: JobConsole,
  signal: AbortSignal,
): Promise<ShardResult> {
  const { work, manifest, store, metrics } = context;
  const note = work.quiet ? () => {} : console.say;
  const format = await shardFormat(manifest.format);
  const name = shardName(shard, format.ending);
  const existing = await store.info(name, signal);
  const isRetried = existing !== undefined && work.retryFailed;
  const earlier = isRetried ? await findRetryable(shard, name, store, signal) : undefined;
  if (existing !== undefined && earlier === undefined) {
    note(`shard ${shard} is done already`);
    return { state: 'present' };
  }
  const log = beginLog();
  let state: ShardState | 'failed' = 'failed';
  try {
    const rows = await loadRows(store, manifest, shard, signal);
    await using spill = await openSpill(work.spill);
    const outcomes = new Map<number, Outcome>();
    using progress = showProgress(work.quiet ? undefined : console.screen, console.say);
    const counts = { total: rows.length, done: 0, failed: 0, bytes: 0, reasons: new Map<string, number>() };
    metrics.beginShard(shard, rows.length);
    progress.update(counts);
    const onOutcome = (outcome: Outcome) => {
      const isStored = 'sample' in outcome;
      outcomes.set((isStored ? outcome.sample : outcome.failure).row.row, outcome);
      counts[isStored ? 'done' : 'failed']++;
      if (isStored) counts.bytes += outcome.sample.bytes;
      else countReason(counts.reasons, outcome.failure.reason);
      metrics.countRow(isStored ? '' : outcome.failure.reason);
      progress.update(counts);
    };
    const { connection } = context;
    await sendRows(rows, manifest, connection, work.limits, spill, log, onOutcome, progress.say, signal);
    const all = rows.flatMap(({ row }) => outcomes.get(row) ?? []);
    const inOrder = manifest.deduplicate ? withoutDuplicates(all) : all;
    const samples: Sample[] = inOrder.flatMap((outcome) => ('sample' in outcome ? [outcome.sample] : []));
    await using file = await spillFile(work.spill, format.write(samples, manifest));
    const [stored, failed] = [samples.length, inOrder.length - samples.length];
    const index = storedText(indexText(inOrder, manifest, format.carriesColumns));
    const made = { shard, name, contentType: format.contentType, file, index, stored };
    state = await commitShard(store, made, earlier, signal);
    const sha256 = file.sha256.toString('hex');
    const result = { state, stored, failed, bytes: file.bytes, sha256 };
    progress.say(
      `shard ${shard}: ${stored} stored, ${failed} failed, ${bytesInWords(file.bytes)}, ${state}${reasonsOf(inOrder)}`,
    );
    return result;
  } finally {
    await writeLog(shard, log, { job: manifest.job, shard, state }, store, note);
  }
}

/** The reasons of failures with their counts, as a part of a sentence. */
function reasonsOf(outcomes: readonly Outcome[]): string {
  const reasons = new Map<string, number>();
  for (const each of outcomes) if ('failure' in each) countReason(reasons, each.failure.reason);
  return reasons.size === 0 ? '' : `; ${reasonsInWords(reasons)}`;
}

function countReason(reasons: Map<string, number>, reason: string): void {
  reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
}

function indexText(outcomes: readonly Outcome[], manifest: Manifest, carriesColumns: boolean): string {
  let at = 0;
  return outcomes
    .map((outcome) => `${indexLine(outcome, 'sample' in outcome ? at++ : at, manifest, carriesColumns)}\n`)
    .join('');
}

/** Longest wait for the log of an attempt, which is also written after an interruption. */
const logPatienceMs = 5_000;

/** Writes the log of an attempt. A log that cannot be written fails nothing. */
async function writeLog(
  shard: number,
  log: AttemptLog,
  summary: object,
  store: CorpusStore,
  note: (line: string) => void,
): Promise<void> {
  const file = storedText(log.text(summary));
  const signal = AbortSignal.timeout(logPatienceMs);
  await store
    .writeNew(logName(shard, log.attempt), file, 'application/jsonl', signal)
    .catch((error: unknown) => note(`warning: the log of this attempt was not written: ${String(error)}`));
}
