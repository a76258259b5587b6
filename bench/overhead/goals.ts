import { median, spreadOf } from '../measure.ts';

/** A figure to reach, and the rounds that were measured. */
export interface Goal {
  readonly what: string;
  /** For example `ms`. */
  readonly unit: string;
  readonly limit: number;
  /** The figure has to be as high as the limit; unset: as low. */
  readonly isAtLeast?: true;
  readonly ours: readonly number[];
  /** Whose figure the limit is a multiple of; unset: the limit is in the unit. */
  readonly beside?: { readonly name: string; readonly values: readonly number[] } | undefined;
  /** The other with the least. */
  readonly best?: string | undefined;
  /** The codec's part, in the unit. */
  readonly codec?: number;
}

/** Rounds that differ by more than this share of their median do not prove anything. */
export const allowedSpread = 0.25;

export const goalHead = [
  'what',
  'goal',
  'ours',
  'beside',
  'now',
  'rounds differ by',
  'reached',
  'best other',
  'only the codec',
];

export function goalRow({ what, unit, limit, isAtLeast, ours, beside, best = '', codec }: Goal): string[] {
  const relative = beside === undefined ? '' : ` ${beside.name}`;
  const goal = `${isAtLeast ? '≥' : '≤'} ${limit} ${relative === '' ? unit : `×${relative}`}`;
  const figures = beside === undefined ? ours : ratios(ours, beside.values);
  const shown = (values: readonly number[]) =>
    values.length === 0 ? 'not measured' : `${rounded(median(values))} ${unit}`;
  const codecCell = codec === undefined ? '' : `${rounded(codec)} ${unit}`;
  const besideCell = beside === undefined ? '' : shown(beside.values);
  if (figures.length === 0) {
    return [what, goal, shown(ours), besideCell, 'not measured', '', '', best, codecCell];
  }
  const now = median(figures);
  const isReached = isAtLeast ? now >= limit : now <= limit;
  return [
    what,
    goal,
    shown(ours),
    besideCell,
    `${now.toFixed(2)}${relative === '' ? ` ${unit}` : ' ×'}`,
    spreadCell(figures),
    isReached ? 'yes' : '**no**',
    best,
    codecCell,
  ];
}

/** The spread of rounds; one that proves nothing is marked. */
export function spreadCell(values: readonly number[]): string {
  if (values.length < 2) return 'one round';
  const spread = spreadOf(values);
  const percent = `${Math.round(100 * spread)} %`;
  return spread > allowedSpread ? `**${percent}, rounds disagree**` : percent;
}

function ratios(values: readonly number[], others: readonly number[]): number[] {
  return values.slice(0, others.length).map((value, round) => value / (others[round] as number));
}

export function rounded(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}
