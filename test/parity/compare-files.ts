import { readFileSync } from 'node:fs';

/** Pixels as RGB, [height, width, 3] uint8. */
interface Rgb {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** The service's result for a file. */
export type Ours =
  | (Rgb & { readonly format: string; readonly decisions: readonly string[] })
  | { readonly reason: string; readonly message: string };

/** Pillow's result for a file. */
export type Theirs = (
  | (Rgb & { readonly format: string; readonly mode: string; readonly right?: Uint8Array })
  | { readonly error: string }
) & {
  /** How the file is made, by files.py. */
  readonly layout: string;
};

export const outcomes = ['identical', 'differs', 'refused', 'service only', 'Pillow only'] as const;

/**
 * - `identical`: the same bytes;
 * - `differs`: both decode it, to other bytes;
 * - `refused`: by both;
 * - `service only`: accepted although Pillow refuses it;
 * - `Pillow only`: Pillow reads what the service refuses.
 */
export type Outcome = (typeof outcomes)[number];

export interface Comparison {
  readonly outcome: Outcome;
  /** How much it differs, or why it was refused. */
  readonly detail: string;
  /** The entry of known-differences.json that covers it. */
  readonly known: KnownDifference | undefined;
  /** Neither identical to Pillow nor documented. */
  readonly isUndocumented: boolean;
}

/** An entry of known-differences.json, from which docs/numerics.md has its tables. */
export interface KnownDifference {
  readonly id: string;
  /** The kind of source, in the words of docs/numerics.md. */
  readonly source: string;
  /** The difference, in the words of docs/numerics.md. */
  readonly difference: string;
  readonly outcome: Outcome;
  /** Regular expressions, each of which has to match the fact of its name. */
  readonly when: Readonly<Partial<Record<keyof Facts, string>>>;
  /** Largest difference of a value, in levels; unset: any. */
  readonly maxLevels?: number;
  /** Largest mean difference, in levels; unset: any. */
  readonly maxMean?: number;
}

/** The facts that an entry can match. Those that are unknown for a file are empty. */
interface Facts {
  /** As the service names it; Pillow's name in lower case where the service refuses it. */
  readonly format: string;
  readonly mode: string;
  readonly decisions: string;
  readonly reason: string;
  readonly message: string;
  readonly pillowError: string;
  /** The layout of a TIFF's pixels, or the error in a PNG's chunks, in the words of files.py. */
  readonly layout: string;
  /** `16 bits` where our pixels equal those that files.py computes from 16 bits, and Pillow's do not. */
  readonly rule: string;
}

export const knownDifferences: readonly KnownDifference[] = JSON.parse(
  readFileSync(new URL('known-differences.json', import.meta.url), 'utf8'),
);

/** Compares one file's two results, and looks the difference up. */
export function compareFile(
  ours: Ours,
  theirs: Theirs,
  known: readonly KnownDifference[] = knownDifferences,
): Comparison {
  const facts = factsOf(ours, theirs);
  if ('reason' in ours) {
    if ('error' in theirs) return { ...documented, outcome: 'refused', detail: ours.reason };
    return lookUp('Pillow only', `${ours.reason}: ${ours.message}`, facts, known);
  }
  if ('error' in theirs) return lookUp('service only', theirs.error, facts, known);
  if (ours.width !== theirs.width || ours.height !== theirs.height) {
    const detail = `${ours.width} × ${ours.height}, Pillow ${theirs.width} × ${theirs.height}`;
    return lookUp('differs', detail, facts, known, { largest: Number.POSITIVE_INFINITY, mean: 0 });
  }
  const difference = differenceOf(ours.pixels, theirs.pixels);
  if (difference.largest === 0) return { ...documented, outcome: 'identical', detail: '' };
  const { largest, mean, share } = difference;
  const detail = `up to ${largest} levels, mean ${mean.toFixed(2)}, ${(100 * share).toFixed(1)} % of values`;
  return lookUp('differs', detail, facts, known, difference);
}

const documented = { known: undefined, isUndocumented: false };

function factsOf(ours: Ours, theirs: Theirs): Facts {
  const { format = '', mode = '' } = 'error' in theirs ? {} : theirs;
  const right = 'error' in theirs ? undefined : theirs.right;
  const isRight = right !== undefined && 'pixels' in ours && Buffer.compare(ours.pixels, right) === 0;
  return {
    format: 'reason' in ours ? format.toLowerCase() : ours.format,
    mode,
    decisions: 'reason' in ours ? '' : ours.decisions.join('; '),
    reason: 'reason' in ours ? ours.reason : '',
    message: 'reason' in ours ? ours.message : '',
    pillowError: 'error' in theirs ? theirs.error : '',
    layout: theirs.layout,
    rule: isRight ? '16 bits' : '',
  };
}

interface Difference {
  /** Levels. */
  readonly largest: number;
  /** Levels, over all values. */
  readonly mean: number;
}

function lookUp(
  outcome: Outcome,
  detail: string,
  facts: Facts,
  known: readonly KnownDifference[],
  { largest, mean }: Difference = { largest: 0, mean: 0 },
): Comparison {
  const found = known.find(
    (entry) =>
      entry.outcome === outcome &&
      largest <= (entry.maxLevels ?? Number.POSITIVE_INFINITY) &&
      mean <= (entry.maxMean ?? Number.POSITIVE_INFINITY) &&
      Object.entries(entry.when).every(([name, pattern]) =>
        new RegExp(pattern).test(facts[name as keyof Facts]),
      ),
  );
  return { outcome, detail, known: found, isUndocumented: found === undefined };
}

function differenceOf(ours: Uint8Array, theirs: Uint8Array): Difference & { readonly share: number } {
  let [largest, sum, differing] = [0, 0, 0];
  for (let at = 0; at < ours.length; at++) {
    const levels = Math.abs((ours[at] as number) - (theirs[at] as number));
    if (levels === 0) continue;
    differing++;
    sum += levels;
    if (levels > largest) largest = levels;
  }
  return { largest, mean: sum / ours.length, share: differing / ours.length };
}
