import type { Verdict } from './verdict.ts';

/** The comparison of one pipeline's tensor of one image. */
export interface Result extends Verdict {
  /** Of the pipeline. */
  readonly name: string;
  readonly image: string;
  readonly inLattice: boolean;
  readonly seconds: number;
}

/** A run, as results.json keeps it. */
export interface Run {
  /** YYYY-MM-DD. */
  readonly date: string;
  /** Of each library, the versions that pipelines ran with. */
  readonly versions: Readonly<Record<string, readonly string[]>>;
  readonly results: readonly Result[];
}

/** The share of the pipelines in the lattice that have to be named exactly. */
const requiredShare = 0.95;

/** Totals over pipelines; a pipeline counts as named if it is for each of its images. */
export function summaryOf(results: readonly Result[]): {
  readonly lines: readonly string[];
  readonly isAccepted: boolean;
} {
  const byName = Object.values(Object.groupBy(results, ({ name }) => name)).map((each) => each ?? []);
  const inside = byName.filter((each) => each.every(({ inLattice }) => inLattice));
  const outside = byName.filter((each) => !inside.includes(each));
  const named = inside.filter((each) => each.every(({ isRight }) => isRight));
  const exact = inside.filter((each) => each.every(({ isExact }) => isExact));
  const falseExact = outside.filter((each) => each.some(({ isExact }) => isExact));
  const seconds = results.map((each) => each.seconds).toSorted((a, b) => a - b);
  const share = named.length / Math.max(1, inside.length);
  const worst = results.toSorted((a, b) => b.seconds - a.seconds)[0];
  return {
    lines: [
      `${byName.length} pipelines, ${results.length} pairs`,
      `in the lattice: ${inside.length} pipelines, ${exact.length} explained in every value, ${named.length} with the right steps (${(100 * share).toFixed(1)} %)`,
      `not in the lattice: ${outside.length} pipelines, ${falseExact.length} called exact`,
      `seconds per pair: median ${(seconds[Math.floor(seconds.length / 2)] ?? 0).toFixed(2)}, worst ${(worst?.seconds ?? 0).toFixed(2)} (${worst?.name ?? ''}, ${worst?.image ?? ''})`,
    ],
    isAccepted: share >= requiredShare && falseExact.length === 0,
  };
}
