import { bytesInWords } from '../../job/summary.ts';
import type { Manifest } from '../manifest.ts';

/** The result of a verification. */
export interface VerifyReport {
  /** Shards that are whole. */
  shards: number;
  /** Of those shards. */
  bytes: number;
  /** Rows of those shards. */
  stored: number;
  failed: number;
  /** Failed rows whose reason can pass. */
  retryable: number;
  readonly reasons: Map<string, number>;
  /** Stored rows whose source another row has too, also in another shard; undefined if they were not counted. */
  duplicates?: number;
  readonly missing: number[];
  readonly damaged: { readonly shard: number; readonly why: string }[];
  /** Files among the shards that are none. */
  readonly foreign: string[];
}

export function emptyReport(): VerifyReport {
  const counts = { shards: 0, bytes: 0, stored: 0, failed: 0, retryable: 0 };
  return { ...counts, reasons: new Map(), missing: [], damaged: [], foreign: [] };
}

/** The most frequent reason first. */
function byCount(reasons: ReadonlyMap<string, number>): [string, number][] {
  return [...reasons].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
}

/** The report as the object that `--json` prints. */
export function reportJson(report: VerifyReport, { job, shards, rows, format }: Manifest) {
  return {
    job,
    format,
    complete: report.missing.length === 0 && report.damaged.length === 0,
    shards: { planned: shards.length, done: report.shards },
    rows: { planned: rows, stored: report.stored, failed: report.failed, retryable: report.retryable },
    bytes: report.bytes,
    reasons: Object.fromEntries(byCount(report.reasons)),
    ...(report.duplicates !== undefined && { duplicates: report.duplicates }),
    missing: report.missing,
    damaged: report.damaged,
    foreign: report.foreign,
  };
}

/** The report in lines for people. */
export function reportWords(report: VerifyReport, { job, shards, rows }: Manifest, url: string): string[] {
  const { missing, damaged, foreign, failed, retryable } = report;
  const again = retryable === 0 ? '' : `; work --retry-failed tries ${retryable} of them again`;
  return [
    `${url}: job ${job.slice(0, 16)}, ${report.shards} of ${shards.length} shards, ${report.stored + failed} of ${rows} rows, ${bytesInWords(report.bytes)}`,
    `${report.stored} stored, ${failed} failed${again}`,
    ...byCount(report.reasons).map(([reason, count]) => `  ${String(count).padStart(8)} ${reason}`),
    ...(report.duplicates === undefined
      ? []
      : [`${report.duplicates} stored rows have the source of another stored row`]),
    ...(missing.length === 0 ? [] : [`${missing.length} shards are missing: ${rangesOf(missing)}`]),
    ...damaged.map(({ shard, why }) => `shard ${shard} is damaged: ${why}`),
    ...(foreign.length === 0
      ? []
      : [`${foreign.length} files are no shards of this corpus: ${foreign[0]}, …`]),
  ];
}

/** Sorted numbers as `0-3,7`. */
function rangesOf(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}
