import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { parseArgs } from 'node:util';

/*
 * Shared by all parts of the bench: arguments, statistics, tables.
 */

/** `[--python PATH] [--imgproxy PATH] [--images DIR] [--quick] [--write]`, the same for every part. */
export function benchArguments() {
  const { values } = parseArgs({
    options: {
      python: { type: 'string', default: 'python3' },
      imgproxy: { type: 'string', default: 'imgproxy' },
      images: { type: 'string' },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  return values;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** @param share - 0…1 */
export function percentile(values: readonly number[], share: number): number {
  const at = Math.min(values.length - 1, Math.floor(values.length * share));
  return values.toSorted((a, b) => a - b)[at] ?? Number.NaN;
}

/** How far values are apart, relative to their median. */
export function spreadOf(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/** user + sys in milliseconds. */
export function cpuMs({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000;
}

/** A Markdown table; the first row is its head. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const [head = [], ...body] = rows;
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const lines = [line(head), `|${'---|'.repeat(head.length)}`, ...body.map(line)];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/**
 * Does something `count` times, `inFlight` at a time.
 *
 * @param work - `lane` is which of those at a time it is
 * @returns wall time of each in milliseconds, in the order in which they ended
 */
export async function inParallel(
  count: number,
  inFlight: number,
  work: (index: number, lane: number) => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async (_, lane) => {
      while (next < count) {
        const start = performance.now();
        await work(next++, lane);
        times.push(performance.now() - start);
      }
    }),
  );
  return times;
}

/** The mean difference between two lists of values, and the largest. */
export function difference(
  ours: ArrayLike<number>,
  theirs: ArrayLike<number>,
): { mean: number; max: number } {
  if (ours.length !== theirs.length) throw new Error(`${ours.length} values beside ${theirs.length}`);
  let sum = 0;
  let max = 0;
  for (let at = 0; at < ours.length; at++) {
    const delta = Math.abs((ours[at] as number) - (theirs[at] as number));
    sum += delta;
    max = Math.max(max, delta);
  }
  return { mean: sum / ours.length, max };
}
