import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadRecord } from './load.ts';
import { coresUsed, machineTimes, processTree } from './processes.ts';

/** A measured part of a load's time. Times in milliseconds since the load's start. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  /** Cores that the services and the sender used, by role. */
  readonly used: ReadonlyMap<string, number>;
  /**
   * Cores that were left to the services: those that they used, and those that were idle. The sender, other processes and
   * other machines had the rest.
   */
  readonly left: number;
  /** Cores that other machines on the same host had. */
  readonly stolen: number;
}

const sender = 'the sender';

/** Measures the cores from now on. @param fromMs - time of the load's clock */
export async function measureSpan(fromMs: number, lastsMs: number): Promise<Span> {
  const look = () => ({ tree: processTree(process.pid), machine: machineTimes(), at: performance.now() });
  const before = look();
  await sleep(lastsMs);
  const after = look();
  const ms = after.at - before.at;
  const used = coresUsed(before.tree, after.tree, ms / 1000);
  const [idle, stolen] = (['idle', 'stolen'] as const).map(
    (time) => ((after.machine[time] - before.machine[time]) * 1000) / ms,
  ) as [number, number];
  const services = [...used].reduce((sum, [role, cores]) => (role === sender ? sum : sum + cores), 0);
  return { fromMs, toMs: fromMs + ms, used, left: services + idle, stolen };
}

/** Right responses a second. */
export function goodputOf(records: readonly LoadRecord[], { fromMs, toMs }: Span): number {
  const good = records.filter(
    ({ status, endedAt }) => status === 200 && endedAt >= fromMs && endedAt <= toMs,
  ).length;
  return (good / (toMs - fromMs)) * 1000;
}

/** Mean cores by role, for a person. */
export function listed(spans: readonly Span[]): string {
  const roles = new Set(spans.flatMap(({ used }) => [...used.keys()]));
  const mean = (of: (span: Span) => number) =>
    (spans.reduce((sum, span) => sum + of(span), 0) / spans.length).toFixed(2);
  const parts = Array.from(roles, (role) => `${role} ${mean(({ used }) => used.get(role) ?? 0)}`);
  return `${parts.join(', ')}, stolen ${mean(({ stolen }) => stolen)}, left to the services ${mean(({ left }) => left)}`;
}
