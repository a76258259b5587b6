import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { CorpusRow } from '../row.ts';

/** The tries of one attempt at a shard, with times: everything that differs from one attempt to another. */
export interface AttemptLog {
  /** Its name: when it began, and digits of its own, so that two attempts never have one. */
  readonly attempt: string;
  /** @param event - what happened to the row */
  add(row: CorpusRow, event: 'retried' | 'failed' | 'stored', details: object): void;
  /** The whole log: JSON lines, the attempt itself first. */
  text(summary: object): string;
}

/** Begins a log. @param nowMs - the clock */
export function beginLog(nowMs: () => number = () => performance.now()): AttemptLog {
  const startedMs = nowMs();
  const started = new Date();
  const lines: string[] = [];
  const elapsed = () => Math.round(nowMs() - startedMs);
  return {
    attempt: `${started.toISOString().replace(/[-:]|\.\d+/g, '')}-${randomUUID().slice(0, 8)}`,
    add({ id, row }, event, details) {
      lines.push(JSON.stringify({ id, row, event, at_ms: elapsed(), ...details }));
    },
    text(summary) {
      const head = { started: started.toISOString(), host: hostname(), ms: elapsed(), ...summary };
      return `${[JSON.stringify(head), ...lines].join('\n')}\n`;
    },
  };
}
