import { readFileSync } from 'node:fs';
import { table } from '../markdown.ts';

/*
 * The tables of docs/skew.md.
 */

interface Costs {
  readonly model: string;
  readonly answers: number;
  readonly photographs: number;
  readonly mistakes: readonly {
    readonly mistake: string;
    readonly step: string;
    readonly changed: number;
    readonly differing_share: number;
  }[];
}

/** The result of bench/skew_cost.py. */
export function skewCostTable(): string {
  const file = new URL('../../../bench/skew-cost.json', import.meta.url);
  const { model, answers, photographs, mistakes } = JSON.parse(readFileSync(file, 'utf8')) as Costs;
  const rows = mistakes
    .toSorted((one, other) => one.changed - other.changed)
    .map(({ mistake, step, changed, differing_share: share }) => [
      mistake,
      step,
      `${(share * 100).toFixed(1)} %`,
      `${changed} (${Math.round((changed / answers) * 100)} %)`,
    ]);
  const words = `Top-1 classes of ${model} that change, of ${answers} crops of ${photographs} photographs:`;
  return `${words}\n\n${table(['mistake', 'step', 'values that differ', 'classes that change'], rows)}`;
}
