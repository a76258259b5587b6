/** The largest differences that pass, by measure: the largest of a value, the mean, the share of values that differ. */
export type Tolerance = Partial<Readonly<Record<(typeof measures)[number], number>>>;

/** The first two are in units of the expected tensor, the share from 0 to 1. */
const measures = ['max', 'mean', 'share'] as const;

/** The texts that `parseTolerance` reads, in words. */
export const toleranceInWords =
  'a number from 0 on, or max:T, mean:T and share:T (0 to 1) with commas between them';

/** A tolerance: `0.01` means `max:0.01`. @returns undefined for other texts */
export function parseTolerance(text: string): Tolerance | undefined {
  const tolerance: Partial<Record<(typeof measures)[number], number>> = {};
  for (const part of text.split(',')) {
    const [, name = 'max', digits] = /^\s*(?:(\w+)\s*:)?\s*(\d*\.?\d+(?:e[+-]?\d+)?)\s*$/i.exec(part) ?? [];
    const value = Number(digits);
    const measure = measures.find((one) => one === name);
    if (measure === undefined || tolerance[measure] !== undefined) return undefined;
    if (!Number.isFinite(value) || (measure === 'share' && value > 1)) return undefined;
    tolerance[measure] = value;
  }
  return tolerance;
}

/** A tolerance as `parseTolerance` reads it. */
export function toleranceText(tolerance: Tolerance): string {
  return Object.entries(tolerance)
    .map(([name, limit]) => `${name}:${limit}`)
    .join(',');
}

/** A tolerance as a field of image.v1.SkewRequest. */
export function toleranceField({ max, mean, share }: Tolerance) {
  return {
    ...(max !== undefined && { maxAbs: max }),
    ...(mean !== undefined && { meanAbs: mean }),
    ...(share !== undefined && { differingShare: share }),
  };
}
